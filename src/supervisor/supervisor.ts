import { join } from "node:path";
import { decideOutcome, isSharedStateFailure } from "../codex/outcome.ts";
import type { CodexProbe } from "../codex/probe.ts";
import { type CodexRun, type CodexRunner, runCodex } from "../codex/run_codex.ts";
import type { Log } from "../log.ts";
import { readExit, readRunPids, readStopReason, sightRun, stopThroughShim } from "../process/shim.ts";
import { lastWritten } from "../storage/agent_log.ts";
import { Bell } from "../storage/bell.ts";
import { isTaskId, listTaskIds, TaskDirectory, type TaskFiles } from "../storage/task_directory.ts";
import { TaskError } from "../task/errors.ts";
import {
  type FinishedTask,
  isFinished,
  type Outcome,
  type Progress,
  STOP_REASONS,
  type StopReason,
  type Task,
  type TaskSpec,
} from "../task/task.ts";
import { finish, startRun } from "../task/transitions.ts";

import { checkAnswer } from "./check_answer.ts";
import { ColdStart } from "./cold_start.ts";
import { FollowedTask } from "./followed_task.ts";
import { Slots } from "./slots.ts";

/** A start that dies of shared state is tried again after these pauses. */
const START_RETRY_MS = [200, 800, 3_200];
/** How often a run of another server is looked at while its bell is silent: its shim may have been killed. */
const SIGHT_EVERY_MS = 2_000;
/** A run that shows no sign of life may have been started an instant ago. */
const YOUNG_RUN_MS = 10_000;
/** How often running tasks are looked through for one that waits for the network. */
const OFFLINE_CHECK_MS = 10_000;

/** What the supervisor is given; `main.ts` gives the real ones. */
export interface SupervisorOptions {
  readonly tasksDir: string;
  readonly codexHome: string;
  readonly runner: CodexRunner;
  /** The environment of every agent, the call's own variables aside. */
  readonly env: Readonly<Record<string, string>>;
  readonly maxConcurrent: number;
  readonly offlineTimeoutMs: number;
  readonly log: Log;
  readonly now: () => Date;
  readonly newId: () => string;
}

/** A task that is ready to be written down and queued. */
export interface PlannedTask {
  readonly spec: TaskSpec;
  readonly files: TaskFiles;
  readonly repository: string;
  readonly depth: number;
  readonly probe: CodexProbe;
  readonly withheldEnv: readonly string[];
  readonly disabledMcpServers: readonly string[];
}

/** A task as it stands now. */
export interface TaskView {
  readonly task: Task;
  readonly progress: Progress;
  /** The agent's final message, whole; while it works, its last one. */
  readonly answer: string | null;
  /** From 1; `null` unless it is queued here. */
  readonly queuePosition: number | null;
  /** When Codex last wrote an event. */
  readonly lastEventAt: Date | null;
  readonly directory: TaskDirectory;
}

/** What became of a request to cancel. */
export type CancelAnswer = "cancelled" | "already_ended";

