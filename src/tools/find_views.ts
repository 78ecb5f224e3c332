import { isTaskId } from "../storage/task_directory.ts";
import { TaskError } from "../task/errors.ts";
import type { ToolServices } from "./tool.ts";
import { type ViewedTask, viewTask } from "./viewed_task.ts";

/** An id for which there is no task to be told of, as an answer among those of others. */
export interface MissingTask {
  readonly id: string;
  /** What is wrong, in codex-mcp-swarm's words where it had some. */
  readonly words: string;
  /** What these words leave out. */
  readonly wayOut: readonly string[];
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Looks at each id once, in order; what cannot be found is told beside what can. */
export async function findViews(
  ids: readonly string[],
  services: ToolServices,
): Promise<{ readonly views: ViewedTask[]; readonly missing: MissingTask[] }> {
  const views: ViewedTask[] = [];
  const missing: MissingTask[] = [];
  for (const id of new Set(ids)) {
    try {
      views.push(await viewTask(id, services));
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      if (error.code !== "unknown_task" && error.code !== "unreadable_task") throw error;
      missing.push(error.code === "unknown_task" ? unknownTask(id, error) : unreadableTask(id, error));
    }
  }
  return { views, missing };
}

function unknownTask(id: string, { message }: TaskError): MissingTask {
  const words = isTaskId(id) ? `Task ${id} not found` : `Invalid task ID: ${id}`;
  return {
    id,
    words,
    wayOut: [message],
    text: `=== Task ${id} === ${words.toUpperCase()}`,
    data: { task_id: id, status: "not_found", error: message },
  };
}

function unreadableTask(id: string, { message }: TaskError): MissingTask {
  return {
    id,
    words: message,
    wayOut: [],
    text: `=== Task ${id} === ${message}`,
    data: { task_id: id, status: "error", error: message },
  };
}
