/** The end of a task, whichever server sees it: the same files give the same outcome. */
import { join } from "node:path";
import { failureOf } from "../codex/failure.ts";
import { decideOutcome } from "../codex/outcome.ts";
import type { Log } from "../log.ts";
import { readExit, readStopReason } from "../process/run_files.ts";
import { lastWritten } from "../storage/agent_log.ts";
import type { TaskDirectory } from "../storage/task_directory.ts";
import { type Outcome, type Progress, STOP_REASONS, type StopReason, type Task } from "../task/task.ts";
import { finish } from "../task/transitions.ts";
import { checkAnswer } from "./check_answer.ts";
import type { FollowedTask } from "./followed_task.ts";
import { pause } from "./pause.ts";
import type { EndTaskServices } from "./services.ts";

/** How often a record is tried again that could not be written. */
const SAVE_EVERY_MS = 5_000;

/** Ends a task whose process is gone, or that never had one; `exitCode` is `null` where nobody can know it. */
export async function endTask(
  followed: FollowedTask,
  exitCode: number | null,
  services: EndTaskServices,
): Promise<void> {
  const { directory, task } = followed;
  const progress = await followed.readToEnd();
  const endedAt = await lastSignOf(followed) ?? services.now();
  const stopReason = await stopReasonOf(followed);
  const decided = decideOutcome({
    progress,
    exitCode,
    stderrTail: await directory.stderrTail(),
    ...(stopReason === undefined ? {} : { stopReason }),
    ...(task.spec.resumeThreadId === undefined ? {} : { resumeThreadId: task.spec.resumeThreadId }),
    now: endedAt,
  });
  const { outputSchema } = task.spec;
  const outcome = outputSchema === undefined || decided.status !== "completed"
    ? decided
    : { ...decided, outputSchemaVerdict: checkAnswer(progress.lastMessage, outputSchema) };
  await conclude(followed, { at: endedAt, outcome, progress }, services);
}

/** When the run ended, or at least was last heard of; `null` for one of which there is no sign. */
async function lastSignOf({ task, directory }: FollowedTask): Promise<Date | null> {
  if (task.state.status !== "running") return null;
  const hasExit = await readExit(directory.path, task.state.run) !== null;
  return hasExit ? await lastWritten(join(directory.path, "exit")) : await directory.lastEventAt();
}

/** Ends a task whose run could not even be started. */
export async function failTask(followed: FollowedTask, error: unknown, services: EndTaskServices): Promise<void> {
  const reason = error instanceof Error ? error.message : String(error);
  const outcome: Outcome = {
    status: "failed",
    exitCode: null,
    statusInferred: false,
    failure: { ...failureOf("unknown", `Codex could not be started: ${reason}`), retryable: true },
  };
  await conclude(followed, { at: services.now(), outcome, progress: followed.progress }, services);
}

/** The first reason to stop: what stands in the task's directory, whoever wrote it, before what this server was told. */
export async function stopReasonOf(followed: FollowedTask): Promise<StopReason | undefined> {
  const written = await readStopReason(followed.directory.path);
  return STOP_REASONS.find((reason) => reason === written) ?? followed.stopReason;
}

/** A record that cannot be written now is no reason to lose an agent: what it is made from stays, and is read again. */
export async function saveTask(followed: FollowedTask, log: Log): Promise<void> {
  try {
    await followed.directory.write(followed.task);
  } catch (error) {
    log.error("a task's record could not be saved", { id: followed.task.id, error });
  }
}

async function conclude(
  followed: FollowedTask,
  ending: { readonly at: Date; readonly outcome: Outcome; readonly progress: Progress },
  { bell, log, closing }: EndTaskServices,
): Promise<void> {
  const { directory, task } = followed;
  try {
    if (ending.progress.lastMessage !== null) await directory.writeAnswer(ending.progress.lastMessage);
  } catch (error) {
    log.error("an answer could not be saved; it stays in the events", { id: task.id, error });
  }
  const finished = finish(task, ending);
  try {
    await directory.write(finished);
    followed.update(finished);
  } catch (error) {
    log.error("a task's record could not be saved yet", { id: task.id, error });
    // Whoever waits here is told; other servers are when there is room again.
    followed.update(finished);
    await saveLater(finished, directory, closing);
  }
  await bell.ring(task.id);
}

/** Writes the record as soon as that is possible. Should this server end before, the files tell the next one the same. */
async function saveLater(task: Task, directory: TaskDirectory, closing: AbortSignal): Promise<void> {
  while (!closing.aborted) {
    await pause(SAVE_EVERY_MS, closing);
    try {
      return await directory.write(task);
    } catch {
      // said once
    }
  }
}
