/** Starts and stops runs through the shim, and tells from what it left behind whether a run lives. */
import { join } from "node:path";
import { handOver } from "./hand_over.ts";
import { helperEnv } from "./helper_env.ts";
import { noteInterrupt, noteStop, readExit, readNotedRun } from "./run_files.ts";
import type { HostedRun, Ladder, RunEnd, RunHost, RunOptions, RunSighting, StopReport } from "./run_host.ts";
import { runToEnd } from "./run_to_end.ts";

/** The shim's own exit code for a slot that somebody else holds. */
const SLOT_TAKEN = 73;

/** Hosts runs behind shims. `script` gives the path at which `shim.sh` was installed; `env` is the server's. */
export function shimHost(
  script: () => Promise<string>,
  env: Readonly<Record<string, string>>,
): RunHost {
  const helpers = helperEnv(env);
  return {
    prepare: async () => void await script(),
    start: async (options) => startShim({ ...options, script: await script(), helpers }),
    locks: () => Promise.resolve("flock"),
    interrupt: async ({ directory, run }) => {
      await noteInterrupt(directory, run);
      return { signals: [], isGone: false, swept: 0 };
    },
    adopt: () => Promise.resolve(),
    observe: () => Promise.resolve(new Map()),
    countLeftBehind: () => Promise.resolve(0),
    trimEvents: () => Promise.resolve(),
    stop: async (run) => await stopThroughShim({ ...run, script: await script(), env: helpers }),
    sight: async (run) => await sightRun(await script(), { ...run, env: helpers }),
  };
}

/**
 * Starts a run; the shim itself has the environment `helpers`. Throws what the system says when not even the shell can
 * be started.
 */
export function startShim(
  options: RunOptions & { readonly script: string; readonly helpers: Readonly<Record<string, string>> },
): HostedRun {
  const child = new Deno.Command("/bin/sh", {
    args: [
      options.script,
      "run",
      options.directory,
      String(options.run),
      seconds(options.limitMs),
      options.graceMs === null ? "-" : seconds(options.graceMs),
      options.bell,
      ...options.command,
    ],
    cwd: options.cwd,
    clearEnv: true,
    env: { ...options.helpers, ...handOver(options.env) },
    stdin: options.graceMs === null ? "null" : "piped",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  let isReleased = options.graceMs === null;
  const release = async (): Promise<void> => {
    if (isReleased) return;
    isReleased = true;
    await child.stdin.close().catch(() => undefined);
  };
  // A closed pipe of an ended child is a resource all the same.
  const ended = child.status.then(async ({ code }): Promise<RunEnd> => {
    await release();
    return code === SLOT_TAKEN ? "slot_taken" : "ended";
  });
  return { ended, release };
}

/**
 * Ends a run of this or any other server, gently first; the first reason given stays. Settles when the agent is gone,
 * after at most 6 s. It goes on when this process dies meanwhile. Throws what the system says when nothing can be
 * started; the reason is noted all the same.
 */
export async function stopThroughShim(options: {
  readonly script: string;
  readonly directory: string;
  readonly reason: string;
  readonly ladder?: Ladder;
  readonly env: Readonly<Record<string, string>>;
}): Promise<StopReport> {
  await noteStop(options.directory, options.reason);
  await new Deno.Command("/bin/sh", {
    args: [options.script, "stop", options.directory, options.reason],
    clearEnv: true,
    env: { ...options.env },
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn().status;
  const isGone = await isLocked(join(options.directory, "tree.lock"));
  return { signals: [], isGone, swept: 0 };
}

/**
 * Looks at a run from outside, whichever server started it. A shim takes its locks a few milliseconds after it was
 * started: before that its run looks `lost`.
 */
export async function sightRun(
  script: string,
  options: { readonly directory: string; readonly run: number; readonly env: Readonly<Record<string, string>> },
): Promise<RunSighting> {
  const { directory, run } = options;
  const ended = await readExit(directory, run);
  if (ended !== null) return ended;
  const noted = await readNotedRun(directory);
  const who = noted?.locks === "none" ? await askShim(script, options) : await askLocks(directory);
  if (who !== "gone") return { state: "running", isShimLost: who === "agent" };
  return await readExit(directory, run) ?? { state: "lost" };
}

const SIGHT_TIMEOUT_MS = 5_000;

type Survivor = "shim" | "agent" | "gone";

async function askLocks(directory: string): Promise<Survivor> {
  if (await isLocked(join(directory, "shim.lock"))) return "shim";
  return await isLocked(join(directory, "tree.lock")) ? "agent" : "gone";
}

async function askShim(
  script: string,
  { directory, env }: { readonly directory: string; readonly env: Readonly<Record<string, string>> },
): Promise<Survivor> {
  const { stdout } = await runToEnd("/bin/sh", [script, "sight", directory], { env, timeoutMs: SIGHT_TIMEOUT_MS });
  const who = stdout.trim();
  return who === "shim" || who === "agent" ? who : "gone";
}

async function isLocked(path: string): Promise<boolean> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true, write: true });
  } catch {
    return false;
  }
  try {
    return !await file.tryLock(true);
  } finally {
    file.close();
  }
}

/** Whole seconds where that is exact: not every sleep(1) knows fractions. */
function seconds(ms: number): string {
  return String(ms / 1000);
}
