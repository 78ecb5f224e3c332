import type { CodexRun } from "../codex/run_codex.ts";
import { isFinished } from "../task/task.ts";
import { awaitNextRun, isStopped, takeBackRun } from "./between_runs.ts";
import { concludeTask, failTask, judgeRun, lastExitCode } from "./end_task.ts";
import type { FollowedTask } from "./followed_task.ts";
import { isInputTaken, nextInput, promptsGiven } from "./next_input.ts";
import { nextStep } from "./next_step.ts";
import { keepWork } from "./keep_work.ts";
import { pause } from "../process/pause.ts";
import type { RunTaskServices } from "./services.ts";
import { type Runnable, startNextRun } from "./start_run.ts";
import { isPassing, Troubles } from "./start_trouble.ts";
import { NotForThisServer } from "./take_over.ts";
import { awaitPermit, type StartPermit } from "./start_permit.ts";
import { type Probe, UsageLimited } from "./usage_limits.ts";
import { type RunEnd, untilRunOver } from "./watch_task.ts";
import { watchProbe } from "./watch_probe.ts";

/** A task in the hands of the server that holds its lock: from wherever it stands to its end, run after run. */
export class TaskDrive {
  readonly #followed: FollowedTask;
  readonly #services: RunTaskServices;
  readonly #runnable: () => Promise<Runnable>;
  /** The run that this server has started itself and that is on its way. */
  #run: CodexRun | null = null;
  #lostStarts = 0;
  readonly #troubles = new Troubles();

  /** `runnable` is asked for when the first run of this server's is due. */
  constructor(
    followed: FollowedTask,
    { runnable, services }: { readonly runnable: () => Promise<Runnable>; readonly services: RunTaskServices },
  ) {
    this.#followed = followed;
    this.#services = services;
    this.#runnable = runnable;
  }

  /** Lets go of the lifeline of the run that is on its way. */
  async release(): Promise<void> {
    await this.#run?.release();
  }

