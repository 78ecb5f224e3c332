import type { CodexRun } from "../codex/run_codex.ts";
import { isFinished } from "../task/task.ts";
import { unstartRun, waitUntil } from "../task/transitions.ts";
import { concludeTask, endTask, failTask, judgeRun, lastExitCode, saveTask, stopReasonOf } from "./end_task.ts";
import type { FollowedTask } from "./followed_task.ts";
import { withLeftBehind } from "./left_behind.ts";
import { nextInput } from "./next_input.ts";
import { nextStep } from "./next_step.ts";
import { pause } from "./pause.ts";
import type { RunTaskServices } from "./services.ts";
import { type Runnable, startNextRun } from "./start_run.ts";
import { isPassing, Troubles } from "./start_trouble.ts";
import { enterTurn, type Turn } from "./turn.ts";
import type { Probe } from "./usage_limits.ts";
import { type RunEnd, untilRunOver } from "./watch_task.ts";
import { watchProbe } from "./watch_probe.ts";

/** A run that is due at once: `again` with what the last one was given, `tell` with what has come meanwhile. */
type DueRun = "again" | "tell";

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

  /** Settles when the task has ended or this server does. Rejects only for faults of this server's own. */
  async toEnd(): Promise<void> {
    let due: DueRun | null = null;
    // What is bound to this server ends with it, also between two runs.
    const isBound = this.#followed.task.spec.lifetime === "server-bound";
    while (!isFinished(this.#followed.task) && (isBound || !this.#services.closing.aborted)) {
      try {
        due = await this.#goOn(due);
      } catch (error) {
        if (!isPassing(error)) throw error;
        const { id } = this.#followed.task;
        this.#services.log.warning("the system has no room to go on with a task; it is tried again", { id, error });
        await this.#pauseInTrouble();
        // What was due is found again: the files of the last run still say how it ended.
        due = null;
      }
    }
  }

  async #goOn(due: DueRun | null): Promise<DueRun | null> {
    if (due !== null || this.#followed.task.state.status !== "running") return await this.#startAndFollow(due);
    const end = await untilRunOver(this.#followed, null, this.#services);
    return end === null ? null : await this.#decide(end, null);
  }

  /** Starts the next run and follows it to its end; gives what is due at once then. */
  async #startAndFollow(due: DueRun | null): Promise<DueRun | null> {
    using turn = await this.#enter(due);
    if (turn === null) return null;
    const run = await this.#start(turn, due);
    if (run === null) return null;
    const end = await this.#follow(run, turn);
    turn.freeSlot();
    return end === null ? null : await this.#decide(end, turn.probe);
  }

  /** Waits for everything that a run has to wait for; `null` when there is nothing to be started any more. */
  async #enter(due: DueRun | null): Promise<Turn | null> {
    const turn = await enterTurn(this.#followed, { hadTurn: due !== null }, this.#services);
    if (!await this.#isStopped()) return turn;
    turn?.[Symbol.dispose]();
    await endTask(this.#followed, await lastExitCode(this.#followed), this.#services);
    return null;
  }

  async #start(turn: Turn, due: DueRun | null): Promise<CodexRun | null> {
    const followed = this.#followed;
    let runnable: Runnable;
    try {
      runnable = await this.#runnable();
    } catch (error) {
      await failTask(followed, error, this.#services);
      return null;
    }
    try {
      const next = await nextInput(followed, { isDueAgain: due === "again" });
      return this.#run = await startNextRun(followed, runnable, { ...next, slot: turn.slot }, this.#services);
    } catch (error) {
      await this.#takeBack();
      if (!isPassing(error)) {
        this.#services.log.error("a run could not be started", { id: followed.task.id, error });
        await failTask(followed, error, this.#services);
        return null;
      }
      this.#services.log.warning("the system has no room for another run; it is tried again", {
        id: followed.task.id,
        error,
      });
      turn.freeSlot();
      await this.#pauseInTrouble();
      return null;
    }
  }

  async #follow(run: CodexRun, turn: Turn): Promise<RunEnd | null> {
    const followed = this.#followed;
    const directory = followed.directory.path;
    await turn.started({
      directory,
      hasStarted: async () => (await followed.refresh()).threadId !== null,
      ended: run.ended.then(() => undefined),
    });
    // Who stopped the task while it was still queued has told nobody but us.
    const { stopReason: reason } = followed;
    if (reason !== undefined) await this.#services.runner.host.stop({ directory, reason });
    const probing = turn.probe === null ? null : watchProbe(followed, run, turn.probe);
    const end = await untilRunOver(followed, run, this.#services);
    await probing;
    this.#run = null;
    if (end?.kind === "over") this.#troubles.forget();
    return end;
  }

  /** Ends the task or prepares its next run; gives what is due at once. */
  async #decide(end: RunEnd, probe: Probe | null): Promise<DueRun | null> {
    const followed = this.#followed;
    const { task, directory } = followed;
    const { log, bell, usageLimits, onUsageLimit, closing, runner: { host } } = this.#services;
    if (task.state.status !== "running") return null;
    if (end.kind === "slot_taken") {
      await this.#takeBack();
      return "again";
    }
    const judged = await judgeRun(followed, end.exitCode, this.#services);
    const { outcome, stderrTail, progress: { eventsOfRun } } = judged;
    const [isStopped, promptsGiven] = await Promise.all([this.#isStopped(), directory.countPrompts()]);
    const step = nextStep({
      runs: task.state,
      isUnstarted: end.kind === "unstarted",
      promptsGiven,
      lostStarts: this.#lostStarts,
      eventsOfRun,
      stderrTail,
      outcome,
      onUsageLimit,
    });
    if (outcome.failure?.class !== "usage_limit") await probe?.lift();
    if (isStopped && step.kind !== "end") {
      // Not the run has ended the task, but whoever wants it to have no other one.
      await endTask(followed, end.exitCode, this.#services);
      return null;
    }
    switch (step.kind) {
      case "end":
        await concludeTask(
          followed,
          { ...judged, outcome: await withLeftBehind(followed, outcome, host) },
          this.#services,
        );
        return null;
      case "again": {
        this.#lostStarts += step.isLostStart ? 1 : 0;
        const pauseMs = step.isLostStart ? step.pauseMs : this.#troubles.nextPauseMs();
        await pause(pauseMs, AbortSignal.any([followed.stopSignal, closing]));
        return "again";
      }
      case "tell":
        return "tell";
      case "wait":
        followed.update(waitUntil(followed.task, await usageLimits.met(task.spec.account, step.resetsAt)));
        await saveTask(followed, log);
        await bell.ring(task.id);
        return null;
    }
  }

  async #pauseInTrouble(): Promise<void> {
    await pause(this.#troubles.nextPauseMs(), AbortSignal.any([this.#followed.stopSignal, this.#services.closing]));
  }

  /** Nothing has been started: the task is in the queue as it was before. */
  async #takeBack(): Promise<void> {
    const { task } = this.#followed;
    if (isFinished(task)) return;
    this.#followed.update(unstartRun(task));
    await saveTask(this.#followed, this.#services.log);
  }

  async #isStopped(): Promise<boolean> {
    const reason = await stopReasonOf(this.#followed);
    if (reason !== undefined) this.#followed.noteStop(reason);
    else if (this.#services.closing.aborted && this.#followed.task.spec.lifetime === "server-bound") {
      this.#followed.noteStop("server_exit");
    }
    return this.#followed.stopReason !== undefined;
  }
}
