import * as z from "zod";
import type { StopAnswer } from "../supervisor/stop_task.ts";
import type { TaskView } from "../supervisor/task_view.ts";
import { taskIdOf } from "../task/agent_id.ts";
import { TaskError } from "../task/errors.ts";
import type { Task } from "../task/task.ts";
import { findViews } from "./find_views.ts";
import { taskOutput } from "./outputs.ts";
import { boundedTask } from "./present_task.ts";
import { unnotedWords } from "./task_facts.ts";
import { defineTool, type ToolAnswer, type ToolServices } from "./tool.ts";
import { viewTask } from "./viewed_task.ts";

/** Room of the words about what was done, in characters. */
const DATA_AROUND = 100;

export const codexCancel = defineTool({
  name: "codex_cancel",
  title: "Stop a Codex task",
  description: "Stop a task's agent, gently first. What it has changed stays; its thread can be continued with " +
    "codex_reply.",
  toolset: "codex",
  effect: "destructive",
  input: z.object({ task_id: z.string().describe("Task id") }),
  output: taskOutput,
  async handle(input, call, services): Promise<ToolAnswer> {
    const id = taskIdOf(input.task_id);
    // Before anything is looked at: a look may take over a task that another server has left in its queue.
    const answer = await stop(id, services);
    const { missing: [missing] } = await findViews([id], services);
    if (missing !== undefined) {
      const lines = [`Task ${missing.id}: ${missing.words}`, ...missing.wayOut];
      return { text: lines.join("\n"), structured: missing.data, isError: true };
    }
    const view = await viewTask(id, services);
    const words = wordsOf(answer, view);
    return {
      text: [`Task ${id}: ${words}`, ...preservedLines(view.task)].join("\n"),
      structured: {
        ...boundedTask(view, { now: new Date(), maxLength: call.answerChars - DATA_AROUND }),
        message: words,
      },
    };
  },
});

/** `null` for a task that cannot be found or read; what to say of it is found out by looking. */
async function stop(id: string, { supervisor }: ToolServices): Promise<StopAnswer | null> {
  try {
    return await supervisor.stop(id, "cancelled");
  } catch (error) {
    const isMissing = error instanceof TaskError && (error.code === "unknown_task" || error.code === "unreadable_task");
    if (isMissing) return null;
    throw error;
  }
}

function preservedLines({ spec: { worktree } }: Task): string[] {
  return worktree === undefined ? [] : [`Worktree preserved: ${worktree.path}`, `Branch preserved: ${worktree.branch}`];
}

/** codex-mcp-swarm's words, where it had some. */
function wordsOf(answer: StopAnswer | null, view: TaskView): string {
  const { status } = view.task.state;
  if (answer?.answer === "unnoted") return `Task's agent ${unnotedWords(view)}`;
  if (answer?.answer === "still_running") return "Task could not be stopped yet: its process does not end; try again";
  if (answer?.answer === "stopped" && status === "cancelled") return "Task cancelled";
  const swept = answer?.answer === "already_ended" ? answer.report?.swept ?? 0 : 0;
  if (swept === 0) return `Task already ${status}`;
  return `Task already ${status}; what it had left behind is ended now (${swept} process${swept === 1 ? "" : "es"})`;
}
