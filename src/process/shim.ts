/** Starts and stops runs through the shim, and tells from what it left behind whether a run lives. */
import { join } from "node:path";
import { handOver } from "./hand_over.ts";
import { helperEnv } from "./helper_env.ts";
import {
  askWhoLives,
  countLeft,
  endRun,
  type Keeper,
  noteOwner,
  observeRuns,
  rememberRuns,
  trimEvents,
} from "./keeper.ts";
import { inOwnSession } from "./own_session.ts";
import { noteInterrupt, noteStop, readExit, readNotedRun } from "./run_files.ts";
import type { HostedRun, Ladder, RunEnd, RunHost, RunOptions, RunSighting, StopReport } from "./run_host.ts";
import { isShortOfFiles } from "./short_of_files.ts";

/** The shim's own exit code for a slot that somebody else holds. */
const SLOT_TAKEN = 73;

/**
 * Hosts runs behind shims. `prepare` makes what a start needs, `script` gives the path at which `shim.sh` is installed,
 * and both make anew what somebody has removed; `env` is the server's.
 */
export function shimHost(
  { prepare, script }: { readonly prepare: () => Promise<void>; readonly script: () => Promise<string> },
  env: Readonly<Record<string, string>>,
): RunHost {
  const helpers = helperEnv(env);
  const keeper = async (): Promise<Keeper> => ({ script: await script(), env: helpers });
  let locks: ReturnType<RunHost["locks"]> | undefined;
  const findLocks = (): ReturnType<RunHost["locks"]> => locks ??= locksOf(helpers);
  return {
    prepare,
    locks: findLocks,
    start: async (options) => {
      const mountRoots = await realPaths(options.mountRoots);
      return startShim({ ...options, mountRoots, script: await script(), helpers });
    },
    stop: async (run) => await stopThroughShim({ ...run, ...await keeper() }),
    interrupt: async (run) => await interruptThroughShim({ ...run, ...await keeper() }),
    sight: async (run) => await sightRun(await script(), { ...run, env: helpers }),
    adopt: async (directory) => {
      if (await findLocks() === "none") await noteOwner(await keeper(), directory);
    },
    observe: async (directories) => await observeRuns(await keeper(), directories),
    remember: async (directories) => await rememberRuns(await keeper(), directories),
    countLeftBehind: async (directory) => await countLeft(await keeper(), directory),
    trimEvents: async (directory, maxBytes) => await trimEvents(await keeper(), { directory, maxBytes }),
  };
}

/** By one name each, since the system tells of mounts by that: links resolved; what is not there stays as it is. */
async function realPaths(paths: readonly string[]): Promise<string[]> {
  return [...new Set(await Promise.all(paths.map((path) => Deno.realPath(path).catch(() => path))))];
}

/** How the shim sees it too: by what stands on its PATH. */
async function locksOf({ PATH }: { readonly PATH: string }): ReturnType<RunHost["locks"]> {
  for (const directory of PATH.split(":")) {
    try {
      const { isFile, mode } = await Deno.stat(join(directory, "flock"));
      if (isFile && ((mode ?? 0) & 0o111) !== 0) return "flock";
    } catch {
      // not here
    }
  }
  return "none";
}

let ownUmask: number | undefined;

/** The server's own, asked for once: to ask means to set it for an instant. */
function umaskOfServer(): number {
  return ownUmask ??= Deno.umask();
}

/**
 * Starts a run; the shim itself has the environment `helpers`. Throws what the system says when not even the shell can
 * be started.
 */
export function startShim(
  options: RunOptions & { readonly script: string; readonly helpers: Readonly<Record<string, string>> },
): HostedRun {
  const args = [
    options.script,
    "run",
    options.directory,
    String(options.run),
    seconds(options.limitMs),
    options.graceMs === null ? "-" : seconds(options.graceMs),
    options.bell,
    options.input,
    options.slot ?? "-",
    String(options.maxEventBytes),
    String(options.mountRoots.length),
    ...options.mountRoots,
    ...options.command,
  ];
  const child = new Deno.Command(...inOwnSession("/bin/sh", args, {
    cwd: options.cwd,
    clearEnv: true,
    env: { ...options.helpers, ...handOver(options.env, { umask: umaskOfServer() }) },
    stdin: options.graceMs === null ? "null" : "piped",
    stdout: "null",
    stderr: "null",
  })).spawn();
  let isReleased = options.graceMs === null;
  const release = async (): Promise<void> => {
    if (isReleased) return;
    isReleased = true;
    await child.stdin.close().catch(() => undefined);
  };
  const ended = child.status.then(async ({ code }): Promise<RunEnd> => {
    // A closed pipe of an ended child is a resource all the same.
    await release();
    return code === SLOT_TAKEN ? "slot_taken" : "ended";
  });
  return { ended, release };
}

/**
 * Ends the task of a run of this or any other server, gently first; the first reason given stays. Settles when all
 * that belongs to it is gone. Throws what the system says when nothing can be started; the reason is noted all the same.
 */
export async function stopThroughShim(
  options: Keeper & { readonly directory: string; readonly reason: string; readonly ladder?: Ladder },
): Promise<StopReport> {
  const { directory, reason, ladder } = options;
  await noteStop(directory, reason);
  return await endRun(options, { what: ["stop", directory, reason], ladder });
}

/** Ends one run of this or any other server, and nothing but its agent. Throws as {@linkcode stopThroughShim} does. */
export async function interruptThroughShim(
  options: Keeper & { readonly directory: string; readonly run: number },
): Promise<StopReport> {
  const { directory, run } = options;
  await noteInterrupt(directory, run);
  return await endRun(options, { what: ["interrupt", directory, String(run)] });
}

/**
 * Looks at a run from outside, whichever server started it. A shim takes its locks a few milliseconds after it was
 * started: before that its run looks `lost`.
 */
export async function sightRun(
  script: string,
  options: { readonly directory: string; readonly run: number; readonly env: Readonly<Record<string, string>> },
): Promise<RunSighting> {
  const { directory, run, env } = options;
  const ended = await readExit(directory, run);
  if (ended !== null) return ended;
  const noted = await readNotedRun(directory);
  const byLocks = noted?.locks === "none" ? null : await askLocks(directory);
  // What an agent has left behind may hold its lock for ever, so a lock alone says little of an agent without a shim.
  const who = byLocks === null || byLocks === "agent" ? await askWhoLives({ script, env }, directory) : byLocks;
  if (who !== "gone") return { state: "running", isShimLost: who === "agent" };
  return await readExit(directory, run) ?? { state: "lost" };
}

async function askLocks(directory: string): Promise<"shim" | "agent" | "gone"> {
  if (await isLocked(join(directory, "shim.lock"))) return "shim";
  return await isLocked(join(directory, "tree.lock")) ? "agent" : "gone";
}

async function isLocked(path: string): Promise<boolean> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true, write: true });
  } catch (error) {
    // Nobody is gone for want of a descriptor of ours.
    if (isShortOfFiles(error)) throw error;
    return false;
  }
  try {
    if (!await file.tryLock(true)) return true;
    // Closing alone would not do at once: a process that is being forked has a copy of each descriptor.
    await file.unlock();
    return false;
  } finally {
    file.close();
  }
}

/** Whole seconds where that is exact: not every sleep(1) knows fractions. */
function seconds(ms: number): string {
  return String(ms / 1000);
}
