/** Removes tasks for good. */
import { join } from "node:path";
import { isTaskId } from "./task_directory.ts";

/** Holds what is being removed: a task is there whole, or it is gone. */
const TRASH = ".trash";

/**
 * Removes a task's directory with all that is in it; tells whether it was there. Whoever dies in the middle leaves the
 * rest in the trash, where {@linkcode emptyTrash} finds it.
 */
export async function removeTask(tasksDir: string, id: string): Promise<boolean> {
  if (!isTaskId(id)) throw new Error(`${JSON.stringify(id)} names no task`);
  const trash = join(tasksDir, TRASH);
  // Not the id alone: an earlier attempt may have left some of it there.
  const doomed = join(trash, `${id}.${crypto.randomUUID()}`);
  try {
    await Deno.lstat(join(tasksDir, id));
    await Deno.mkdir(trash, { recursive: true, mode: 0o700 });
    await Deno.rename(join(tasksDir, id), doomed);
  } catch (error) {
    // Another server removes it.
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  // Another server may be emptying the trash.
  await Deno.remove(doomed, { recursive: true }).catch(ignoreNotFound);
  return true;
}

/** Removes what those have left who died while they removed a task. */
export async function emptyTrash(tasksDir: string): Promise<void> {
  const trash = join(tasksDir, TRASH);
  try {
    // A link leads to something that is no trash of ours.
    if (!(await Deno.lstat(trash)).isDirectory) return;
    for await (const { name } of Deno.readDir(trash)) {
      await Deno.remove(join(trash, name), { recursive: true }).catch(ignoreNotFound);
    }
  } catch (error) {
    ignoreNotFound(error);
  }
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
