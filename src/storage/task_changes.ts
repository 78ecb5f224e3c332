/** Notices that something about tasks has changed, without reading what: from what the system knows of their files. */
import { IndexFiles } from "./index_files.ts";
import { isTaskId, TaskDirectory } from "./task_directory.ts";

/**
 * Facts of the tasks of one state directory, whichever server they belong to: short texts of which each differs from the
 * one before when something has changed since. Each takes microseconds; going through another thread would take several
 * times as long.
 */
export class TaskChanges {
  readonly #tasksDir: string;
  readonly #index: IndexFiles;

  constructor(tasksDir: string) {
    this.#tasksDir = tasksDir;
    this.#index = new IndexFiles(tasksDir);
  }

  /** Of a task's record, which is written when its state changes; `null` when there is no such task. */
  record(id: string): string | null {
    return factsOf(new TaskDirectory(this.#tasksDir, id).recordFile);
  }

  /** Of what a task's agent has written; `null` when there is no such task. */
  events(id: string): string | null {
    const { recordFile, eventsFile } = new TaskDirectory(this.#tasksDir, id);
    return factsOf(recordFile) === null ? null : factsOf(eventsFile) ?? "nothing yet";
  }

  /** Of all tasks: which there are, and the records of those that have not ended. */
  all(): string {
    const ids = this.#index.liveNow() ?? idsIn(this.#tasksDir);
    const live = ids.sort().map((id) => `${id} ${this.record(id)}`);
    return [factsOf(this.#tasksDir), ...live].join("\n");
  }
}

/** A record is replaced, so that its number tells as well; a directory has a link for each one in it. */
function factsOf(path: string): string | null {
  try {
    const { ino, size, mtime, nlink } = Deno.statSync(path);
    return `${ino} ${size} ${mtime?.getTime()} ${nlink}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}

/** All tasks, where no index tells which of them matter. */
function idsIn(directory: string): string[] {
  try {
    return Array.from(Deno.readDirSync(directory), ({ name }) => name).filter(isTaskId);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return [];
    throw error;
  }
}
