import { reasonOf, TaskError } from "../task/errors.ts";
import { isTaskId } from "./task_directory.ts";

/** The ids of all tasks under `tasksDirectory`, in no order; none while it does not exist. */
export async function listTaskIds(tasksDirectory: string): Promise<string[]> {
  const ids: string[] = [];
  try {
    for await (const entry of Deno.readDir(tasksDirectory)) {
      if (entry.isDirectory && isTaskId(entry.name)) ids.push(entry.name);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return ids;
    throw new TaskError(
      "state_not_writable",
      `Cannot read ${tasksDirectory}: ${reasonOf(error)}. Make it readable or name another directory with --state-dir.`,
      { cause: error },
    );
  }
  return ids;
}
