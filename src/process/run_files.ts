/** The one-line files by which a run tells its story; `shim.sh` lists them. */
import { join } from "node:path";
import type { EndedRun } from "./run_host.ts";

/** Reads how `run` ended; `null` while nothing says that it has. */
export async function readExit(
  directory: string,
  run: number,
): Promise<EndedRun | null> {
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
export async function readFields(path: string): Promise<string[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch {
    return [];
  }
  return text.endsWith("\n") ? text.trim().split(" ") : [];
}
