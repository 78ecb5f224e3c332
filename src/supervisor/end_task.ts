/** The end of a task, whichever server sees it: the same files give the same outcome. */
import { join } from "node:path";
import { failureOf } from "../codex/failure.ts";
import { decideOutcome } from "../codex/outcome.ts";
import { readThread } from "../codex/thread_file.ts";
import type { Log } from "../log.ts";
import { readExit, readStopReason } from "../process/run_files.ts";
import type { EndedRun } from "../process/run_host.ts";
import { lastWritten } from "../storage/tailed_file.ts";
import { defined } from "../task/defined.ts";
import { type Outcome, type Progress, STOP_REASONS, type StopReason } from "../task/task.ts";
import { finish } from "../task/transitions.ts";
import { reasonOf } from "../task/errors.ts";
import { checkAnswer } from "./check_answer.ts";
import type { FollowedTask } from "./followed_task.ts";
import { keepWork } from "./keep_work.ts";
import { withLeftBehind } from "./left_behind.ts";
import { pause } from "../process/pause.ts";
import { SetupFailed } from "../work/run_setup.ts";
import { UsageLimited } from "./usage_limits.ts";
import type { EndTaskServices, RunTaskServices } from "./services.ts";
import { isPassing } from "./start_trouble.ts";

/** How often it is tried again to save what could not be saved. */
const SAVE_EVERY_MS = 5_000;

/** What is known of a run that is over. */
export interface JudgedRun {
  readonly progress: Progress;
  readonly endedAt: Date;
  readonly stderrTail: string;
  readonly outcome: Outcome;
}

/**
 * Judges a task whose run is over, or that never had one; the same files give the same verdict, whoever reads them.
 * `exitCode` is `null` where nobody can know it.
 */
export async function judgeRun(
  followed: FollowedTask,
  exitCode: number | null,
  { now, log }: Pick<EndTaskServices, "now" | "log">,
): Promise<JudgedRun> {
  const { directory, task } = followed;
  const unlessBroken = async <T>(look: Promise<T>, instead: () => T): Promise<T> => {
    try {
      return await look;
    } catch (error) {
      // What passes is tried again with all the rest; anything else must not keep the task from ending.
      if (isPassing(error)) throw error;
      log.error("a part of a task's end cannot be told", { id: task.id, error });
      return instead();
    }
  };
  // All at once: who waits for the task waits for this.
  const [progress, lastSign, stopReason, stderrTail, oom] = await Promise.all([
    unlessBroken(followed.readToEnd(), () => followed.progress),
    unlessBroken(lastSignOf(followed), () => null),
    unlessBroken(stopReasonOf(followed), () => followed.stopReason),
    unlessBroken(directory.stderrTail(), () => ""),
    unlessBroken(wasShortOfMemory(followed), () => undefined),
  ]);
  const endedAt = possibleEnd(lastSign, { state: task.state, now: now() });
  const outcome = decideOutcome({
    isUnbegun: task.state.status === "queued",
    progress,
    exitCode,
    stderrTail,
    ...defined({ stopReason, resumeThreadId: task.spec.resumeThreadId, oom }),
    now: endedAt,
  });
  return { progress, endedAt, stderrTail, outcome: await withExactReset(outcome, followed) };
}

/** Ends the task as its last run was judged, when all of it is gone and what it has made is kept. */
export async function concludeTask(
  followed: FollowedTask,
  { outcome: decided, endedAt, progress }: JudgedRun,
  services: RunTaskServices,
): Promise<void> {
  const { outputSchema } = followed.task.spec;
  const outputSchemaVerdict = outputSchema === undefined || decided.status !== "completed"
    ? undefined
    : checkAnswer(progress.lastMessage, outputSchema);
  const { runner: { host }, log } = services;
  const seen = await withLeftBehind(followed, decided, { host, log });
  const work = await keepWork(followed, services);
  const outcome = { ...seen, ...defined({ outputSchemaVerdict, work }) };
  await conclude(followed, { at: endedAt, outcome, progress }, services);
}

/** The exit code of the last run of a task that is to have no other one; `null` for one that has not run. */
export async function lastExitCode({ task: { state }, directory }: FollowedTask): Promise<number | null> {
  if (state.status !== "waiting" && state.status !== "running") return null;
  return (await readExit(directory.path, state.run))?.exitCode ?? null;
}

