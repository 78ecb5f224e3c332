/** Looks at runs from outside: those of a server that is gone, and those whose shim was killed. */
import type { CodexRun } from "../codex/run_codex.ts";
import { noteInterrupt, readExit, readRunStart } from "../process/run_files.ts";
import type { Bell } from "../storage/bell.ts";
import { isFinished } from "../task/task.ts";
import { startRun } from "../task/transitions.ts";
import { stopReasonOf } from "./end_task.ts";
import type { FollowedTask } from "./followed_task.ts";
import type { RunTaskServices } from "./services.ts";

/** How often a run is looked at while its bell is silent: its shim may have been killed. */
const LOOK_EVERY_MS = 5_000;
/** The same where it is known that nobody is left who would ring. */
const LOOK_AT_LOST_MS = 1_000;
/** How often it is looked whether a run of this server's own has ended, of which it hears itself. */
const NOTE_EVERY_MS = 60_000;
/** How often a queued task's directory is looked at while its bell is silent. */
const HEED_EVERY_MS = 30_000;

/** How a run came to its end. */
export type RunEnd =
  /** `null` where nobody can know the exit code. */
  | { readonly kind: "over"; readonly exitCode: number | null }
  /** It was called off before its agent could start, and never will. */
  | { readonly kind: "unstarted"; readonly exitCode: null }
  /** Another run was faster to take the slot; nothing was started. */
  | { readonly kind: "slot_taken"; readonly exitCode: null };

/** Settles when the task's last run is over, or with `null` when this server ends. This server holds the task's lock. */
export async function untilRunOver(
  followed: FollowedTask,
  run: CodexRun | null,
  services: RunTaskServices,
): Promise<RunEnd | null> {
  const { bell, log } = services;
  const { id, spec } = followed.task;
  // What is bound to this server is stopped when that ends, and that end is to be seen too.
  const closing = spec.lifetime === "server-bound" ? new AbortController().signal : services.closing;
  if (run !== null) {
    const noted = await untilNoted(followed, run, { bell, closing });
    if (noted !== null) return noted;
  }
  for (;;) {
    const rung = bell.next(id, followed.isShimLost ? LOOK_AT_LOST_MS : LOOK_EVERY_MS, closing);
    try {
      // At least once: what has ended while this server ends is told all the same.
      const end = await lookAtRun(followed, services);
      if (end !== null) return end;
    } catch (error) {
      log.error("a task could not be looked at", { id, error });
    }
    await rung;
    if (closing.aborted) return null;
  }
}

/**
 * Settles when the run's end is noted, which its shim rings before it has done all else, or when its shim has ended;
 * `null` when that has noted nothing, or this server ends.
 */
async function untilNoted(
  { task: { id, state }, directory: { path } }: FollowedTask,
  run: CodexRun,
  { bell, closing }: { readonly bell: Bell; readonly closing: AbortSignal },
): Promise<RunEnd | null> {
  for (;;) {
    const over = new AbortController();
    const rung = bell.next(id, NOTE_EVERY_MS, AbortSignal.any([closing, over.signal]));
    const how = await Promise.race([run.ended, rung.then(() => null)]);
    over.abort();
    if (how === "slot_taken") return { kind: "slot_taken", exitCode: null };
    const exit = state.status === "running" ? await readExit(path, state.run) : null;
    if (exit !== null) return endOf(exit.exitCode);
    if (how === "ended" || closing.aborted) return null;
  }
}

/** Notes a stop that another server asked for, until the signal comes. */
export async function heedStop(followed: FollowedTask, services: RunTaskServices, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && followed.stopReason === undefined) {
    await services.bell.next(followed.task.id, HEED_EVERY_MS, signal);
    try {
      const reason = await stopReasonOf(followed);
      if (reason !== undefined) followed.noteStop(reason);
    } catch (error) {
      services.log.warning("a queued task could not be looked at", { id: followed.task.id, error });
    }
  }
}

/** A task may run although its record does not say so yet: there was no room to write that down. */
export async function noteUnsavedRun(followed: FollowedTask): Promise<void> {
  const { task, directory } = followed;
  const { state } = task;
  if (isFinished(task)) return;
  const last = state.status === "running" || state.status === "waiting"
    ? state
    : { run: 0, input: "prompt.txt", prompts: 0 };
  const noted = await readRunStart(directory.path);
  if (noted === null || noted.run <= last.run) return;
  followed.update(startRun(task, { ...noted, input: last.input, prompts: last.prompts }));
}

/** How the task's last run ended, as far as that can be known; `null` while it may go on. */
async function lookAtRun(followed: FollowedTask, { runner }: RunTaskServices): Promise<RunEnd | null> {
  const { directory: { path: directory }, task: { state } } = followed;
  if (state.status !== "running") return null;
  // Before the look: who has noted himself held the locks by then, so whoever holds none any more is gone.
  const wasNoted = await isNoted(directory, state.run);
  const sighting = await runner.host.sight({ directory, run: state.run });
  followed.noteShim({ isLost: sighting.state === "running" && sighting.isShimLost });
  if (sighting.state === "running") return null;
  if (sighting.state === "ended") return endOf(sighting.exitCode);
  if (wasNoted) return { kind: "over", exitCode: null };
  if (await isNoted(directory, state.run)) return null;
  // Its shim may be about to start the agent. It looks for this after it has noted itself: one of us sees the other.
  try {
    await noteInterrupt(directory, state.run);
  } catch (error) {
    // Somebody has removed the task with all that could be known of it.
    if (error instanceof Deno.errors.NotFound) return { kind: "over", exitCode: null };
    throw error;
  }
  if (await isNoted(directory, state.run)) return null;
  return endOf((await readExit(directory, state.run))?.exitCode ?? null);
}

async function isNoted(directory: string, run: number): Promise<boolean> {
  return (await readRunStart(directory))?.run === run;
}

function endOf(exitCode: number | null): RunEnd {
  return exitCode === null ? { kind: "unstarted", exitCode } : { kind: "over", exitCode };
}
