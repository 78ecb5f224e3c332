import type { CodexProbe } from "../codex/probe.ts";
import type { CodexRun, CodexRunner } from "../codex/run_codex.ts";
import type { Log } from "../log.ts";
import { Bell } from "../storage/bell.ts";
import { OpenTasks } from "../storage/open_tasks.ts";
import { takeTask } from "../storage/task_lock.ts";
import { TaskError } from "../task/errors.ts";
import { type FinishedTask, isFinished, type StopReason, type Task } from "../task/task.ts";
import { ColdStart } from "./cold_start.ts";
import { runAdopted } from "./adopt.ts";
import { endTask } from "./end_task.ts";
import { FollowedTask } from "./followed_task.ts";
import { Registry } from "./registry.ts";
import { type PlannedTask, type Runnable, runTask, stopRun } from "./run_task.ts";
import type { RunTaskServices } from "./services.ts";
import { Slots } from "./slots.ts";
import { pause } from "./pause.ts";
import { type TaskView, viewFinished, viewFollowed } from "./task_view.ts";
import { heedStop, lookAtTask, watchTask } from "./watch_task.ts";

/** How often running tasks are looked through for one that waits for the network, as a part of the time-out, at most. */
const OFFLINE_CHECKS = 4;
const MAX_OFFLINE_CHECK_MS = 10_000;
/** How long a stopped run may take until its end is written down. */
const END_MS = 5_000;

/** What the supervisor is given; `main.ts` gives the real ones. */
export interface SupervisorOptions {
  readonly tasksDir: string;
  /** Where tasks are noted of which nobody has been given the result. */
  readonly openTasksDir: string;
  readonly codexHome: string;
  readonly runner: CodexRunner;
  /** The environment of every agent, the call's own variables aside. */
  readonly env: Readonly<Record<string, string>>;
  readonly maxConcurrent: number;
  readonly offlineTimeoutMs: number;
  /** Finds the installed Codex, for tasks that other servers have planned. */
  readonly probe: () => Promise<CodexProbe>;
  readonly log: Log;
  readonly now: () => Date;
  readonly newId: () => string;
}

/** What became of a request to stop; `still_running` for a process that not even SIGKILL has ended yet. */
export type StopAnswer = "stopped" | "already_ended" | "still_running";

