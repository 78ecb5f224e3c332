/** Tasks that a server which is gone has left. */
import { readExit } from "../process/run_files.ts";
import { DEFAULT_LADDER } from "../process/run_host.ts";
import { takeTask } from "../storage/task_lock.ts";
import { reasonOf } from "../task/errors.ts";
import { isFinished } from "../task/task.ts";
import { accountOf } from "./call_env.ts";
import { stopReasonOf } from "./end_task.ts";
import type { FollowedTask } from "./followed_task.ts";
import { pause } from "../process/pause.ts";
import type { RunTaskServices } from "./services.ts";
import type { Runnable } from "./start_run.ts";
import { isPassing, patiently } from "./start_trouble.ts";
import { noteUnsavedRun } from "./watch_task.ts";

/** How long it takes to stop a run that does not want to end. */
const LADDER_MS = DEFAULT_LADDER.reduce((total, { waitMs }) => total + waitMs, 0);

/**
 * Takes the lock of a task that has lost its server and is for this one; `null` for any other. Its state is what stands
 * on disk then. Throws `unknown_task` when somebody has removed it.
 */
export async function takeOver(
  followed: FollowedTask,
  { isReadOnly }: { readonly isReadOnly: boolean },
  services: RunTaskServices,
): Promise<Disposable | null> {
  using stack = new DisposableStack();
  const lock = stack.use(isReadOnly ? null : lockOf(followed));
  await followed.reread();
  if (lock === null || isFinished(followed.task) || services.closing.aborted) return null;
  await noteUnsavedRun(followed);
  const { spec, state } = followed.task;
  if (spec.lifetime === "server-bound") {
    // Nobody enforces the grace time of what has no process yet, and its server may have been gone for days.
    if (state.status !== "running") followed.noteStop("server_gone");
    else if (followed.isHeir) await services.runner.host.adopt(followed.directory.path);
    else if (!await isRunOver(followed, services)) return null;
  }
  stack.move();
  return lock;
}

function lockOf({ directory }: FollowedTask): Disposable | null {
  try {
    return takeTask(directory.path);
  } catch (error) {
    // The look at its record tells better of a task that was removed.
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
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

/**
 * Ends the run of a task that was taken over if its stop was noted by somebody who did not live to carry it out. Never
 * rejects.
 */
export async function carryOutStop(
  followed: FollowedTask,
  { runner: { host }, closing, log }: Pick<RunTaskServices, "runner" | "closing" | "log">,
): Promise<void> {
  const { task: { id }, directory: { path: directory } } = followed;
  const over = new AbortController();
  try {
    const reason = await stopReasonOf(followed);
    if (reason === undefined) return;
    followed.noteStop(reason);
    // Whoever has noted it may be at it; and who asks this server to stop it does so after it was taken over.
    await Promise.race([followed.finished, pause(LADDER_MS, AbortSignal.any([over.signal, closing]))]);
    if (closing.aborted || followed.stopping !== null || followed.task.state.status !== "running") return;
    await followed.noteStopping(patiently(() => host.stop({ directory, reason })));
  } catch (error) {
    log.error("a stop that was noted could not be carried out", { id, error });
  } finally {
    over.abort();
  }
}

/** Tells whether nobody drives a task. */
export function isAbandoned(directory: string): boolean {
  using lock = takeTask(directory);
  return lock !== null;
}

/** Why this server leaves a task to others, which may well be able to run it. */
export class NotForThisServer extends Error {
  override readonly name = "NotForThisServer";
}

/**
 * What starting a run needs, of a task that another server has planned. Throws {@linkcode NotForThisServer} when others
 * may have it, and any other error when nobody has: its variables went with that server.
 */
export async function runnableAgain({ task: { spec } }: FollowedTask, services: RunTaskServices): Promise<Runnable> {
  const { codexHome, account, server } = spec;
  const lost = withoutHome(spec.envNames);
  if (lost.length > 0) {
    throw new Error(`its server has ended, and with it the values of ${lost.join(", ")}; start it again`);
  }
  const missing = withoutHome(server.envNames).filter((name) => !services.givenEnvNames.has(name));
  if (missing.length > 0) throw new NotForThisServer(`this server's --env does not give ${missing.join(", ")}`);
  // Records of format 1 tell neither.
  if (account !== "" && account !== await accountOf(spec, { codexHome, env: services.env })) {
    throw new NotForThisServer("this server has another CODEX_API_KEY");
  }
  const isOwnHome = codexHome === "" || codexHome === services.codexHome;
  try {
    // Not where Codex looks by itself: a home that is named must be there already.
    return { env: isOwnHome ? {} : { CODEX_HOME: codexHome }, probe: await services.probe() };
  } catch (error) {
    if (isPassing(error)) throw error;
    throw new NotForThisServer(reasonOf(error), { cause: error });
  }
}

/** Its value alone is written down. */
function withoutHome(names: readonly string[]): string[] {
  return names.filter((name) => name !== "CODEX_HOME");
}

/** Throws {@linkcode NotForThisServer} if that is known before the task has its turn: until then others could run it. */
export async function checkRunnable(followed: FollowedTask, services: RunTaskServices): Promise<void> {
  try {
    // Anybody can tell the end of a run, or of a task that is to have no further one.
    if (followed.task.state.status === "running" || await stopReasonOf(followed) !== undefined) return;
    await runnableAgain(followed, services);
  } catch (error) {
    // All else is met again, and dealt with, when the task has its turn.
    if (error instanceof NotForThisServer) throw error;
  }
}
