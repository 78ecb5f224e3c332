import { TaskError } from "../task/errors.ts";
import { type FinishedTask, isFinished } from "../task/task.ts";
import { defined } from "../task/defined.ts";
import type { AgentLogs } from "./agent_logs.ts";
import { driveToEnd } from "./drive_to_end.ts";
import { FollowedTask } from "./followed_task.ts";
import { InTurn } from "./in_turn.ts";
import type { Registry } from "./registry.ts";
import type { RunTaskServices } from "./services.ts";
import type { Runnable } from "./start_run.ts";
import { carryOutStop, checkRunnable, isRunOver, runnableAgain, takeOver } from "./take_over.ts";
import { TaskDrive } from "./task_drive.ts";
import { heedPrompts } from "./tell_agent.ts";

/** How often a task of another server is looked at while its bell is silent: that server may have been killed. */
const LOOK_EVERY_MS = 5_000;
/** The same of one whose agent ends unless this server takes it over in time. */
const HEIR_LOOKS_EVERY_MS = 1_000;
/** How long a run that is over may take until its end is told. */
const END_MS = 1_000;
/** How long a task that this server cannot run is left to others, unless a client asks about it. */
const LEAVE_MS = 60_000;

interface TaskTableOptions {
  readonly registry: Registry;
  readonly services: RunTaskServices;
  readonly logs: AgentLogs;
  /** Nothing is taken over. */
  readonly isReadOnly: boolean;
}

/** The tasks that have not ended and that this server drives itself or was asked about. */
export class TaskTable {
  readonly #options: TaskTableOptions;
  readonly #registry: Registry;
  readonly #services: RunTaskServices;
  readonly #followed = new Map<string, FollowedTask>();
  /** Those whose lock this server holds. */
  readonly #drives = new Map<string, TaskDrive>();
  /** Those of other servers that are looked at again and again. */
  readonly #foreign = new Set<FollowedTask>();
  /** Those that this server cannot run, with the time, in `performance.now()`, until which they are left to others. */
  readonly #left = new Map<string, number>();
  /** Those that are being read from disk. */
  readonly #finding = new Map<string, Promise<FollowedTask | FinishedTask>>();
  /** Those of other servers that are being brought up to date. */
  readonly #refreshing = new InTurn();

  /** What is done to tasks of servers that are gone while nobody waits for it. */
  readonly #background = new Set<Promise<void>>();

  constructor(options: TaskTableOptions) {
    this.#options = options;
    this.#registry = options.registry;
    this.#services = options.services;
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

  /** Lets go of the lifelines of all runs that this server has started, once what it does to others is done. */
  async release(): Promise<void> {
    await Promise.all(this.#background);
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

  /** Drives a task that was added to its end; `lock` is freed then. `check` as {@linkcode driveToEnd} has it. */
  async drive(
    followed: FollowedTask,
    drive: TaskDrive,
    { lock, check }: { readonly lock: Disposable; readonly check?: () => Promise<void> },
  ): Promise<void> {
    const { log } = this.#services;
    const notForUs = await driveToEnd(followed, drive, { logs: this.#options.logs, log, ...defined({ check }) });
    lock[Symbol.dispose]();
    if (notForUs === null) return this.forget(followed);
    const { id } = followed.task;
    if (!this.#left.has(id)) {
      log.warning("a task is left to other servers, since this one cannot run it", { id, error: notForUs });
    }
    this.#left.set(id, performance.now() + LEAVE_MS);
    this.#drives.delete(id);
    followed.noteDriven(false);
    await this.#followForeign(followed);
  }

  forget(followed: FollowedTask): void {
    const { task } = followed;
    if (isFinished(task)) this.#registry.keep(task);
    // Another one may have been made of it since.
    if (this.#followed.get(task.id) !== followed) return;
    this.#drives.delete(task.id);
    this.#followed.delete(task.id);
    this.#left.delete(task.id);
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

  /** Brings a task of another server's up to date, and takes it over if that server is gone and the task for this one. */
  async refresh(followed: FollowedTask): Promise<void> {
    // Two at once would take each other for another server that drives the task.
    await this.#refreshing.run(followed.task.id, () => this.#refreshNow(followed));
  }

  async #refreshNow(followed: FollowedTask): Promise<void> {
    const { id } = followed.task;
    const known = this.#followed.get(id) ?? followed;
    if (this.isOwn(id) || known !== followed) return;
    using stack = new DisposableStack();
    const lock = stack.use(await takeOver(followed, this.#options, this.#services));
    if (lock === null) return;
    const isOver = await isRunOver(followed, this.#services);
    stack.move();
    this.#driveForeign(followed, lock);
    // What ended while nobody looked is told as it is at once.
    if (isOver || followed.stopReason !== undefined) await followed.finishedWithin(END_MS);
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
    // Nobody gets it before it is clear who follows it from then on; others who ask wait for the same look.
    await this.refresh(followed);
    if (isFinished(followed.task)) return followed.task;
    if (!this.isOwn(id)) void this.#followForeign(followed);
    return followed;
  }

  /** Follows a task of another server's to its end, or until that server is gone and the task is for this one. */
  async #followForeign(followed: FollowedTask): Promise<void> {
    const { bell, closing, log } = this.#services;
    const { id } = followed.task;
    if (this.#foreign.has(followed)) return;
    this.#foreign.add(followed);
    this.#followed.set(id, followed);
    // Whoever asks for it may take it over, and see it to its end, between two looks.
    while (!closing.aborted && !this.isOwn(id) && this.#followed.get(id) === followed) {
      const rung = bell.next(id, followed.isHeir ? HEIR_LOOKS_EVERY_MS : LOOK_EVERY_MS, closing);
      try {
        await (this.#isLeft(followed) ? followed.reread() : this.refresh(followed));
        if (this.isOwn(id) || isFinished(followed.task)) break;
      } catch (error) {
        if (error instanceof TaskError && error.code === "unknown_task") {
          followed.fail(error);
          break;
        }
        log.error("a task of another server could not be looked at", { id, error });
      }
      await rung;
    }
    this.#foreign.delete(followed);
    if (!this.isOwn(id)) this.forget(followed);
  }

  /** Anybody can tell the end of a run, or of a task that is stopped. */
  #isLeft({ task: { id, state }, stopReason }: FollowedTask): boolean {
    return state.status !== "running" && stopReason === undefined && performance.now() < (this.#left.get(id) ?? 0);
  }

  #driveForeign(followed: FollowedTask, lock: Disposable): void {
    const services = this.#services;
    const { id, state: { status } } = followed.task;
    if (!this.#left.has(id)) services.log.info("a task is taken over from a server that is gone", { id, status });
    followed.noteDriven();
    const drive = new TaskDrive(followed, { runnable: () => runnableAgain(followed, services), services });
    this.#followed.set(id, followed);
    this.#drives.set(id, drive);
    void this.drive(followed, drive, { lock, check: () => checkRunnable(followed, services) });
    this.#keep(heedPrompts(followed, services));
    if (status === "running") this.#keep(carryOutStop(followed, services));
  }

  #keep(work: Promise<void>): void {
    const kept = work.finally(() => this.#background.delete(kept));
    this.#background.add(kept);
  }
}
