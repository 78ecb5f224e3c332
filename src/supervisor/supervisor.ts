import type { CodexProbe } from "../codex/probe.ts";
import type { CodexRunner } from "../codex/run_codex.ts";
import type { Log } from "../log.ts";
import type { Ladder } from "../process/run_host.ts";
import { Bell } from "../storage/bell.ts";
import { OpenTasks } from "../storage/open_tasks.ts";
import { SlotFiles } from "../storage/slot_files.ts";
import { isNewerState, refuseNewerState } from "../storage/state_directory.ts";
import type { TaskDirectory } from "../storage/task_directory.ts";
import { TaskIndex } from "../storage/task_index.ts";
import { UsageLimitFiles } from "../storage/usage_limit_file.ts";
import { TaskError } from "../task/errors.ts";
import { isFinished, type StopReason, type Task } from "../task/task.ts";
import { AgentLogs } from "./agent_logs.ts";
import { ColdStart } from "./cold_start.ts";
import { findByThread } from "./find_by_thread.ts";
import { FollowedTask } from "./followed_task.ts";
import { Housekeeping } from "./housekeeping.ts";
import { listTasks } from "./list_tasks.ts";
import type { PlannedTask } from "./planned_task.ts";
import { Registry } from "./registry.ts";
import { Rounds } from "./rounds.ts";
import type { RunTaskServices } from "./services.ts";
import { Slots } from "./slots.ts";
import { SnapshotRounds } from "./snapshot_rounds.ts";
import { type StartAllOptions, Starts } from "./starts.ts";
import { type StopAnswer, stopTask } from "./stop_task.ts";
import { patiently } from "./start_trouble.ts";
import { takeOverAll } from "./take_over_all.ts";
import { TaskTable } from "./task_table.ts";
import { type TaskView, viewFinished, viewFollowed } from "./task_view.ts";
import type { Worktrees } from "../work/worktrees.ts";
import {
  addPrompt,
  endedTelling,
  findPrompt,
  type NotTold,
  notTold,
  type TellAnswer,
  type Telling,
  untilTold,
} from "./tell_agent.ts";
import { UsageLimits } from "./usage_limits.ts";
import { whoWorksIn } from "./who_works_in.ts";
import type { Work } from "../work/work.ts";

/** How often this server looks for tasks that have lost theirs. */
const TAKE_OVER_EVERY_MS = 15_000;

/** What the supervisor is given; `src/program/` gives the real ones. */
export interface SupervisorOptions {
  readonly stateDir: string;
  /** The state directory is a newer program's: tasks can be looked at, and nothing is changed. */
  readonly isReadOnly: boolean;
  readonly tasksDir: string;
  /** Where tasks are noted of which nobody has been given the result. */
  readonly openTasksDir: string;
  readonly slotsDir: string;
  readonly usageLimitsDir: string;
  readonly codexHome: string;
  /** Working directory of this server: those bound to an earlier one that was started here are its own. */
  readonly cwd: string;
  readonly runner: CodexRunner;
  readonly worktrees: Worktrees;
  readonly worktreesDir: string;
  readonly work: Pick<Work, "age">;
  /** The environment of every agent, the call's own variables aside, and which of its names were given with `--env`. */
  readonly env: Readonly<Record<string, string>>;
  readonly givenEnvNames: ReadonlySet<string>;
  readonly maxConcurrent: number;
  readonly offlineTimeoutMs: number;
  readonly stallAfterMs: number;
  readonly stallAction: "report" | "stop";
  readonly onUsageLimit: "wait" | "fail";
  /** Age at which a task that has ended is removed. */
  readonly taskMaxAgeMs: number;
  /** Finds the installed Codex, for tasks that other servers have planned. */
  readonly probe: () => Promise<CodexProbe>;
  readonly log: Log;
  readonly now: () => Date;
  readonly newId: () => string;
}