  /**
   * Settles when the task has ended or this server does. Rejects with {@linkcode NotForThisServer} when another server may
   * have it, else only for faults of this server's own.
   */
  async toEnd(): Promise<void> {
    let isFirst = false;
    // What is bound to this server ends with it, also between two runs.
    const isBound = this.#followed.task.spec.lifetime === "server-bound";
    // What another server's agent has done so far.
    if (this.#followed.task.state.status === "running") void this.#services.worktrees.snapshot(this.#followed.task);
    while (!isFinished(this.#followed.task) && (isBound || !this.#services.closing.aborted)) {
      try {
        isFirst = await this.#goOn(isFirst);
      } catch (error) {
        if (error instanceof UsageLimited) return await failTask(this.#followed, error, this.#services);
        if (!isPassing(error)) throw error;
        const { id } = this.#followed.task;
        this.#services.log.warning("the system has no room to go on with a task; it is tried again", { id, error });
        await this.#pauseInTrouble();
      }
    }
  }

  /** Goes one step further; tells whether another run is due at once. */
  async #goOn(isFirst: boolean): Promise<boolean> {
    if (this.#followed.task.state.status !== "running") return await this.#startAndFollow(isFirst);
    const end = await untilRunOver(this.#followed, null, this.#services);
    return end !== null && await this.#decide(end, null);
  }

  /** Starts the next run and follows it to its end; tells whether another one is due at once then. */
  async #startAndFollow(isFirst: boolean): Promise<boolean> {
    using permit = await this.#enter(isFirst);
    if (permit === null) return false;
    const before = this.#followed.task;
    const run = await this.#start(permit);
    if (run === null) return false;
    if (run === "not_due") {
      permit.freeSlot();
      return await this.#decide({ kind: "over", exitCode: await lastExitCode(this.#followed) }, null);
    }
    const end = await this.#follow(run, permit);
    permit.freeSlot();
    if (end?.kind !== "slot_taken") return end !== null && await this.#decide(end, permit.probe);
    await takeBackRun(this.#followed, before, this.#services);
    return true;
  }

  /** Waits for everything that a run has to wait for; `null` when there is nothing to be started any more. */
  async #enter(isFirst: boolean): Promise<StartPermit | null> {
    using stack = new DisposableStack();
    const permit = stack.use(await awaitPermit(this.#followed, { isFirst }, this.#services));
    if (!await isStopped(this.#followed, this.#services)) {
      stack.move();
      return permit;
    }
    stack.dispose();
    await this.#endHere();
    return null;
  }

  /** `null` when nothing has been started, `not_due` when nothing is to be: what was to be told was taken back. */
  async #start(permit: StartPermit): Promise<CodexRun | "not_due" | null> {
    const followed = this.#followed;
    const before = followed.task;
    let runnable: Runnable;
    try {
      runnable = await this.#runnable();
    } catch (error) {
      // What is bound to this server can be no other one's.
      const isForOthers = error instanceof NotForThisServer && before.spec.lifetime !== "server-bound";
      if (isForOthers || isPassing(error)) throw error;
      await failTask(this.#followed, error, this.#services);
      return null;
    }
    try {
      const next = await nextInput(followed);
      if (next === null) return "not_due";
      await this.#services.worktrees.prepare(followed.task, followed.stopSignal);
      return this.#run = await startNextRun(followed, runnable, { ...next, slot: permit.slot }, this.#services);
    } catch (error) {
      await takeBackRun(followed, before, this.#services);
      const { id } = before;
      if (!isPassing(error)) {
        this.#services.log.error("a run could not be started", { id, error });
        await (await isStopped(followed, this.#services)
          ? this.#endHere()
          : failTask(this.#followed, error, this.#services));
        return null;
      }
      this.#services.log.warning("the system has no room for another run; it is tried again", { id, error });
      permit.freeSlot();
      await this.#pauseInTrouble();
      return null;
    }
  }

  async #follow(run: CodexRun, permit: StartPermit): Promise<RunEnd | null> {
    const followed = this.#followed;
    const directory = followed.directory.path;
    await permit.started({
      directory,
      hasStarted: async () => (await followed.refresh()).threadId !== null,
      ended: run.ended.then(() => undefined),
    });
    // Who stopped the task while it was still queued has told nobody but us.
    const { stopReason: reason } = followed;
    if (reason !== undefined) await followed.noteStopping(this.#services.runner.host.stop({ directory, reason }));
    const probing = permit.probe === null ? null : watchProbe(followed, { run, probe: permit.probe });
    const end = await untilRunOver(followed, run, this.#services);
    await probing;
    this.#run = null;
    if (end?.kind === "over") this.#troubles.forget();
    return end;
  }

  /** Ends the task or prepares its next run; tells whether that is due at once. */
  async #decide(end: RunEnd, probe: Probe | null): Promise<boolean> {
    const followed = this.#followed;
    const { task, directory } = followed;
    const { usageLimits, onUsageLimit, closing } = this.#services;
    if (task.state.status !== "running" && task.state.status !== "waiting") return false;
    const judged = await judgeRun(followed, end.exitCode, this.#services);
    const { outcome, stderrTail, progress: { eventsOfRun } } = judged;
    const [isToEnd, given] = await Promise.all([isStopped(followed, this.#services), promptsGiven(directory)]);
    const step = nextStep({
      runs: task.state,
      isUnstarted: end.kind === "unstarted",
      promptsGiven: given,
      isInputDue: given > task.state.prompts && !await isInputTaken(followed),
      lostStarts: this.#lostStarts,
      eventsOfRun,
      stderrTail,
      outcome,
      onUsageLimit,
    });
    // A run that the model has not answered has found out nothing.
    if (judged.progress.hasModelAnswered && outcome.failure?.class !== "usage_limit") await probe?.lift();
    if (isToEnd && step.kind !== "end") {
      // Not the run has ended the task, but whoever wants it to have no other one.
      await concludeTask(followed, await judgeRun(followed, end.exitCode, this.#services), this.#services);
      return false;
    }
    // A turn is over, though not the task.
    if (step.kind !== "end" && end.kind !== "unstarted") await keepWork(followed, this.#services);
    switch (step.kind) {
      case "end":
        await concludeTask(followed, judged, this.#services);
        return false;
      case "again": {
        this.#lostStarts += step.isLostStart ? 1 : 0;
        await awaitNextRun(followed, { until: null, isDueAgain: true }, this.#services);
        const pauseMs = step.isLostStart ? step.pauseMs : this.#troubles.nextPauseMs();
        await pause(pauseMs, AbortSignal.any([followed.stopSignal, closing]));
        return true;
      }
      case "tell":
        await awaitNextRun(followed, { until: null, isDueAgain: step.isDueAgain }, this.#services);
        return true;
      case "wait": {
        const until = await usageLimits.met(task.spec.account, step.resetsAt);
        await awaitNextRun(followed, { until, isDueAgain: false }, this.#services);
        return false;
      }
    }
  }

  /** Ends the task where it stands between two runs. */
  async #endHere(): Promise<void> {
    const judged = await judgeRun(this.#followed, await lastExitCode(this.#followed), this.#services);
    await concludeTask(this.#followed, judged, this.#services);
  }

  async #pauseInTrouble(): Promise<void> {
    await pause(this.#troubles.nextPauseMs(), AbortSignal.any([this.#followed.stopSignal, this.#services.closing]));
  }
}
