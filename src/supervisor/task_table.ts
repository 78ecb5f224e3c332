import type { TaskIndex } from "../storage/task_index.ts";
import { type FinishedTask, isFinished, type Task } from "../task/task.ts";
import type { AgentLogs } from "./agent_logs.ts";
import { FollowedTask } from "./followed_task.ts";
import { forEachOf } from "./for_each_of.ts";
import { pause } from "./pause.ts";
import type { Registry } from "./registry.ts";
import type { RunTaskServices } from "./services.ts";
import type { Runnable } from "./start_run.ts";
import { isAbandoned, isRunOver, runnableAgain, takeOver } from "./take_over.ts";
import { TaskDrive } from "./task_drive.ts";
import { heedPrompts } from "./tell_agent.ts";

/** How often a task of another server is looked at while its bell is silent: that server may have been killed. */
const LOOK_EVERY_MS = 5_000;
/** The same of one whose agent ends unless this server takes it over in time. */
const HEIR_LOOKS_EVERY_MS = 1_000;
/** How long a run that is over may take until its end is told. */
const END_MS = 1_000;

/** The tasks that have not ended and that this server drives itself or was asked about. */
export class TaskTable {
  readonly #registry: Registry;
  readonly #index: TaskIndex;
  readonly #services: RunTaskServices;
  readonly #logs: AgentLogs;
  /** Nothing is taken over. */
  readonly #isReadOnly: boolean;
  readonly #followed = new Map<string, FollowedTask>();
  /** Those whose lock this server holds. */
  readonly #drives = new Map<string, TaskDrive>();
  /** Those that are being read from disk. */
  readonly #finding = new Map<string, Promise<FollowedTask | FinishedTask>>();
  /** Those of other servers that are being brought up to date. */
  readonly #refreshing = new Map<string, Promise<void>>();

  constructor(options: {
    readonly registry: Registry;
    readonly index: TaskIndex;
    readonly services: RunTaskServices;
    readonly logs: AgentLogs;
    readonly isReadOnly: boolean;
  }) {
    this.#registry = options.registry;
    this.#index = options.index;
    this.#services = options.services;
    this.#isReadOnly = options.isReadOnly;
    this.#logs = options.logs;
  }

  get(id: string): FollowedTask | undefined {
    return this.#followed.get(id);
  }

  /** Tells whether this server drives the task. */
  isOwn(id: string): boolean {
    return this.#drives.has(id);
  }

