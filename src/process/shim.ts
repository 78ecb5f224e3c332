/** Starts and stops runs through the shim, and tells from what it left behind whether a run lives. */
import { join } from "node:path";
import { runToEnd } from "./run_to_end.ts";
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
  const hash = (await sha256(shimScript)).slice(0, 12);
  const path = join(directory, `shim-${hash}.sh`);
  if (await isSame(path)) return path;
  const aside = `${path}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(aside, shimScript, { mode: 0o600 });
  await Deno.rename(aside, path);
  return path;
}

/** Web Crypto: loading Node's takes as long as a tenth of the whole start. */
async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
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

/** What a look at a run found. */
export type RunSighting =
  /** `exitCode` is 0–255, above 128 as the shell reports it; `null` when the agent was stopped before it could start. */
  | { readonly state: "ended"; readonly exitCode: number | null }
  /** `isShimLost`: the agent lives, but nobody is left who will see its exit code. */
  | { readonly state: "running"; readonly isShimLost: boolean }
  /** Nobody lives who could say more. */
  | { readonly state: "lost" };

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
  const locks = (await readFields(join(directory, "process")))[6];
  const who = locks === "none" ? await askShim(script, options) : await askLocks(directory);
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

/** Reads how `run` ended; `null` while nothing says that it has. */
export async function readExit(
  directory: string,
  run: number,
): Promise<Extract<RunSighting, { state: "ended" }> | null> {
  const [number, status] = await readFields(join(directory, "exit"));
  if (number !== String(run) || status === undefined) return null;
  return { state: "ended", exitCode: status === "-" ? null : Number(status) };
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

/** Whole seconds where that is exact: not every sleep(1) knows fractions. */
function seconds(ms: number): string {
  return String(ms / 1000);
}
