import { readableStderr } from "../codex/stderr_message.ts";
import type { Overlap } from "../work/forecast.ts";
import type { TaskView } from "../supervisor/task_view.ts";
import { cutStart } from "./bounded_text.ts";
import type { ToolServices } from "./tool.ts";

/** Longest end of stderr that is told, in characters: that of codex-mcp-swarm. */
const MAX_STDERR = 500;

/** A task as it is told. */
export interface ViewedTask extends TaskView {
  /** The end of what a failed run wrote to stderr, on one line; empty for any other task. */
  readonly stderrTail: string;
  /** Other tasks that have changed some of the same files, as far as is known. */
  readonly overlaps?: readonly Overlap[];
}

/** Looks at a task. Throws `unknown_task`. */
export async function viewTask(id: string, { supervisor }: ToolServices): Promise<ViewedTask> {
  const view = await supervisor.view(id);
  if (view.task.state.status !== "failed") return { ...view, stderrTail: "" };
  // A file that cannot be read takes nothing else with it.
  const written = await view.directory.stderrTail().catch(() => "");
  return { ...view, stderrTail: cutStart(readableStderr(written), MAX_STDERR) };
}
