import { listTaskIds } from "../storage/list_task_ids.ts";
import { isTaskId, TaskDirectory } from "../storage/task_directory.ts";
import { TaskError } from "../task/errors.ts";
import { type FinishedTask, isFinished, type Task } from "../task/task.ts";

/** Ids named at most when one cannot be found. */
const MAX_NAMED = 20;
/** Ended tasks kept in memory: a few kilobytes each. */
const MAX_KEPT = 500;

/** The tasks on disk, of this and all other servers. One that has ended never changes and is rarely read twice. */
export class Registry {
  readonly #tasksDir: string;
  readonly #finished = new Map<string, { readonly task: FinishedTask; readonly isOnDisk: boolean }>();

  constructor(tasksDir: string) {
    this.#tasksDir = tasksDir;
  }

  directory(id: string): TaskDirectory {
    return new TaskDirectory(this.#tasksDir, id);
  }

  /** Reads a task as it was last written down. Throws `unknown_task`, or says why it cannot be read. */
  async read(id: string): Promise<Task> {
    const kept = this.#finished.get(id);
    // Any server removes what is old. What was removed before it had ended is told by the one that saw its end.
    if (kept !== undefined && (!kept.isOnDisk || this.directory(id).isThere())) return kept.task;
    const task = isTaskId(id) ? await this.directory(id).read() : null;
    if (task === null) throw await this.#unknown(id);
    if (isFinished(task)) this.keep(task);
    return task;
  }

  /** Remembers a task that has ended. */
  keep(task: FinishedTask): void {
    this.#finished.set(task.id, { task, isOnDisk: this.directory(task.id).isThere() });
    const [oldest] = this.#finished.keys();
    if (this.#finished.size > MAX_KEPT && oldest !== undefined) this.#finished.delete(oldest);
  }

  async ids(): Promise<string[]> {
    return await listTaskIds(this.#tasksDir);
  }

  async #unknown(id: string): Promise<TaskError> {
    const known = (await this.ids()).slice(0, MAX_NAMED);
    const tasks = known.length === 0 ? "there are none" : `known tasks are ${known.join(", ")}`;
    return new TaskError("unknown_task", `Cannot find task "${id}": ${tasks}.`);
  }
}
