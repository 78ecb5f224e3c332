import { isTaskId } from "../storage/task_directory.ts";
import type { TaskView } from "../supervisor/supervisor.ts";
import { TaskError } from "../task/errors.ts";
import type { ToolServices } from "./tool.ts";

/** An id for which there is no task, as an answer among those of others. */
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
      if (!(error instanceof TaskError) || error.code !== "unknown_task") throw error;
      // codex-mcp-swarm's words.
      const words = isTaskId(id) ? `TASK ${id.toUpperCase()} NOT FOUND` : `INVALID TASK ID: ${id.toUpperCase()}`;
      missing.push({
        id,
        text: `=== Task ${id} === ${words}`,
        data: { task_id: id, status: "not_found", error: error.message },
      });
    }
  }
  return { views, missing };
}