/** Codex's sentence gives minutes; its record of the thread may hold the very second. */
async function withExactReset(outcome: Outcome, { task: { spec }, progress }: FollowedTask): Promise<Outcome> {
  const { failure } = outcome;
  const threadId = progress.threadId;
  if (failure?.class !== "usage_limit" || threadId === null) return outcome;
  const facts = await readThread({ codexHome: spec.codexHome, threadId }).catch(() => null);
  const resetsAt = facts?.limitResetsAt ?? null;
  return resetsAt === null ? outcome : { ...outcome, failure: { ...failure, resetsAt } };
}

/** Whether the system ended the run for want of memory. */
async function wasShortOfMemory(
  { task: { state }, directory }: FollowedTask,
): Promise<NonNullable<EndedRun["oom"]> | undefined> {
  return state.status === "running" ? (await readExit(directory.path, state.run))?.oom ?? undefined : undefined;
}

/** When the run ended, or at least was last heard of; `null` for one of which there is no sign. */
async function lastSignOf({ task, directory }: FollowedTask): Promise<Date | null> {
  if (task.state.status !== "running") return null;
  const hasExit = await readExit(directory.path, task.state.run) !== null;
  return hasExit ? lastWritten(join(directory.path, "exit")) : directory.lastEventAt();
}

/** Files may bear any date, and clocks are set. */
function possibleEnd(
  sign: Date | null,
  { state, now }: { readonly state: FollowedTask["task"]["state"]; readonly now: Date },
): Date {
  const end = sign === null || sign > now ? now : sign;
  return state.status === "running" && end < state.startedAt ? state.startedAt : end;
}

/** Ends a task whose run could not even be started, but not without keeping what earlier ones have made. */
export async function failTask(
  followed: FollowedTask,
  error: unknown,
  services: RunTaskServices,
): Promise<void> {
  const reason = reasonOf(error);
  const work = await keepWork(followed, services);
  const outcome: Outcome = {
    status: "failed",
    exitCode: null,
    statusInferred: false,
    ...defined({ work }),
    failure: error instanceof UsageLimited || error instanceof SetupFailed
      ? error.failure
      : { ...failureOf("unknown", `Codex could not be started: ${reason}`), retryable: true },
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
  { bell, index, log, closing }: EndTaskServices,
): Promise<void> {
  const { directory, task } = followed;
  const answer = ending.progress.lastMessage;
  const saveAnswer = answer === null ? null : (): Promise<void> => directory.writeAnswer(answer);
  let isAnswerSaved = true;
  try {
    await saveAnswer?.();
  } catch (error) {
    isAnswerSaved = false;
    log.error("an answer could not be saved yet; it stays in the events", { id: task.id, error });
  }
  const finished = finish(task, { ...ending, mayHaveAnswer: answer !== null || !followed.isReadToEnd });
  try {
    await directory.write(finished);
    followed.update(finished);
  } catch (error) {
    log.error("a task's record could not be saved yet", { id: task.id, error });
    // Whoever waits here is told; other servers are when there is room again.
    followed.update(finished);
    // Noted as one that has not ended it is concluded by the next server, from the same files.
    if (!await saveLater(() => directory.write(finished), closing)) return;
  }
  await bell.ring(task.id);
  const threadId = ending.progress.threadId ?? task.spec.resumeThreadId;
  if (threadId !== undefined) await index.noteThread(threadId, task.id);
  await index.noteEnded(task.id);
  // Until then it is told from memory, by other servers from the events.
  if (saveAnswer !== null && !isAnswerSaved) await saveLater(saveAnswer, closing);
}

/** Saves something as soon as that is possible; false when this server ends before. */
async function saveLater(save: () => Promise<void>, closing: AbortSignal): Promise<boolean> {
  for (;;) {
    try {
      await save();
      return true;
    } catch (error) {
      // Said once. Where the task itself was removed, nobody wants it saved.
      if (error instanceof Deno.errors.NotFound) return true;
    }
    if (closing.aborted) return false;
    await pause(SAVE_EVERY_MS, closing);
  }
}
