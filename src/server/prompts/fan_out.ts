import { TaskError } from "../../task/errors.ts";
import { cutInner } from "../../tools/bounded_text.ts";
import { AGENTS_WORDS, type Prompt } from "./prompt.ts";

const MAX_AGENTS = 50;
const MAX_SHOWN = 40;

/** One task by several agents. */
export const fanOut: Prompt = {
  name: "fan_out",
  title: "Do a task with several Codex agents",
  description:
    "Split a task into independent parts, run one Codex agent on each in a worktree of its own, bring it together",
  arguments: [
    { name: "task", description: "What is to be done", required: true },
    {
      name: "agents",
      description: `How many agents, 1 to ${MAX_AGENTS}; left out: as many as there are parts`,
      required: false,
    },
  ],
  tools: ["codex_async", "codex_wait", "codex_diff", "codex_merge", "codex_reply"],
  write: ({ task = "", agents = "" }) =>
    [
      "Have the task at the end done by Codex agents that work at the same time, with the tools of codex-swarm.",
      "",
      `1. Look at the repository as far as you need to, then split the task into ${
        partsOf(agents)
      }. No part may need the ` +
      "result of another one, and as far as can be foreseen no two may change the same files. If it cannot be split like " +
      "that, use fewer agents and say so.",
      "2. Start all agents before you wait for any: call codex_async once for each part, with a label, the absolute path " +
      "of the repository as cwd and, where files are to be changed, worktree=true, which gives the agent a checkout and " +
      "a branch of its own and lets it write there. An agent knows nothing of this conversation or of the others: its prompt must say by itself what is to be " +
      "done and where, what belongs to others and is to be left alone, how to verify the work, and what to answer.",
      "3. Call codex_wait with all ids. When it says STILL RUNNING, call it again with the same ids and the cursor that " +
      "it gave. Do not poll.",
      '4. Look at what each agent has made: its answer, then codex_diff with format="patch". Where something is missing ' +
      "or wrong, tell its agent by codex_reply(threadId, prompt). Say openly which agents failed.",
      "5. Bring it together by codex_merge, with task_ids in the order in which they build on each other, and with check " +
      "set to the command that tests this repository. Unless the user has asked for a merged result, ask first. When " +
      "merged is false nothing has changed: do what its next says, which is to hand the work back to its agent by " +
      "codex_reply with merge, and merge again after that.",
      "6. Report what each agent has done, what was merged into which branch, what the check said, and what is left.",
      "",
      AGENTS_WORDS,
      "",
      "The task:",
      "",
      task,
    ].join("\n"),
};

function partsOf(agents: string): string {
  if (agents.trim() === "") return "independent parts, as many as make sense, mostly two to six";
  const count = Number(/^\s*(\d{1,4})\s*$/.exec(agents)?.[1]);
  if (count === 1) return "one part, which is all of it, for a single agent";
  if (count >= 1 && count <= MAX_AGENTS) return `${count} independent parts`;
  throw new TaskError(
    "invalid_argument",
    `Cannot use agents "${cutInner(agents, MAX_SHOWN)}": give a number from 1 to ${MAX_AGENTS}, or leave it out.`,
  );
}
