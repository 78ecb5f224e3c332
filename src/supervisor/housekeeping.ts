import type { Log } from "../log.ts";
import { emptyTrash, removeTask } from "../storage/age_out.ts";
import type { Bell } from "../storage/bell.ts";
import { HandleFiles } from "../storage/handle_files.ts";
import type { OpenTasks } from "../storage/open_tasks.ts";
import { RequestFiles } from "../storage/request_files.ts";
import { isNewerState } from "../storage/state_directory.ts";
import { listTaskIds } from "../storage/list_task_ids.ts";
import { TaskDirectory } from "../storage/task_directory.ts";
import type { TaskIndex } from "../storage/task_index.ts";
import { removeTextLog } from "../storage/text_log.ts";
import { type FinishedTask, isFinished } from "../task/task.ts";
import type { Work } from "../work/work.ts";

/** When a server looks for the first time, so that its start is not slowed, and how often from then on. */
const FIRST_MS = 60_000;
const EVERY_MS = 3_600_000;
/** A task that has ended is kept at least this long, so that whoever waits for it can read it. */
const MIN_AGE_MS = 10 * 60_000;

/** What housekeeping needs to know. */
export interface HousekeepingOptions {
  readonly stateDir: string;
  readonly tasksDir: string;
  /** Age at which a task that has ended is removed. */
  readonly taskMaxAgeMs: number;
  readonly index: TaskIndex;
  readonly open: OpenTasks;
  readonly bell: Bell;
  readonly work: Pick<Work, "age">;
  readonly log: Log;
  readonly now: () => Date;
}

/** Removes what has ended long ago. What cannot be read, a newer program's say, is never removed. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  start(): void {
    this.#next(Math.min(FIRST_MS, Math.max(this.#options.taskMaxAgeMs, 1_000)));
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  /** Removes all tasks that are old enough; gives their ids. */
  async clean(): Promise<string[]> {
    // A newer program may have come since this server began.
    if (await isNewerState(this.#options.stateDir)) return [];
    const { stateDir, bell, work, now, taskMaxAgeMs, tasksDir, log } = this.#options;
    const endedBefore = new Date(now().getTime() - Math.max(taskMaxAgeMs, MIN_AGE_MS));
    const removed: string[] = [];
    const isTask = (id: string): boolean => new TaskDirectory(tasksDir, id).isThere();
    const steps: readonly (readonly [string, () => Promise<unknown>])[] = [
      ["old tasks", () => this.#removeTasks(endedBefore, removed)],
      ["removed tasks", () => emptyTrash(tasksDir)],
      ["old worktrees", () => work.age(endedBefore)],
      ["old handles", () => new HandleFiles(stateDir).removeOld(endedBefore, isTask)],
      ["old requests", () => new RequestFiles(stateDir).removeOld(endedBefore, isTask)],
      ["old bells", () => bell.tidy(() => listTaskIds(tasksDir))],
    ];
    for (const [what, step] of steps) {
      // What keeps one from being done keeps nobody from the others.
      await step().catch((error) => log.error("not all that is old could be removed", { what, error }));
    }
    return removed;
  }

  /** Adds the ids of those that are gone to `removed`. */
  async #removeTasks(endedBefore: Date, removed: string[]): Promise<void> {
    const { index, tasksDir, log } = this.#options;
    for await (const id of index.oldestBefore(endedBefore)) {
      if (this.#isStopped) break;
      try {
        const task = await new TaskDirectory(tasksDir, id).read();
        if (task === null || !isFinished(task) || task.state.endedAt >= endedBefore) continue;
        await this.#remove(task);
        removed.push(id);
      } catch (error) {
        log.debug("a task is kept since it cannot be read", { id, error });
      }
    }
  }

  async #remove({ id, repository, spec }: FinishedTask): Promise<void> {
    const { index, open, tasksDir } = this.#options;
    // While its record can still be read, which tells the thread.
    await index.forget(id);
    await open.remove(repository, id);
    await removeTask(tasksDir, id);
    if (spec.agentLog !== undefined) await removeTextLog(spec.agentLog);
  }

  #next(afterMs: number): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => void this.#run(), afterMs);
  }

  async #run(): Promise<void> {
    const { log } = this.#options;
    try {
      const removed = await this.clean();
      if (removed.length > 0) log.info("old tasks were removed", { tasks: removed.length });
    } catch (error) {
      log.error("old tasks could not be removed", { error });
    }
    this.#next(EVERY_MS);
  }
}
