import { isTaskId } from "../storage/task_directory.ts";
import type { TaskView } from "../supervisor/supervisor.ts";
import { TaskError } from "../task/errors.ts";
import type { ToolServices } from "./tool.ts";

/** An id for which there is no task to be told of, as an answer among those of others. */
export interface MissingTask {
  readonly id: string;
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Looks at each id once, in order; what cannot be found is told beside what can. */
export async function findViews(
  ids: readonly string[],
  services: ToolServices,
): Promise<{ readonly views: TaskView[]; readonly missing: MissingTask[] }> {
  const views: TaskView[] = [];
  const missing: MissingTask[] = [];
  for (const id of new Set(ids)) {
    try {
      views.push(await services.supervisor.view(id));
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      if (error.code !== "unknown_task" && error.code !== "unreadable_task") throw error;
      missing.push(error.code === "unknown_task" ? unknownTask(id, error) : unreadableTask(id, error));
    }
  }
  return { views, missing };
}

/** In codex-mcp-swarm's words. */
function unknownTask(id: string, { message }: TaskError): MissingTask {
  const words = isTaskId(id) ? `TASK ${id.toUpperCase()} NOT FOUND` : `INVALID TASK ID: ${id.toUpperCase()}`;
  return { id, text: `=== Task ${id} === ${words}`, data: { task_id: id, status: "not_found", error: message } };
}

function unreadableTask(id: string, { message }: TaskError): MissingTask {
  return { id, text: `=== Task ${id} === ${message}`, data: { task_id: id, status: "error", error: message } };
}
