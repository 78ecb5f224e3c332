/** A task that another server started, followed from outside. */
import { isFinished } from "../task/task.ts";
import { endTask } from "./end_task.ts";
import type { FollowedTask } from "./followed_task.ts";
import type { RunTaskServices } from "./run_task.ts";

/** How often a run is looked at while its bell is silent: its shim may have been killed. */
const LOOK_EVERY_MS = 2_000;
/** A run that shows no sign of life may have been started an instant ago. */
const YOUNG_RUN_MS = 10_000;

/** Follows the task to its end, or until this server ends. */
export async function watchTask(followed: FollowedTask, services: RunTaskServices): Promise<void> {
  while (!services.closing.aborted) {
    const rung = services.bell.next(followed.task.id, LOOK_EVERY_MS, services.closing);
    if (await lookAtTask(followed, services)) return;
    await rung;
  }
}

/** Looks once, and ends the task if its run has ended meanwhile; tells whether the task has ended. */
export async function lookAtTask(followed: FollowedTask, services: RunTaskServices): Promise<boolean> {
  const written = await followed.directory.read();
  if (written !== null) followed.update(written);
  const { task, directory } = followed;
  if (isFinished(task)) return true;
  if (task.state.status !== "running") return false;
  const { run, startedAt } = task.state;
  const sighting = await services.runner.host.sight({ directory: directory.path, run });
  if (sighting.state === "running") return false;
  if (sighting.state === "lost" && services.now().getTime() - startedAt.getTime() < YOUNG_RUN_MS) return false;
  await endTask(followed, sighting.state === "ended" ? sighting.exitCode : null, services);
  return true;
}