  own(): FollowedTask[] {
    return [...this.#drives.keys()].flatMap((id) => this.#followed.get(id) ?? []);
  }

  /** Lets go of the lifelines of all runs that this server has started. */
  async release(): Promise<void> {
    await Promise.all([...this.#drives.values()].map((drive) => drive.release()));
  }

  /** Makes a new task known, before it is on disk: whoever looks there meanwhile must not take it for another's. */
  add(followed: FollowedTask, runnable: Runnable): TaskDrive {
    const drive = new TaskDrive(followed, { runnable: () => Promise.resolve(runnable), services: this.#services });
    followed.noteDriven();
    this.#followed.set(followed.task.id, followed);
    this.#drives.set(followed.task.id, drive);
    return drive;
  }

  /** Drives a task that was added to its end; `lock` is freed then. */
  drive(followed: FollowedTask, drive: TaskDrive, lock: Disposable): void {
    this.#logs.write(followed);
    void drive.toEnd().catch((error) => {
      this.#services.log.error("a task could not be driven to its end", { id: followed.task.id, error });
      followed.fail(error);
    }).finally(() => {
      lock[Symbol.dispose]();
      this.forget(followed);
    });
  }

  forget({ task }: FollowedTask): void {
    if (isFinished(task)) this.#registry.keep(task);
    this.#drives.delete(task.id);
    this.#followed.delete(task.id);
  }

  /**
   * The task if it has ended, else as it is followed from now on. One whose server is gone is taken over; one that is
   * bound to it only by an heir. Throws `unknown_task`.
   */
  async find(
    id: string,
    { isHeir }: { readonly isHeir: boolean } = { isHeir: false },
  ): Promise<FollowedTask | FinishedTask> {
    const found = this.#followed.get(id) ?? await this.#findOnce(id);
    // Others may have asked for it first, who were no heirs.
    if (isHeir && found instanceof FollowedTask && !found.isHeir) {
      found.becomeHeir();
      await this.refresh(found);
    }
    return found;
  }

  /** Takes over whatever has lost its server; `isHeir` says of which of those that were bound to it this one is the heir. */
  async takeOverAll(isHeir: (task: Task) => boolean): Promise<void> {
    await forEachOf(await this.#index.liveIds(), async (id) => {
      if (this.isOwn(id) || this.#services.closing.aborted) return;
      try {
        const task = this.#followed.get(id)?.task ?? await this.#registry.read(id);
        if (isFinished(task)) return await this.#index.noteEnded(id);
        // An heir looks again and again: somebody who only looks may hold the lock just now.
        const isForUs = isHeir(task) || isAbandoned(this.#registry.directory(id).path);
        if (isForUs) await this.find(id, { isHeir: isHeir(task) });
      } catch (error) {
        this.#services.log.debug("a task that has not ended cannot be read", { id, error });
      }
    });
  }

  /** Brings a task of another server's up to date, and takes it over if that server is gone and the task for this one. */
  async refresh(followed: FollowedTask): Promise<void> {
    const { id } = followed.task;
    // One after the other: two at once would take each other for another server that drives the task.
    const refreshed = (this.#refreshing.get(id) ?? Promise.resolve()).catch(() => undefined).then(() =>
      this.#refreshNow(followed)
    );
    this.#refreshing.set(id, refreshed);
    try {
      await refreshed;
    } finally {
      if (this.#refreshing.get(id) === refreshed) this.#refreshing.delete(id);
    }
  }

  async #refreshNow(followed: FollowedTask): Promise<void> {
    if (this.isOwn(followed.task.id)) return;
    const lock = await this.#takeOver(followed);
    if (lock === null) return;
    const isOver = await isRunOver(followed, this.#services);
    this.#driveForeign(followed, lock);
    // What ended while nobody looked is told as it is at once.
    if (isOver || followed.stopReason !== undefined) await this.#untilFinished(followed);
  }

  async #findOnce(id: string): Promise<FollowedTask | FinishedTask> {
    // Two that ask at once get the same answer: only one of them may follow or take over the task.
    const finding = this.#finding.get(id) ?? this.#findOnDisk(id).finally(() => this.#finding.delete(id));
    this.#finding.set(id, finding);
    return await finding;
  }

  async #findOnDisk(id: string): Promise<FollowedTask | FinishedTask> {
    const task = await this.#registry.read(id);
    if (isFinished(task)) return task;
    const followed = new FollowedTask(task, this.#registry.directory(id));
    this.#followed.set(id, followed);
    try {
      await this.refresh(followed);
    } catch (error) {
      this.forget(followed);
      throw error;
    }
    if (!this.isOwn(id)) void this.#followForeign(followed);
    return isFinished(followed.task) ? followed.task : followed;
  }

  /** Follows a task of another server's to its end, or until that server is gone and the task is for this one. */
  async #followForeign(followed: FollowedTask): Promise<void> {
    const { bell, closing, log } = this.#services;
    const { id } = followed.task;
    while (!closing.aborted) {
      const rung = bell.next(id, followed.isHeir ? HEIR_LOOKS_EVERY_MS : LOOK_EVERY_MS, closing);
      try {
        await this.refresh(followed);
        if (this.isOwn(id)) return;
        if (isFinished(followed.task)) break;
      } catch (error) {
        log.error("a task of another server could not be looked at", { id, error });
      }
      await rung;
    }
    // It may have been taken over by whoever else asked for it.
    if (!this.isOwn(id)) this.forget(followed);
  }

  #driveForeign(followed: FollowedTask, lock: Disposable): void {
    const services = this.#services;
    const { id, state: { status } } = followed.task;
    services.log.info("a task is taken over from a server that is gone", { id, status });
    followed.noteDriven();
    const drive = new TaskDrive(followed, { runnable: () => runnableAgain(followed, services), services });
    this.#drives.set(id, drive);
    this.drive(followed, drive, lock);
    void heedPrompts(followed, services);
  }

  async #takeOver(followed: FollowedTask): Promise<Disposable | null> {
    if (!this.#isReadOnly) return await takeOver(followed, this.#services);
    await followed.reread();
    return null;
  }

  async #untilFinished(followed: FollowedTask): Promise<void> {
    const over = new AbortController();
    await Promise.race([followed.finished, pause(END_MS, over.signal)]);
    over.abort();
  }
}