/** Starts, queues, follows and stops the runs of tasks. The only writer of a task's state. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #registry: Registry;
  readonly #slots: Slots;
  readonly #services: RunTaskServices;
  /** The tasks that this server started or was asked about, until they have ended. */
  readonly #followed = new Map<string, FollowedTask>();
  /** The tasks that this server itself queued or runs, with the run that is on its way. */
  readonly #own = new Map<string, CodexRun | null>();
  /** The tasks that are being read from disk. */
  readonly #finding = new Map<string, Promise<FollowedTask | FinishedTask>>();
  readonly #closing = new AbortController();
  readonly #open: OpenTasks;
  #offlineTimer: ReturnType<typeof setInterval> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#registry = new Registry(options.tasksDir);
    this.#open = new OpenTasks(options.openTasksDir);
    this.#slots = new Slots(options.maxConcurrent);
    this.#services = {
      runner: options.runner,
      env: options.env,
      coldStart: new ColdStart(options.codexHome),
      bell: new Bell(options.runner.bell),
      closing: this.#closing.signal,
      log: options.log,
      now: options.now,
    };
  }

  /** Writes the task down and queues it; it is on disk when this returns. */
  async start(planned: PlannedTask): Promise<Task> {
    await this.#options.runner.host.prepare();
    // Between this look and the entry in the table, which `close` goes through, nothing is waited for.
    if (this.#closing.signal.aborted) throw new TaskError("start_failed", "Cannot start a task: the server is ending.");
    const task: Task = {
      id: this.#options.newId(),
      createdAt: this.#options.now(),
      repository: planned.repository,
      depth: planned.depth,
      spec: planned.spec,
      state: { status: "queued" },
    };
    const followed = new FollowedTask(task, this.#registry.directory(task.id));
    // Known before it is on disk: whoever looks through the directories meanwhile must not take it for another's.
    this.#followed.set(task.id, followed);
    this.#own.set(task.id, null);
    let lock: Disposable;
    try {
      lock = await followed.directory.create(task, planned.files);
    } catch (error) {
      this.#forget(followed);
      throw error;
    }
    await this.#open.add(task.repository, task.id);
    this.#follow(followed, this.#drive(followed, planned), lock);
    return task;
  }

  /** Looks at a task of this or any other server. Throws `unknown_task`. */
  async view(id: string): Promise<TaskView> {
    const followed = await this.#find(id);
    if (followed instanceof FollowedTask) {
      // Of another server's doings only the record tells.
      if (!this.#own.has(id)) await lookAtTask(followed, this.#services, { isOwner: false });
      return await viewFollowed(followed, this.#slots.position(id));
    }
    return await viewFinished(followed, this.#registry.directory(id));
  }

  /** All tasks that can be read, oldest first; those of one repository only if it is given. */
  async list(repository?: string): Promise<Task[]> {
    const tasks: Task[] = [];
    for (const id of await this.#registry.ids()) {
      try {
        const task = this.#followed.get(id)?.task ?? await this.#look(id);
        if (repository === undefined || task.repository === repository) tasks.push(task);
      } catch (error) {
        this.#options.log.warning("a task cannot be read", { id, error });
      }
    }
    return tasks.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  }

  /** The task that last worked on the thread, or `null`. */
  async findByThread(threadId: string): Promise<Task | null> {
    let latest: Task | null = null;
    for (const task of await this.list()) {
      const progress = isFinished(task) ? task.state.progress : await this.#followed.get(task.id)?.refresh();
      const ownThread = progress?.threadId ?? task.spec.resumeThreadId;
      if (ownThread === threadId) latest = task;
    }
    return latest;
  }

  /** Settles when the task has ended, or rejects with the signal's reason. Throws `unknown_task`. */
  async ended(id: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const found = await this.#find(id);
    if (!(found instanceof FollowedTask)) return;
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await Promise.race([found.finished, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** Stops a task and settles when it has ended, or cannot be ended. The first reason wins; an ended one stays as it is. */
  async stop(id: string, reason: StopReason): Promise<StopAnswer> {
    const found = await this.#find(id, { isAdopted: false });
    if (!(found instanceof FollowedTask) || isFinished(found.task)) return "already_ended";
    found.noteStop(reason);
    if (found.task.state.status === "running" || !this.#own.has(id)) await stopRun(found, this.#services);
    // A server in whose queue the task is finds the stop file then. Where there is none any more, it is ended here.
    await this.#services.bell.ring(id);
    if (found.task.state.status === "queued" && !this.#own.has(id)) await this.#endQueued(found);
    const over = new AbortController();
    const finished = await Promise.race([found.finished, pause(END_MS, over.signal)]);
    over.abort();
    if (finished === undefined) return "still_running";
    const { status } = finished.state;
    return status === "completed" || status === "failed" ? "already_ended" : "stopped";
  }

  /** Notes that a client has been given the task's result. */
  async markRead(id: string): Promise<void> {
    try {
      const { repository } = await this.#registry.read(id);
      await this.#open.remove(repository, id);
    } catch (error) {
      // The result has been given; that it counts as unread is the lesser evil.
      this.#options.log.warning("a task could not be marked as read", { id, error });
    }
  }

  /** How many tasks still run or are queued, and how many ended without anybody having been given their result. */
  async countOpen(repository: string): Promise<{ readonly running: number; readonly unread: number }> {
    const ids = await this.#open.ids(repository);
    const tasks = await Promise.all(ids.map((id) => this.#look(id).catch(() => null)));
    const unread = tasks.filter((task) => task !== null && isFinished(task)).length;
    const running = tasks.filter((task) => task !== null && !isFinished(task)).length;
    return { running, unread };
  }

  /** Ends the server's work: server-bound tasks are stopped, detached ones go on or stay queued. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("the server is ending"));
    clearInterval(this.#offlineTimer);
    const bound = [...this.#own.keys()].filter((id) => this.#followed.get(id)?.task.spec.lifetime === "server-bound");
    await Promise.all(bound.map((id) =>
      this.stop(id, "server_exit").catch((error) => {
        this.#options.log.error("a task could not be stopped", { id, error });
      })
    ));
    await Promise.all([...this.#own.values()].map((run) => run?.release()));
    this.#services.bell.close();
  }

  /** Keeps an eye on a task until its drive is over; `lock` is freed then. */
  #follow(followed: FollowedTask, drive: Promise<void>, lock: Disposable | null): void {
    this.#followed.set(followed.task.id, followed);
    this.#offlineTimer ??= setInterval(
      () => void this.#stopOffline(),
      Math.min(MAX_OFFLINE_CHECK_MS, this.#options.offlineTimeoutMs / OFFLINE_CHECKS),
    );
    void drive.catch((error) => {
      this.#options.log.error("a task could not be followed to its end", { id: followed.task.id, error });
    }).finally(() => {
      lock?.[Symbol.dispose]();
      if (isFinished(followed.task)) this.#registry.keep(followed.task);
      this.#forget(followed);
    });
  }

  #forget({ task: { id } }: FollowedTask): void {
    this.#own.delete(id);
    this.#followed.delete(id);
  }

  /** The task if it is followed or has ended; one that another server has is followed, or adopted, from then on. */
  async #find(
    id: string,
    { isAdopted }: { readonly isAdopted: boolean } = { isAdopted: true },
  ): Promise<FollowedTask | FinishedTask> {
    const known = this.#followed.get(id);
    if (known !== undefined) return known;
    // Two that ask at once get the same answer: only one of them may follow or adopt the task.
    const finding = this.#finding.get(id) ?? this.#findOnDisk(id, isAdopted).finally(() => this.#finding.delete(id));
    this.#finding.set(id, finding);
    return await finding;
  }

  async #findOnDisk(id: string, isAdopted: boolean): Promise<FollowedTask | FinishedTask> {
    const task = await this.#look(id);
    if (isFinished(task)) return task;
    if (isAdopted) await this.#adopt(task);
    const meanwhile = this.#followed.get(id);
    if (meanwhile !== undefined) return meanwhile;
    const followed = new FollowedTask(task, this.#registry.directory(id));
    this.#follow(followed, watchTask(followed, this.#services, { isOwner: false }), null);
    return followed;
  }

  /** Queues a detached task here that waits in the queue of a server that is gone. */
  async #adopt(task: Task): Promise<void> {
    if (task.state.status !== "queued" || task.spec.lifetime !== "detached" || this.#closing.signal.aborted) return;
    const directory = this.#registry.directory(task.id);
    const lock = await takeTask(directory.path);
    if (lock === null) return;
    const followed = new FollowedTask(task, directory);
    this.#own.set(task.id, null);
    const drive = (runnable: Runnable): Promise<void> => this.#drive(followed, runnable);
    this.#follow(followed, runAdopted(followed, { ...this.#services, probe: this.#options.probe, drive }), lock);
  }

  /** Reads a task of another server's; what ended while nobody looked is told as it is at once. */
  async #look(id: string): Promise<Task> {
    const task = await this.#registry.read(id);
    if (isFinished(task)) return task;
    const followed = new FollowedTask(task, this.#registry.directory(id));
    await lookAtTask(followed, this.#services, { isOwner: false });
    if (isFinished(followed.task)) this.#registry.keep(followed.task);
    return followed.task;
  }

  /** Ends a queued task whose server is gone. */
  async #endQueued(followed: FollowedTask): Promise<void> {
    using lock = await takeTask(followed.directory.path);
    if (lock !== null) await endTask(followed, null, this.#services);
  }

  /** Takes a task of this server's own from the queue to its end. */
  async #drive(followed: FollowedTask, runnable: Runnable): Promise<void> {
    const { id } = followed.task;
    const free = await this.#enterSlot(followed);
    if (free === null) return await endTask(followed, null, this.#services);
    try {
      await runTask(followed, runnable, { ...this.#services, started: (run) => this.#own.set(id, run) });
    } catch (error) {
      this.#options.log.error("a run is followed from outside now", { id, error });
      await watchTask(followed, this.#services, { isOwner: true });
    } finally {
      free();
    }
  }

  /** Waits for a slot and gives what frees it; `null` when the task was stopped, by whichever server. */
  async #enterSlot(followed: FollowedTask): Promise<(() => void) | null> {
    const entered = new AbortController();
    const signal = AbortSignal.any([entered.signal, this.#closing.signal]);
    const heeding = heedStop(followed, this.#services, signal);
    try {
      return await this.#slots.acquire(followed.task.id, followed.stopSignal);
    } catch {
      return null;
    } finally {
      entered.abort();
      await heeding;
    }
  }

  /** Codex's own retries of a lost network never end by themselves. */
  async #stopOffline(): Promise<void> {
    for (const id of [...this.#own.keys()]) {
      const followed = this.#followed.get(id);
      if (followed === undefined) continue;
      try {
        await followed.refresh();
        const since = followed.offlineSince;
        if (since === null || isFinished(followed.task)) continue;
        if (this.#options.now().getTime() - since.getTime() < this.#options.offlineTimeoutMs) continue;
        await this.stop(followed.task.id, "offline");
      } catch (error) {
        this.#options.log.error("a task could not be looked at", { id: followed.task.id, error });
      }
    }
  }
}
