import { isTaskId } from "../../storage/task_directory.ts";
import { taskIdOf } from "../../task/agent_id.ts";
import { TaskError } from "../../task/errors.ts";
import { cutInner } from "../../tools/bounded_text.ts";
import { AGENTS_WORDS, type Prompt } from "./prompt.ts";

const MAX_SHOWN = 40;

/** What agents have made in worktrees, looked at and brought in. */
export const reviewAndMerge: Prompt = {
  name: "review_and_merge",
  title: "Review and merge what Codex agents made",
  description:
    "Review the work of agents in worktrees, have them mend what is wrong, merge what is good behind a check",
  arguments: [{
    name: "task_ids",
    description: "Ids of tasks, separated by commas; left out: those of this repository that are not merged yet",
    required: false,
  }],
  tools: ["codex_status", "codex_wait", "codex_diff", "codex_merge", "codex_reply"],
  write: ({ task_ids = "" }) => {
    const ids = idsOf(task_ids);
    return [
      "Review what Codex agents have made in their worktrees and merge what is good, with the tools of codex-swarm.",
      "",
      ids.length === 0
        ? "1. Find the tasks: codex_status with cwd=, the absolute path of this repository, lists its own. Take those " +
          "with a worktree_branch that is not merged yet; git tells which. When it is not clear which of them the user " +
          "means, ask."
        : `1. The tasks are ${ids.join(", ")}.`,
      "2. Wait for those that still run by codex_wait, again with its cursor while it says STILL RUNNING. Then call " +
      "codex_status once with the ids of all: it gives their answers, and in overlaps tells which have changed the same " +
      "files and which conflict.",
      '3. Review each one: codex_diff for the files, with format="patch" for what was changed in them, and with paths ' +
      "where that is cut. Is it what was asked for, is it right and whole, is it tested, and is nothing in it that " +
      "nobody asked for, such as a test that was switched off or a secret? An answer that says so proves nothing.",
      "4. What is not good enough goes back to its agent: codex_reply(threadId, prompt) with what is to change and why, " +
      "then review it again. Leave out what stays wrong, and say so.",
      "5. Merge the good ones by codex_merge, with task_ids in the order in which they build on each other, and with " +
      "check set to the command that tests this repository. When merged is false nothing has changed: the answer names " +
      "the task, and next the calls that lead on, which hand it back to its agent by codex_reply with merge, so that the " +
      "agent resolves the conflict, and merge again after that. When that fails twice for a task, leave it out and tell " +
      "the user.",
      "6. Report for each task what it has done and your verdict, what was merged into which branch, what the check " +
      "said, and what is left.",
      "",
      AGENTS_WORDS,
    ].join("\n");
  },
};

function idsOf(list: string): string[] {
  const ids = list.split(/[,\s]+/).filter((id) => id !== "").map(taskIdOf);
  const odd = ids.find((id) => !isTaskId(id));
  if (odd === undefined) return [...new Set(ids)];
  throw new TaskError(
    "invalid_argument",
    `Cannot use task_ids: "${cutInner(odd, MAX_SHOWN)}" is no id of a task. Give ids such as 1f0c9a3e, separated by ` +
      "commas, or leave it out; codex_status lists them.",
  );
}
