/** A task of this server's own, from its slot to its end. */
import { isSharedStateFailure } from "../codex/outcome.ts";
import type { CodexProbe } from "../codex/probe.ts";
import { type CodexRun, type CodexRunner, runCodex } from "../codex/run_codex.ts";
import { readExit } from "../process/run_files.ts";
import type { TaskFiles } from "../storage/task_directory.ts";
import type { TaskSpec } from "../task/task.ts";
import { startRun } from "../task/transitions.ts";
import type { ColdStart } from "./cold_start.ts";
import { endTask, type EndTaskServices, failTask, saveTask, stopReasonOf } from "./end_task.ts";
import type { FollowedTask } from "./followed_task.ts";
import { pause } from "./pause.ts";

/** A start that dies of shared state is tried again after these pauses. */
const START_RETRY_MS = [200, 800, 3_200];

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

/** What running tasks needs. */
export interface RunTaskServices extends EndTaskServices {
  readonly runner: CodexRunner;
  /** The environment of every agent, the call's own variables aside. */
  readonly env: Readonly<Record<string, string>>;
  readonly coldStart: ColdStart;
  /** Aborted when the server ends: nothing is started from then on. */
  readonly closing: AbortSignal;
}

/** Runs the task to its end; `started` is called with each run of it. */
export async function runTask(
  followed: FollowedTask,
  planned: PlannedTask,
  services: RunTaskServices & { readonly started: (run: CodexRun) => void },
): Promise<void> {
  const { directory, stopSignal } = followed;
  for (let run = 1; !services.closing.aborted; run++) {
    const reason = await stopReasonOf(followed);
    if (reason !== undefined) followed.noteStop(reason);
    if (stopSignal.aborted) return await endTask(followed, null, services);
    try {
      await startAndWait(followed, { planned, run }, services);
    } catch (error) {
      services.log.error("a run could not be started", { id: followed.task.id, error });
      return await failTask(followed, error, services);
    }
    const exitCode = (await readExit(directory.path, run))?.exitCode ?? null;
    const progress = await followed.readToEnd();
    const pauseMs = START_RETRY_MS[run - 1];
    const stderrTail = await directory.stderrTail();
    const isStartLost = isSharedStateFailure({ exitCode, sawEvents: progress.events > 0, stderrTail });
    if (!isStartLost || pauseMs === undefined) return await endTask(followed, exitCode, services);
    services.log.warning("Codex could not start beside others and is started again", { id: followed.task.id, run });
    await pause(pauseMs, stopSignal);
  }
}

async function startAndWait(
  followed: FollowedTask,
  { planned, run }: { readonly planned: PlannedTask; readonly run: number },
  services: Parameters<typeof runTask>[2],
): Promise<void> {
  const { directory } = followed;
  const { files } = planned;
  using turn = await services.coldStart.enter();
  followed.update(startRun(followed.task, { at: services.now(), run }));
  await saveTask(followed, services.log);
  const codexRun = await runCodex(services.runner, {
    task: followed.task,
    run,
    directory: directory.path,
    files: {
      ...(files.outputSchema === undefined ? {} : { outputSchema: directory.outputSchemaFile }),
      ...(files.baseInstructions === undefined ? {} : { baseInstructions: directory.baseInstructionsFile }),
    },
    probe: planned.probe,
    env: { ...services.env, ...files.env },
    withheldEnv: planned.withheldEnv,
    disabledMcpServers: planned.disabledMcpServers,
  });
  services.started(codexRun);
  if (turn.isCold) {
    const hasStarted = async (): Promise<boolean> => (await followed.refresh()).threadId !== null;
    await services.coldStart.untilStarted(directory.path, { hasStarted, ended: codexRun.ended });
  }
  turn[Symbol.dispose]();
  // Who stopped the task while it was still queued has told nobody but us.
  if (followed.stopReason !== undefined) await stopRun(followed, services);
  await codexRun.ended;
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
