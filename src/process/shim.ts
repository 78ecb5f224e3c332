/** Starts and stops runs through the shim, and tells from what it left behind whether a run lives. */
import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import shimScript from "./shim.sh" with { type: "text" };

/** What the shim is told. */
export interface ShimOptions {
  /** Path that {@linkcode installShim} gave. */
  readonly script: string;
  /** The task's directory; holds `prompt.txt`. */
  readonly directory: string;
  /** Number of this run within its task, from 1. */
  readonly run: number;
  /** Wall clock of the run. */
  readonly limitMs: number;
  /** How long the agent outlives the server; `null` for ever. */
  readonly graceMs: number | null;
  /** Existing directory in which a file named after the task appears when the run has ended. */
  readonly bell: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A shim of this server's own. */
export interface Shim {
  readonly pid: number;
  /** Settles when the shim has ended; what happened stands in its files. */
  readonly ended: Promise<void>;
  /** Lets go of the lifeline: a `graceMs` starts to count. */
  release(): Promise<void>;
}

/**
 * Writes the shim into `directory` unless it is there, and gives its path. The name holds the text's hash, because a
 * running shell reads its script bit by bit: a newer version must never overwrite one in use.
 */
export async function installShim(directory: string): Promise<string> {
  const hash = createHash("sha256").update(shimScript).digest("hex").slice(0, 12);
  const path = join(directory, `shim-${hash}.sh`);
  if (await isSame(path)) return path;
  const aside = `${path}.${randomUUID()}`;
  await Deno.writeTextFile(aside, shimScript, { mode: 0o600 });
  await Deno.rename(aside, path);
  return path;
}

async function isSame(path: string): Promise<boolean> {
  try {
    return await Deno.readTextFile(path) === shimScript;
  } catch {
    return false;
  }
}

/** Starts a run. Throws what the system says when not even the shell can be started. */
export function startShim(options: ShimOptions): Shim {
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
    env: { ...options.env },
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
  const ended = child.status.then(release);
  return { pid: child.pid, ended, release };
}

/**
 * Ends a run of this or any other server, gently first; the first reason given stays. Settles when the agent is gone,
 * after at most 6 s. It goes on when this process dies meanwhile.
 */
export async function stopThroughShim(options: {
  readonly script: string;
  readonly directory: string;
  readonly reason: string;
  readonly env: Readonly<Record<string, string>>;
}): Promise<void> {
  await new Deno.Command("/bin/sh", {
    args: [options.script, "stop", options.directory, options.reason],
    clearEnv: true,
    env: { ...options.env },
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn().status;
}

/** `ended` with the exit status if the shim could write it, `running`, or `lost`: nobody lives who could say more. */
export type RunSighting =
  | { readonly state: "ended"; readonly exitCode: number }
  /** `isShimLost`: the agent lives, but nobody is left who will see its exit code. */
  | { readonly state: "running"; readonly isShimLost: boolean }
  | { readonly state: "lost" };

/**
 * Looks at a run from outside, whichever server started it. A shim takes its locks a few milliseconds after it was
 * started: before that its run looks `lost`.
 */
export async function sightRun(directory: string, run: number): Promise<RunSighting> {
  const exitCode = await readExit(directory, run);
  if (exitCode !== null) return { state: "ended", exitCode };
  if (await isLocked(join(directory, "shim.lock"))) return { state: "running", isShimLost: false };
  if (await isLocked(join(directory, "tree.lock"))) return { state: "running", isShimLost: true };
  const late = await readExit(directory, run);
  return late === null ? { state: "lost" } : { state: "ended", exitCode: late };
}

/** Reads the exit status of `run`: 0–255, above 128 as the shell reports it; `null` while there is none. */
export async function readExit(directory: string, run: number): Promise<number | null> {
  const [number, status] = await readFields(join(directory, "exit"));
  return number === String(run) && status !== undefined ? Number(status) : null;
}

/** Reads the first reason to stop that anybody gave, or `null`. */
export async function readStopReason(directory: string): Promise<string | null> {
  return (await readFields(join(directory, "stop")))[0] ?? null;
}

/** Process ids of the shim and of the agent, as they noted them; `null` before that. */
export async function readRunPids(
  directory: string,
): Promise<{ readonly shim: number; readonly agent: number } | null> {
  const [, shim, , agent] = await readFields(join(directory, "process"));
  return shim === undefined || agent === undefined ? null : { shim: Number(shim), agent: Number(agent) };
}

/** The fields of a one-line file; none while it is absent or half written. */
async function readFields(path: string): Promise<string[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch {
    return [];
  }
  return text.endsWith("\n") ? text.trim().split(" ") : [];
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

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}
