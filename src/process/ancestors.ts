import { runToEnd } from "./run_to_end.ts";

const TIMEOUT_MS = 5_000;

/**
 * The ids of all processes above `pid`, nearest first. Read through `ps`, since `/proc` is not ours to read; empty where
 * there is none.
 */
export async function ancestors(pid: number, env: Readonly<Record<string, string>>): Promise<number[]> {
  const { stdout } = await runToEnd("ps", ["-A", "-o", "pid=,ppid="], { env, timeoutMs: TIMEOUT_MS });
  const parents = new Map<number, number>();
  for (const line of stdout.split("\n")) {
    const [child, parent] = line.trim().split(/\s+/).map(Number);
    if (child !== undefined && parent !== undefined) parents.set(child, parent);
  }
  const found: number[] = [];
  for (let above = parents.get(pid); above !== undefined && above > 1; above = parents.get(above)) {
    if (found.includes(above)) break;
    found.push(above);
  }
  return found;
}

/** The command lines of processes, arguments joined by spaces. */
export async function commandLines(
  pids: readonly number[],
  env: Readonly<Record<string, string>>,
): Promise<string[]> {
  if (pids.length === 0) return [];
  const args = ["-ww", "-o", "args=", "-p", pids.join(",")];
  const { stdout } = await runToEnd("ps", args, { env, timeoutMs: TIMEOUT_MS });
  return stdout.split("\n").filter((line) => line !== "");
}
