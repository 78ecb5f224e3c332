/** The one-line files by which a run tells its story; `shim.sh` lists them. Reading throws where no file can be opened. */
import { join } from "node:path";
import type { EndedRun } from "./run_host.ts";
import { isShortOfFiles } from "./short_of_files.ts";

/** How a shell reports SIGKILL. */
const KILLED = 137;
/** How often, and how far apart, a reason to stop is looked for in a file that has none. */
const STOP_LOOKS = 4;
const STOP_LOOK_MS = 25;

/** Reads how `run` ended; `null` while nothing says that it has. */
export async function readExit(
  directory: string,
  run: number,
): Promise<EndedRun | null> {
  const [number, status, oom] = await readFields(join(directory, "exit"));
  if (number !== String(run) || status === undefined) return null;
  const exitCode = status === "-" ? null : Number(status);
  return { state: "ended", exitCode, oom: exitCode === KILLED ? oomOf(oom) : null };
}

function oomOf(word: string | undefined): EndedRun["oom"] {
  return word === "yes" || word === "no" ? word : "unknown";
}

/**
 * Reads the first reason to stop that anybody gave, or `null`. A file without one, as a full disk leaves it, stops all
 * the same: `cancelled`.
 */
export async function readStopReason(directory: string): Promise<string | null> {
  const path = join(directory, "stop");
  for (let look = 0; look < STOP_LOOKS; look++) {
    const [reason] = await readFields(path);
    if (reason !== undefined && reason !== "") return reason;
    if (!await isThere(path)) return null;
    // It may be just being written.
    await new Promise((resolve) => setTimeout(resolve, STOP_LOOK_MS));
  }
  return "cancelled";
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}

/** Notes a reason to stop, unless somebody gave one before or the disk is full: neither may keep an agent from its end. */
export async function noteStop(directory: string, reason: string): Promise<void> {
  await Deno.writeTextFile(join(directory, "stop"), `${reason}\n`, { createNew: true, mode: 0o600 })
    .catch(() => undefined);
}

/** Reads the number of the latest run that was to be interrupted, or `null`. */
export async function readInterruptedRun(directory: string): Promise<number | null> {
  const [run] = await readFields(join(directory, "interrupt"));
  return run === undefined ? null : Number(run);
}

/** Notes that a run is to end before its task does. Throws what the system says: nobody else would know. */
export async function noteInterrupt(directory: string, run: number): Promise<void> {
  await Deno.writeTextFile(join(directory, "interrupt"), `${run}\n`, { mode: 0o600 });
}

/** A process as it was noted. */
export interface NotedProcess {
  readonly pid: number;
  /** What tells it from a later process with the same id: its start time, without a shim its program. */
  readonly mark: string;
}

/** Who takes part in a run. */
export interface NotedRun {
  readonly run: number;
  readonly shim: NotedProcess;
  readonly agent: NotedProcess;
  /** Tells one boot of the system from another. */
  readonly boot: string;
  /** How it can be seen who lives: `flock`, or `none` by the processes alone. */
  readonly locks: string;
}

/** Reads who takes part in the latest run; `null` before they have noted themselves. */
export async function readNotedRun(directory: string): Promise<NotedRun | null> {
  const [run, shim, shimMark, agent, agentMark, boot, locks] = await readFields(join(directory, "process"));
  if (shim === undefined || shimMark === undefined || agent === undefined || agentMark === undefined) return null;
  if (boot === undefined || locks === undefined) return null;
  return {
    run: Number(run),
    shim: { pid: Number(shim), mark: shimMark },
    agent: { pid: Number(agent), mark: agentMark },
    boot,
    locks,
  };
}

/** Number and start of the latest run whose agent has noted itself, or `null`. */
export async function readRunStart(directory: string): Promise<{ readonly run: number; readonly at: Date } | null> {
  const path = join(directory, "process");
  const [run] = await readFields(path);
  if (run === undefined) return null;
  const { mtime } = await Deno.stat(path);
  return mtime === null ? null : { run: Number(run), at: mtime };
}

/** The fields of a one-line file; none while it is absent or half written. */
async function readFields(path: string): Promise<string[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    // It may well be there, and say that the run has ended.
    if (isShortOfFiles(error)) throw error;
    return [];
  }
  return text.endsWith("\n") ? text.trim().split(" ") : [];
}