/** Starts, queues, follows and stops the runs of tasks. The only writer of a task's state. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #registry: Registry;
  readonly #services: RunTaskServices;
  readonly #logs: AgentLogs;
  readonly #table: TaskTable;
  readonly #rounds: Rounds;
  readonly #housekeeping: Housekeeping;
  readonly #snapshots: SnapshotRounds;
  readonly #closing = new AbortController();
  readonly #open: OpenTasks;
  readonly #starts: Starts;
  #takingOver: Promise<void> = Promise.resolve();
  #takeOverTimer: ReturnType<typeof setInterval> | undefined;

  constructor(options: SupervisorOptions) {
    const { runner, log, now } = options;
    const closing = this.#closing.signal;
    const bell = new Bell(runner.bell);
    const index = new TaskIndex(options.tasksDir, options);
    const files = new SlotFiles({
      directory: options.slotsDir,
      limit: options.maxConcurrent,
      isHandedOver: async () => await runner.host.locks() === "flock",
      isGone: async ({ id, run }) => {
        const directory = this.#registry.directory(id);
        // Without its files nobody can tell; they may be where another server keeps its tasks.
        if (!directory.isThere()) return false;
        return (await runner.host.sight({ directory: directory.path, run })).state !== "running";
      },
    });
    this.#options = options;
    this.#registry = new Registry(options.tasksDir);
    this.#open = new OpenTasks(options.openTasksDir);
    this.#services = {
      runner,
      env: options.env,
      givenEnvNames: options.givenEnvNames,
      codexHome: options.codexHome,
      coldStart: new ColdStart(options.codexHome),
      slots: new Slots({ files, bell, closing }),
      worktrees: options.worktrees,
      usageLimits: new UsageLimits({ files: new UsageLimitFiles(options.usageLimitsDir), now, log }),
      onUsageLimit: options.onUsageLimit,
      probe: options.probe,
      ended: async (id, signal) => await this.#ended(id, signal).catch(ignoreUnknown),
      bell,
      index,
      closing,
      log,
      now,
    };
    this.#logs = new AgentLogs(this.#services);
    this.#table = new TaskTable({
      isReadOnly: options.isReadOnly,
      registry: this.#registry,
      services: this.#services,
      logs: this.#logs,
    });
    this.#starts = new Starts({
      ...options,
      table: this.#table,
      registry: this.#registry,
      services: this.#services,
      open: this.#open,
      prepare: () => runner.host.prepare(),
      findByThread: (threadId) => this.findByThread(threadId),
    });
    this.#rounds = new Rounds({
      ...options,
      own: () => this.#table.own(),
      stop: (id, reason) => this.stop(id, reason),
      services: this.#services,
    });
    this.#snapshots = new SnapshotRounds({ own: () => this.#table.own(), worktrees: options.worktrees });
    this.#housekeeping = new Housekeeping({ ...options, index, open: this.#open, bell });
  }

  /** Takes over what other servers have left, now and from then on. */
  open(): void {
    if (this.#options.isReadOnly) return;
    this.#takingOver = this.#takeOver((task) => task.spec.server.cwd === this.#options.cwd);
    this.#takeOverTimer = setInterval(() => {
      this.#takingOver = this.#takingOver.then(() => this.#takeOver(() => false));
    }, TAKE_OVER_EVERY_MS);
    this.#rounds.start();
    this.#snapshots.start();
    this.#housekeeping.start();
  }

  /** Writes the task down and queues it, under an id of {@linkcode newId}; it is on disk when this returns. */
  async start(planned: PlannedTask, options?: { readonly id?: string }): Promise<Task> {
    return await this.#starts.one(planned, options);
  }

  /**
   * The same for several, of which at most so many run at once, those of `earlier` too; they have their turns in this
   * order. Rejects when none can be.
   */
  async startAll(planned: readonly PlannedTask[], options: StartAllOptions): Promise<PromiseSettledResult<Task>[]> {
    return await this.#starts.all(planned, options);
  }

  /** An id that no task has. */
  newId(): string {
    return this.#starts.newId();
  }

  /** Looks at a task of this or any other server. Throws `unknown_task`. */
  async view(id: string): Promise<TaskView> {
    return await patiently(() => this.#view(id));
  }

  async #view(id: string): Promise<TaskView> {
    const followed = await this.#table.find(id);
    if (!(followed instanceof FollowedTask)) return await viewFinished(followed, this.#registry.directory(id));
    // Of another server's doings only the record tells.
    await this.#table.refresh(followed);
    const { slots, usageLimits } = this.#services;
    return await viewFollowed(followed, {
      queuePosition: slots.position(id),
      limitedUntil: await usageLimits.until(followed.task.spec.account),
      silence: await this.#rounds.silenceOf(followed),
      now: this.#options.now(),
    });
  }

  /** A task as it stands, taken over if its server is gone; `null` when there is none, or only the beginning of one. */
  async find(id: string): Promise<Task | null> {
    try {
      const found = await this.#table.find(id, { isHeir: true });
      return found instanceof FollowedTask ? found.task : found;
    } catch (error) {
      if (error instanceof TaskError && error.code === "unknown_task") return null;
      throw error;
    }
  }

  /** Number of the last prompt that a task was given beside its first one. */
  async countPrompts(id: string): Promise<number> {
    return await this.#registry.directory(id).countPrompts();
  }

  /** The number of this prompt if a task was given it after the one of that number; `null` when not. */
  async findPrompt(id: string, sought: { readonly prompt: string; readonly after: number }): Promise<number | null> {
    return await findPrompt(this.#registry.directory(id), sought);
  }

  /** Tasks that have not ended, and the newest of those that have, at most `limit` of these; oldest first. */
  async list(options: { readonly repository?: string; readonly limit: number }): Promise<Task[]> {
    return await listTasks(options, this.#parts());
  }

  /** A task as it was last written down, and where; costs no look at what it does. Throws `unknown_task`. */
  async record(id: string): Promise<{ readonly task: Task; readonly directory: TaskDirectory }> {
    const task = this.#table.isOwn(id) ? this.#table.get(id)?.task : undefined;
    return { task: task ?? await this.#registry.read(id), directory: this.#registry.directory(id) };
  }

  /** The ids of the newest tasks that begin so, ended or not, newest first. */
  async newestIds(options: { readonly prefix: string; readonly limit: number }): Promise<string[]> {
    return await this.#services.index.newestIds(options);
  }

  /** Tells in words which task has not ended that works in a worktree; `null` when none does. */
  async whoWorksIn(worktreeId: string, directory?: string): Promise<string | null> {
    return await whoWorksIn({ worktreeId, directory }, this.#parts());
  }

  /** The task that last worked on the thread, or `null`. */
  async findByThread(threadId: string): Promise<Task | null> {
    return await findByThread(threadId, this.#parts());
  }

  /** Settles when the task has ended, or rejects with the signal's reason. Throws `unknown_task`. */
  async ended(id: string, signal: AbortSignal): Promise<void> {
    await this.#ended(id, signal);
  }

  /**
   * Writes down another prompt for a running agent, on disk when this returns, and gives its number; or why nobody can
   * be told. Throws `unknown_task`.
   */
  async addPrompt(id: string, prompt: string): Promise<number | NotTold> {
    await refuseNewerState(this.#options.stateDir);
    const found = await this.#table.find(id, { isHeir: true });
    return found instanceof FollowedTask ? await addPrompt(found, prompt) : notTold(found);
  }

  /**
   * Breaks the agent's turn off, whose thread goes on with that prompt then, and settles when the agent was told or cannot
   * be any more. Takes the prompt back when the signal comes before and it is withdrawn. Throws `unknown_task`.
   */
  async untilTold(id: string, telling: Telling): Promise<TellAnswer> {
    const found = await this.#table.find(id, { isHeir: true });
    if (!(found instanceof FollowedTask)) return endedTelling(found, telling.number);
    return await untilTold(found, telling, this.#services);
  }

  /** Takes a prompt back that nobody was told; does nothing where it is gone. */
  async removePrompt(id: string, number: number): Promise<void> {
    await this.#registry.directory(id).removePrompt(number);
  }

  /** Stops a task and settles when it has ended, or cannot be ended. The first reason wins; an ended one stays as it is. */
  async stop(id: string, reason: StopReason, options: { readonly ladder?: Ladder } = {}): Promise<StopAnswer> {
    // A newer program may have come since this server began; what it drives itself it goes on to look after.
    if (!this.#table.isOwn(id)) await refuseNewerState(this.#options.stateDir);
    return await stopTask(id, { reason, ...options }, this.#parts());
  }

  /** Notes that a client has been given the task's result. */
  async markRead(id: string): Promise<void> {
    if (this.#options.isReadOnly) return;
    try {
      const { repository } = this.#table.get(id)?.task ?? await this.#registry.read(id);
      await this.#open.remove(repository, id);
    } catch (error) {
      // The result has been given; that it counts as unread is the lesser evil.
      this.#options.log.warning("a task could not be marked as read", { id, error });
    }
  }

  /**
   * How many tasks of a repository, or with `null` of all, still run or are queued, and how many ended without anybody
   * having been given their result.
   */
  async countOpen(repository: string | null): Promise<{ readonly running: number; readonly unread: number }> {
    const live = new Set(await this.#services.index.liveIds());
    const noted = (await this.#open.ids(repository)).filter((id) => this.#registry.directory(id).isThere());
    // There may be very many that have ended; of those that are taken for live, a crash may have left some that have.
    const tasks = await Promise.all(
      noted.filter((id) => live.has(id)).map((id) => this.#registry.read(id).catch(() => null)),
    );
    const running = tasks.filter((task) => task === null || !isFinished(task)).length;
    return { running, unread: noted.length - running };
  }

  /** How many agents this server drives that run. */
  countRunning(): number {
    return this.#table.own().filter(({ task }) => task.state.status === "running").length;
  }

  /** Ends the server's work: server-bound tasks are stopped, detached ones go on or stay queued. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("the server is ending"));
    clearInterval(this.#takeOverTimer);
    this.#rounds.stop();
    this.#snapshots.stop();
    this.#housekeeping.stop();
    const own = this.#table.own().map(({ task }) => task);
    const bound = own.filter(({ spec }) => spec.lifetime === "server-bound");
    this.#options.log.info("agents at the end of the server", {
      stopped: bound.length,
      left: own.length - bound.length,
    });
    await Promise.all(bound.map(({ id }) =>
      this.stop(id, "server_exit").catch((error) => {
        this.#options.log.error("a task could not be stopped", { id, error });
      })
    ));
    await this.#table.release();
    await this.#logs.allWhole();
    await this.#services.slots.settled();
    this.#services.bell.close();
    this.#services.usageLimits.close();
  }

  #parts(): Parts {
    const { index, log } = this.#services;
    return { table: this.#table, registry: this.#registry, services: this.#services, index, log };
  }

  async #ended(id: string, signal: AbortSignal): Promise<Task> {
    signal.throwIfAborted();
    const found = await patiently(() => this.#table.find(id, { isHeir: true }), signal);
    // It may have come meanwhile: a listener would hear of it no more.
    signal.throwIfAborted();
    const finished = found instanceof FollowedTask ? found.finished : null;
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await Promise.race([finished, aborted.promise]);
      await Promise.race([this.#logs.whole(id), aborted.promise]);
      return found instanceof FollowedTask ? found.task : found;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async #takeOver(isHeir: (task: Task) => boolean): Promise<void> {
    if (this.#closing.signal.aborted) return;
    try {
      // A newer program may have come since this server began.
      if (await isNewerState(this.#options.stateDir)) return;
      await this.#services.index.open();
      await takeOverAll(isHeir, this.#parts());
    } catch (error) {
      this.#options.log.error("tasks of other servers could not be looked for", { error });
    }
  }
}

/** What the doings of a supervisor that stand in files of their own work with. */
interface Parts {
  readonly table: TaskTable;
  readonly registry: Registry;
  readonly services: RunTaskServices;
  readonly index: TaskIndex;
  readonly log: Log;
}

function ignoreUnknown(error: unknown): null {
  if (!(error instanceof TaskError)) throw error;
  return null;
}
