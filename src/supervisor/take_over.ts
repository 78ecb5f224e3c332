/** Tasks that a server which is gone has left. */
import { readExit } from "../process/run_files.ts";
import { takeTask } from "../storage/task_lock.ts";
import { isFinished } from "../task/task.ts";
import type { FollowedTask } from "./followed_task.ts";
import type { RunTaskServices } from "./services.ts";
import type { Runnable } from "./start_run.ts";
import { noteUnsavedRun } from "./watch_task.ts";

/**
 * Takes the lock of a task that has lost its server and is for this one; `null` for any other. Its state is what stands
 * on disk then.
 */
export async function takeOver(followed: FollowedTask, services: RunTaskServices): Promise<Disposable | null> {
  using stack = new DisposableStack();
  const lock = takeTask(followed.directory.path);
  if (lock !== null) stack.use(lock);
  await followed.reread();
  if (lock === null || isFinished(followed.task) || services.closing.aborted) return null;
  await noteUnsavedRun(followed);
  const { spec, state } = followed.task;
  if (spec.lifetime === "server-bound") {
    // With its server went the call that it was for.
    if (state.status !== "running") followed.noteStop("server_gone");
    else if (followed.isHeir) await services.runner.host.adopt(followed.directory.path);
    else if (!await isRunOver(followed, services)) return null;
  }
  stack.move();
  return lock;
}

/** Tells whether the task's run has ended, be it that nobody has noticed yet. */
export async function isRunOver(
  { task: { state }, directory: { path: directory } }: FollowedTask,
  { runner }: Pick<RunTaskServices, "runner">,
): Promise<boolean> {
  if (state.status !== "running") return false;
  const sighting = await runner.host.sight({ directory, run: state.run });
  return sighting.state !== "running" || await readExit(directory, state.run) !== null;
}

/** Tells whether nobody drives a task. */
export function isAbandoned(directory: string): boolean {
  using lock = takeTask(directory);
  return lock !== null;
}

/** What starting a run needs, of a task that another server has planned. Throws when its variables went with that. */
export async function runnableAgain({ task }: FollowedTask, { probe }: RunTaskServices): Promise<Runnable> {
  const { envNames } = task.spec;
  if (envNames.length > 0) {
    throw new Error(`its server has ended, and with it the values of ${envNames.join(", ")}; start it again`);
  }
  return { env: {}, probe: await probe() };
}
