import { FewAtOnce } from "../process/few_at_once.ts";
import type { OpenTasks } from "../storage/open_tasks.ts";
import { resolveLinks } from "../storage/paths.ts";
import { refuseNewerState } from "../storage/state_directory.ts";
import { lockThread } from "../storage/thread_lock.ts";
import { TaskError } from "../task/errors.ts";
import type { TaskSpec } from "../task/spec.ts";
import { isFinished, type Task } from "../task/task.ts";
import { FollowedTask } from "./followed_task.ts";
import { inWorktree } from "./plan_worktree.ts";
import type { PlannedTask } from "./planned_task.ts";
import type { Registry } from "./registry.ts";
import type { RunTaskServices } from "./services.ts";
import { patiently } from "./start_trouble.ts";
import type { TaskTable } from "./task_table.ts";

/** How many tasks are written down at the same time: each takes two or three open files meanwhile. */
const CREATED_AT_ONCE = 8;

/** How several tasks are started together. */
export interface StartAllOptions {
  readonly maxParallel: number;
  /** One for each task; default new ones. */
  readonly ids?: readonly string[];
  /** Tasks that were started before and count among those that run at once; default none. */
  readonly earlier?: readonly string[];
}

/** What tasks are started with. */
interface StartsParts {
  readonly stateDir: string;
  readonly tasksDir: string;
  readonly worktreesDir: string;
  readonly table: TaskTable;
  readonly registry: Registry;
  readonly services: RunTaskServices;
  readonly open: OpenTasks;
  /** Makes the places where agents run. */
  readonly prepare: () => Promise<void>;
  /** The task that last worked on the thread, or `null`. */
  readonly findByThread: (threadId: string) => Promise<Task | null>;
  readonly newId: () => string;
  readonly now: () => Date;
}

/** Writes new tasks down, in the order in which they are to have their turns, and has them driven. */
export class Starts {
  readonly #parts: StartsParts;
  readonly #creating = new FewAtOnce(CREATED_AT_ONCE);

  constructor(parts: StartsParts) {
    this.#parts = parts;
  }

  /** Writes the task down and queues it, under an id of {@linkcode newId}; it is on disk when this returns. */
  async one(planned: PlannedTask, { id = this.newId() } = {}): Promise<Task> {
    await this.#beforeStarts();
    return await this.#start(planned, { id, before: Promise.resolve() });
  }

  /**
   * The same for several, of which at most so many run at once, those of `earlier` too; they have their turns in this
   * order. Rejects when none can be.
   */
  async all(
    planned: readonly PlannedTask[],
    { maxParallel, ids = planned.map(() => this.newId()), earlier = [] }: StartAllOptions,
  ): Promise<PromiseSettledResult<Task>[]> {
    await this.#beforeStarts();
    let before: Promise<unknown> = Promise.resolve();
    return await Promise.allSettled(planned.map((one, index) => {
      const tasks = [...earlier, ...ids.slice(0, index)];
      const count = tasks.length - maxParallel + 1;
      const startsAfter = count > 0 ? { startsAfter: { tasks, count } } : {};
      const start = this.#start({ ...one, spec: { ...one.spec, ...startsAfter } }, {
        id: ids[index] ?? this.newId(),
        before,
      });
      before = Promise.allSettled([before, start]);
      return start;
    }));
  }

  /** An id that no task has. */
  newId(): string {
    for (;;) {
      const id = this.#parts.newId();
      if (this.#parts.table.get(id) === undefined && !this.#parts.registry.directory(id).isThere()) return id;
    }
  }

  async #beforeStarts(): Promise<void> {
    // A newer program may have come since this server began.
    await refuseNewerState(this.#parts.stateDir);
    await this.#parts.prepare();
  }

  /** Has the task driven when all that come `before` it are, or have failed: none of them is unknown then. */
  async #start(
    planned: PlannedTask,
    { id, before }: { readonly id: string; readonly before: Promise<unknown> },
  ): Promise<Task> {
    const { resumeThreadId } = planned.spec;
    // Until others can find the task: whoever continues the thread next comes after it.
    using _order = resumeThreadId === undefined ? null : await lockThread(this.#parts.tasksDir, resumeThreadId);
    // As git names its worktrees.
    const worktreesDir = await resolveLinks(this.#parts.worktreesDir);
    const placed = planned.worktree === undefined
      ? planned.spec
      : inWorktree(planned.spec, planned.worktree, { id, worktreesDir });
    const spec = await this.#inItsOrder(placed);
    // Between this look and the entry in the table, which `close` goes through, nothing is waited for.
    if (this.#parts.services.closing.aborted) {
      throw new TaskError("start_failed", "Cannot start a task: the server is ending.");
    }
    const task: Task = {
      id,
      createdAt: this.#parts.now(),
      repository: planned.repository,
      depth: planned.depth,
      spec,
      state: { status: "queued" },
    };
    const followed = new FollowedTask(task, this.#parts.registry.directory(id));
    const drive = this.#parts.table.add(followed, planned);
    let lock: Disposable;
    try {
      lock = await this.#creating.run(() => this.#create(followed, planned));
    } catch (error) {
      this.#parts.table.forget(followed);
      throw error;
    }
    await before;
    void this.#parts.table.drive(followed, drive, { lock });
    return task;
  }

  async #create({ task, directory }: FollowedTask, { files }: PlannedTask): Promise<Disposable> {
    const { index } = this.#parts.services;
    // Before the record, should this server be killed in between: an entry without a task is passed over, but a task
    // without an entry would be found by nobody who does not know its id.
    let noted: Promise<unknown> | null = null;
    const note = (): Promise<unknown> =>
      noted ??= Promise.all([index.noteStarted(task), this.#parts.open.add(task.repository, task.id)]);
    try {
      return await patiently(() => directory.create(task, files, note), this.#parts.services.closing);
    } catch (error) {
      // Where another server has just made a task of the same id, the notes are that one's.
      if (noted !== null) await Promise.all([index.forget(task.id), this.#parts.open.remove(task.repository, task.id)]);
      throw error;
    }
  }

  /** Others may have been started on the thread since the task was planned, by any server. */
  async #inItsOrder(spec: TaskSpec): Promise<TaskSpec> {
    const before = spec.resumeThreadId === undefined ? null : await this.#parts.findByThread(spec.resumeThreadId);
    return before === null || isFinished(before) ? spec : { ...spec, afterTaskId: before.id };
  }
}
