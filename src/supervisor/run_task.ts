/** A task of this server's own, from its slot to its end. */
import { isSharedStateFailure } from "../codex/outcome.ts";
import type { CodexProbe } from "../codex/probe.ts";
import { type CodexRun, runCodex } from "../codex/run_codex.ts";
import { readExit } from "../process/run_files.ts";
import type { TaskFiles } from "../storage/task_directory.ts";
import type { TaskSpec } from "../task/task.ts";
import { startRun } from "../task/transitions.ts";
import type { StartTurn } from "./cold_start.ts";
import { endTask, failTask, saveTask, stopReasonOf } from "./end_task.ts";
import type { FollowedTask } from "./followed_task.ts";
import { pause } from "./pause.ts";
import type { RunTaskServices } from "./services.ts";
import { watchTask } from "./watch_task.ts";

/** A start that dies of shared state is tried again after these pauses. */
const START_RETRY_MS = [200, 800, 3_200];

/** A task that is ready to be written down and queued. */
export interface PlannedTask extends Runnable {
  readonly spec: TaskSpec;
  readonly files: TaskFiles;
  readonly repository: string;
  readonly depth: number;
}

/** What a run needs that does not stand in its task's directory. */
export interface Runnable {
  /** The variables the call gave. They are only here: on disk they would be secrets that lie about. */
  readonly env: Readonly<Record<string, string>>;
  readonly probe: CodexProbe;
}

/** Runs the task to its end; `started` is called with each run of it. Rejects only for faults of this server's own. */
export async function runTask(
  followed: FollowedTask,
  runnable: Runnable,
  services: RunTaskServices & { readonly started: (run: CodexRun) => void },
): Promise<void> {
  const { directory } = followed;
  for (let run = 1;; run++) {
    using turn = await enterStart(followed, services);
    if (await isStopped(followed, services)) return await endTask(followed, null, services);
    // A detached task stays as it is for another server.
    if (turn === null) return;
    let codexRun: CodexRun;
    try {
      codexRun = await start(followed, { ...runnable, run }, services);
    } catch (error) {
      services.log.error("a run could not be started", { id: followed.task.id, error });
      return await failTask(followed, error, services);
    }
    services.started(codexRun);
    if (turn.isCold) {
      const hasStarted = async (): Promise<boolean> => (await followed.refresh()).threadId !== null;
      await services.coldStart.untilStarted(directory.path, { hasStarted, ended: codexRun.ended });
    }
    turn[Symbol.dispose]();
    // Who stopped the task while it was still queued has told nobody but us.
    if (followed.stopReason !== undefined) await stopRun(followed, services);
    await codexRun.ended;
    const ended = await readExit(directory.path, run);
    // The shim was killed, and perhaps it alone.
    if (ended === null) return await watchTask(followed, services, { isOwner: true });
    const { exitCode } = ended;
    const progress = await followed.readToEnd();
    const pauseMs = START_RETRY_MS[run - 1];
    const stderrTail = await directory.stderrTail();
    const isStartLost = isSharedStateFailure({ exitCode, sawEvents: progress.events > 0, stderrTail });
    if (!isStartLost || pauseMs === undefined) return await endTask(followed, exitCode, services);
    services.log.warning("Codex could not start beside others and is started again", { id: followed.task.id, run });
    await pause(pauseMs, AbortSignal.any([followed.stopSignal, services.closing]));
  }
}

/** Waits for the turn to start; `null` when nothing may be started any more. */
async function enterStart(
  followed: FollowedTask,
  { closing, coldStart }: RunTaskServices,
): Promise<StartTurn | null> {
  const signal = AbortSignal.any([followed.stopSignal, closing]);
  try {
    signal.throwIfAborted();
    return await coldStart.enter(signal);
  } catch {
    return null;
  }
}

/** Tells whether anybody has stopped the task before it ran, and notes why. */
async function isStopped(followed: FollowedTask, { closing }: RunTaskServices): Promise<boolean> {
  const reason = await stopReasonOf(followed);
  if (reason !== undefined) followed.noteStop(reason);
  else if (closing.aborted && followed.task.spec.lifetime === "server-bound") followed.noteStop("server_exit");
  return followed.stopReason !== undefined;
}

async function start(
  followed: FollowedTask,
  { env, probe, run }: Runnable & { readonly run: number },
  services: RunTaskServices,
): Promise<CodexRun> {
  const { directory } = followed;
  const { spec } = followed.task;
  followed.update(startRun(followed.task, { at: services.now(), run }));
  await saveTask(followed, services.log);
  return await runCodex(services.runner, {
    task: followed.task,
    run,
    directory: directory.path,
    files: {
      ...(spec.outputSchema === undefined ? {} : { outputSchema: directory.outputSchemaFile }),
      ...(spec.baseInstructions === undefined ? {} : { baseInstructions: directory.baseInstructionsFile }),
    },
    probe,
    env: { ...services.env, ...env },
  });
}

/** Ends the run of a task of this or any other server, for the first reason that was given. */
export async function stopRun(
  followed: FollowedTask,
  { runner }: Pick<RunTaskServices, "runner">,
): Promise<void> {
  const reason = await stopReasonOf(followed);
  if (reason === undefined) return;
  await runner.host.stop({ directory: followed.directory.path, reason });
}
