/** A task looked at from outside: one that another server drives, or whose drive has failed. */
import { takeTask } from "../storage/task_lock.ts";
import { readRunStart } from "../process/run_files.ts";
import { isFinished } from "../task/task.ts";
import { startRun } from "../task/transitions.ts";
import { endTask, stopReasonOf } from "./end_task.ts";
import type { FollowedTask } from "./followed_task.ts";
import type { RunTaskServices } from "./services.ts";

/** How often a run is looked at while its bell is silent: its shim may have been killed. */
const LOOK_EVERY_MS = 2_000;
/** A run that shows no sign of life may have been started an instant ago. */
const YOUNG_RUN_MS = 10_000;
/** How often a queued task's directory is looked at while its bell is silent. */
const HEED_EVERY_MS = 30_000;

/** Follows the task to its end, or until this server ends. `isOwner`: this server holds the task's lock. */
export async function watchTask(
  followed: FollowedTask,
  services: RunTaskServices,
  options: { readonly isOwner: boolean },
): Promise<void> {
  while (!services.closing.aborted) {
    const rung = services.bell.next(followed.task.id, LOOK_EVERY_MS, services.closing);
    try {
      if (await lookAtTask(followed, services, options)) return;
    } catch (error) {
      services.log.error("a task could not be looked at", { id: followed.task.id, error });
    }
    await rung;
  }
}

/** Looks once, and ends the task if its run is over and nobody else will; tells whether the task has ended. */
export async function lookAtTask(
  followed: FollowedTask,
  services: RunTaskServices,
  { isOwner }: { readonly isOwner: boolean },
): Promise<boolean> {
  await reread(followed);
  if (isFinished(followed.task)) return true;
  const mayBeOver = isBoundAndQueued(followed) || await overRun(followed, services) !== null;
  if (!mayBeOver) return false;
  // The server that drives the task ends it, and may start it again; without one it is for the first who comes.
  using lock = isOwner ? null : await takeTask(followed.directory.path);
  if (!isOwner && lock === null) return false;
  await reread(followed);
  if (isFinished(followed.task)) return true;
  // With its server went the call that it was for.
  if (isBoundAndQueued(followed)) followed.noteStop("server_gone");
  const over = isBoundAndQueued(followed) ? { exitCode: null } : await overRun(followed, services);
  if (over === null) return false;
  await endTask(followed, over.exitCode, services);
  return true;
}

/** Notes a stop that another server asked for, until the signal comes. */
export async function heedStop(followed: FollowedTask, services: RunTaskServices, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && followed.stopReason === undefined) {
    await services.bell.next(followed.task.id, HEED_EVERY_MS, signal);
    const reason = await stopReasonOf(followed);
    if (reason !== undefined) followed.noteStop(reason);
  }
}

/** How the task's run ended, as far as that can be known; `null` while it may go on or has not begun. */
async function overRun(
  followed: FollowedTask,
  { runner, now }: RunTaskServices,
): Promise<{ readonly exitCode: number | null } | null> {
  const { directory } = followed;
  await noteUnsavedRun(followed);
  const { state } = followed.task;
  if (state.status !== "running") return null;
  const sighting = await runner.host.sight({ directory: directory.path, run: state.run });
  if (sighting.state === "running") return null;
  if (sighting.state === "ended") return sighting;
  // An agent that has noted itself was there, and is gone.
  if ((await readRunStart(directory.path))?.run === state.run) return { exitCode: null };
  // A later run began when its record was written; `startedAt` is the first one's.
  const startedAt = state.run === 1 ? state.startedAt : await directory.lastSavedAt();
  const isYoung = startedAt !== null && now().getTime() - startedAt.getTime() < YOUNG_RUN_MS;
  return isYoung ? null : { exitCode: null };
}

/** A task may run although its record still says queued: there was no room to write that down. */
async function noteUnsavedRun(followed: FollowedTask): Promise<void> {
  if (followed.task.state.status !== "queued") return;
  const noted = await readRunStart(followed.directory.path);
  if (noted !== null) followed.update(startRun(followed.task, noted));
}

function isBoundAndQueued({ task }: FollowedTask): boolean {
  return task.state.status === "queued" && task.spec.lifetime === "server-bound";
}

async function reread(followed: FollowedTask): Promise<void> {
  const written = await followed.directory.read();
  if (written !== null) followed.update(written);
}