/** Starts, queues, follows and stops the runs of tasks. The only writer of a task's state. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: Slots;
  readonly #coldStart: ColdStart;
  readonly #bell: Bell;
  /** The tasks that this server started or was asked to wait for, until they have ended. */
  readonly #followed = new Map<string, FollowedTask>();
  /** One promise per followed task, settled when nothing is left to do for it. */
  readonly #drives = new Map<string, Promise<void>>();
  /** The tasks that this server itself queued or runs, by the run that is on its way. */
  readonly #own = new Map<string, CodexRun | null>();
  /** Ended tasks never change: each is read once. */
  readonly #finished = new Map<string, FinishedTask>();
  readonly #closing = new AbortController();
  #offlineTimer: ReturnType<typeof setInterval> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#slots = new Slots(options.maxConcurrent);
    this.#coldStart = new ColdStart(options.codexHome);
    this.#bell = new Bell(options.runner.bell);
  }

  /** Writes the task down and queues it; it is on disk when this returns. */
  async start(planned: PlannedTask): Promise<Task> {
    if (this.#closing.signal.aborted) throw new TaskError("start_failed", "Cannot start a task: the server is ending.");
    const task: Task = {
      id: this.#options.newId(),
      createdAt: this.#options.now(),
      repository: planned.repository,
      depth: planned.depth,
      spec: planned.spec,
      state: { status: "queued" },
    };
    const followed = new FollowedTask(task, this.#directory(task.id));
    await followed.directory.create(task, planned.files);
    this.#own.set(task.id, null);
    this.#follow(followed, this.#drive(followed, planned));
    return task;
  }

  /** Looks at a task of this or any other server. Throws `unknown_task`. */
  async view(id: string): Promise<TaskView> {
    const followed = this.#followed.get(id) ?? await this.#find(id);
    if (!(followed instanceof FollowedTask)) return await this.#viewFinished(followed);
    const progress = await followed.refresh();
    const { task } = followed;
    if (isFinished(task)) return await this.#viewFinished(task);
    return {
      task,
      progress,
      answer: progress.lastMessage,
      queuePosition: this.#slots.position(id),
      lastEventAt: await followed.directory.lastEventAt(),
      directory: followed.directory,
    };
  }

  /** All tasks that can be read, oldest first; those of one repository only if it is given. */
  async list(repository?: string): Promise<Task[]> {
    const tasks: Task[] = [];
    for (const id of await listTaskIds(this.#options.tasksDir)) {
      try {
        const found = this.#followed.get(id)?.task ?? this.#finished.get(id) ?? await this.#find(id);
        const task = found instanceof FollowedTask ? found.task : found;
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
    const found = this.#followed.get(id) ?? await this.#find(id);
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

  /** Stops a task and settles when it has ended. The first reason wins; one that has ended stays as it is. */
  async stop(id: string, reason: StopReason): Promise<CancelAnswer> {
    const found = this.#followed.get(id) ?? await this.#find(id);
    if (!(found instanceof FollowedTask) || isFinished(found.task)) return "already_ended";
    found.noteStop(reason);
    await this.#stopRun(found, found.stopReason ?? reason);
    if (found.task.state.status === "queued" && !this.#own.has(id)) {
      // Another server's queue: that server finds the stop file before it starts the task.
      await this.#end(found, null, this.#options.now());
    }
    const finished = await found.finished;
    return finished.state.status === "completed" || finished.state.status === "failed" ? "already_ended" : "cancelled";
  }

  /** Notes that a client has been given the task's result. */
  async markRead(id: string): Promise<void> {
    await this.#directory(id).markRead();
  }

  /** How many tasks still run, and how many ended without anybody having been given their result. */
  async countOpen(repository: string): Promise<{ readonly running: number; readonly unread: number }> {
    let running = 0;
    let unread = 0;
    for (const task of await this.list(repository)) {
      if (!isFinished(task)) running++;
      else if (!await this.#directory(task.id).isRead()) unread++;
    }
    return { running, unread };
  }

  /** The processes of all running tasks, and how deep each task stands. */
  async runningPids(): Promise<{ readonly depth: number; readonly pids: readonly number[] }[]> {
    const running = (await this.list()).filter(({ state }) => state.status === "running");
    return await Promise.all(running.map(async ({ id, depth }) => {
      const pids = await readRunPids(this.#directory(id).path);
      return { depth, pids: pids === null ? [] : [pids.shim, pids.agent] };
    }));
  }

  /** Ends the server's work: server-bound tasks are stopped, detached ones go on. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("the server is ending"));
    clearInterval(this.#offlineTimer);
    this.#bell.close();
    const bound = [...this.#own.keys()].filter((id) => this.#followed.get(id)?.task.spec.lifetime === "server-bound");
    await Promise.all(bound.map((id) =>
      this.stop(id, "server_exit").catch((error) => {
        this.#options.log.error("a task could not be stopped", { id, error });
      })
    ));
    await Promise.all([...this.#own.values()].map((run) => run?.release()));
  }

  #directory(id: string): TaskDirectory {
    return new TaskDirectory(this.#options.tasksDir, id);
  }

  #follow(followed: FollowedTask, drive: Promise<void>): void {
    const { id } = followed.task;
    this.#followed.set(id, followed);
    this.#offlineTimer ??= setInterval(() => this.#checkOffline(), OFFLINE_CHECK_MS);
    const settled = drive.catch((error) => {
      if (this.#closing.signal.aborted) return;
      this.#options.log.error("a task could not be driven to its end", { id, error });
    }).finally(() => {
      this.#drives.delete(id);
      this.#own.delete(id);
      if (isFinished(followed.task)) {
        this.#finished.set(id, followed.task);
        this.#followed.delete(id);
      }
    });
    this.#drives.set(id, settled);
  }

  /** Reads a task that this server does not follow yet; one that has not ended is followed from then on. */
  async #find(id: string): Promise<FollowedTask | FinishedTask> {
    const finished = this.#finished.get(id);
    if (finished !== undefined) return finished;
    const task = isTaskId(id) ? await this.#directory(id).read() : null;
    if (task === null) throw await this.#unknownTask(id);
    const meanwhile = this.#followed.get(id);
    if (meanwhile !== undefined) return meanwhile;
    if (isFinished(task)) {
      this.#finished.set(id, task);
      return task;
    }
    const followed = new FollowedTask(task, this.#directory(id));
    this.#follow(followed, this.#watch(followed));
    return followed;
  }

  async #unknownTask(id: string): Promise<TaskError> {
    const known = (await listTaskIds(this.#options.tasksDir)).slice(0, 20);
    const tasks = known.length === 0 ? "there are none" : `known tasks are ${known.join(", ")}`;
    return new TaskError("unknown_task", `Cannot find task "${id}": ${tasks}.`);
  }

  async #viewFinished(task: FinishedTask): Promise<TaskView> {
    const directory = this.#directory(task.id);
    return {
      task,
      progress: task.state.progress,
      answer: await directory.readAnswer(),
      queuePosition: null,
      lastEventAt: null,
      directory,
    };
  }

  /** Takes a task of this server's own from the queue to its end. */
  async #drive(followed: FollowedTask, planned: PlannedTask): Promise<void> {
    let free: (() => void) | undefined;
    try {
      free = await this.#slots.acquire(followed.task.id, followed.stopSignal);
    } catch {
      await this.#end(followed, null, this.#options.now());
      return;
    }
    try {
      await this.#run(followed, planned);
    } finally {
      free();
    }
  }

  async #run(followed: FollowedTask, planned: PlannedTask): Promise<void> {
    const { task, directory, stopSignal } = followed;
    const env = { ...this.#options.env, ...planned.files.env };
    for (let run = 1;; run++) {
      if (this.#closing.signal.aborted) return;
      const reason = asStopReason(await readStopReason(directory.path));
      if (reason !== undefined) followed.noteStop(reason);
      if (stopSignal.aborted) return await this.#end(followed, null, this.#options.now());
      using turn = await this.#coldStart.enter();
      followed.update(startRun(followed.task, { at: this.#options.now(), run }));
      await this.#save(followed);
      const codexRun = runCodex(this.#options.runner, {
        task,
        run,
        directory: directory.path,
        files: {
          ...(planned.files.outputSchema === undefined ? {} : { outputSchema: directory.outputSchemaFile }),
          ...(planned.files.baseInstructions === undefined ? {} : { baseInstructions: directory.baseInstructionsFile }),
        },
        probe: planned.probe,
        env,
        withheldEnv: planned.withheldEnv,
        disabledMcpServers: planned.disabledMcpServers,
      });
      this.#own.set(task.id, codexRun);
      if (turn.isCold) {
        const hasStarted = async (): Promise<boolean> => (await followed.refresh()).threadId !== null;
        await this.#coldStart.untilStarted(directory.path, { hasStarted, ended: codexRun.ended });
      }
      turn[Symbol.dispose]();
      // One that was stopped before its shim could read the stop file still has to hear of it.
      if (followed.stopReason !== undefined) await this.#stopRun(followed, followed.stopReason);
      await codexRun.ended;
      const exitCode = (await readExit(directory.path, run))?.exitCode ?? null;
      const progress = await followed.readToEnd();
      const pauseMs = START_RETRY_MS[run - 1];
      if (pauseMs === undefined || stopSignal.aborted) return await this.#end(followed, exitCode);
      const stderr = await directory.stderrTail();
      if (!isSharedStateFailure({ exitCode, sawEvents: progress.events > 0, stderrTail: stderr })) {
        return await this.#end(followed, exitCode);
      }
      this.#options.log.warning("Codex could not start beside others and is started again", { id: task.id, run });
      await pause(pauseMs, stopSignal);
    }
  }

  /** Follows a task that another server started, to its end. */
  async #watch(followed: FollowedTask): Promise<void> {
    const { id } = followed.task;
    for (let isLate = false;; isLate = true) {
      const rung = this.#bell.next(id, SIGHT_EVERY_MS, this.#closing.signal);
      const task = isLate ? await followed.directory.read() : followed.task;
      if (task !== null) followed.update(task);
      if (isFinished(followed.task)) return;
      if (followed.task.state.status === "running") {
        const { run, startedAt } = followed.task.state;
        const sighting = await sightRun(this.#options.runner.shimScript, {
          directory: followed.directory.path,
          run,
          env: this.#options.env,
        });
        if (sighting.state === "ended") return await this.#end(followed, sighting.exitCode);
        const age = this.#options.now().getTime() - startedAt.getTime();
        if (sighting.state === "lost" && age > YOUNG_RUN_MS) return await this.#end(followed, null);
      }
      await rung;
    }
  }

  async #stopRun(followed: FollowedTask, reason: StopReason): Promise<void> {
    if (followed.task.state.status === "queued" && this.#own.has(followed.task.id)) return;
    await stopThroughShim({
      script: this.#options.runner.shimScript,
      directory: followed.directory.path,
      reason,
      env: this.#options.env,
    });
  }

  /** Ends a task whose process is gone. What others can see afterwards is the same whichever server does it. */
  async #end(followed: FollowedTask, exitCode: number | null, at?: Date): Promise<void> {
    const { directory, task } = followed;
    const progress = await followed.readToEnd();
    const endedAt = at ?? await lastWritten(join(directory.path, "exit")) ?? await directory.lastEventAt() ??
      this.#options.now();
    const stopReason = followed.task.state.status === "queued"
      ? followed.stopReason
      : asStopReason(await readStopReason(directory.path)) ?? followed.stopReason;
    const decided: Outcome = decideOutcome({
      progress,
      exitCode,
      stderrTail: await directory.stderrTail(),
      ...(stopReason === undefined ? {} : { stopReason }),
      ...(task.spec.resumeThreadId === undefined ? {} : { resumeThreadId: task.spec.resumeThreadId }),
      now: endedAt,
    });
    const outcome = task.spec.outputSchema === undefined || decided.status !== "completed"
      ? decided
      : { ...decided, outputSchemaVerdict: await checkAnswer(progress.lastMessage, task.spec.outputSchema) };
    try {
      if (progress.lastMessage !== null) await directory.writeAnswer(progress.lastMessage);
    } catch (error) {
      this.#options.log.error("an answer could not be saved; it stays in the events", { id: task.id, error });
    }
    followed.update(finish(followed.task, { at: endedAt, outcome, progress }));
    await this.#save(followed);
    await directory.removeEnv();
    await this.#bell.ring(task.id);
  }

  /** A record that cannot be written now is no reason to stop an agent; whoever comes later can read the same from its files. */
  async #save(followed: FollowedTask): Promise<void> {
    try {
      await followed.directory.write(followed.task);
    } catch (error) {
      this.#options.log.error("a task's record could not be saved", { id: followed.task.id, error });
    }
  }

  /** Codex's own retries of a lost network never end by themselves. */
  async #checkOffline(): Promise<void> {
    for (const followed of this.#followed.values()) {
      await followed.refresh();
      const since = followed.offlineSince;
      if (since === null || isFinished(followed.task)) continue;
      if (this.#options.now().getTime() - since.getTime() < this.#options.offlineTimeoutMs) continue;
      await this.stop(followed.task.id, "offline").catch((error) => {
        this.#options.log.error("an offline task could not be stopped", { id: followed.task.id, error });
      });
    }
  }
}

function asStopReason(text: string | null): StopReason | undefined {
  return STOP_REASONS.find((reason) => reason === text);
}

/** Waits, or returns at once when the signal comes. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}
