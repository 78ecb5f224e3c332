import { join } from "node:path";
import { runToEnd } from "./run_to_end.ts";

const TIMEOUT_MS = 30_000;

/**
 * Processes whose working directory is `directory` or below it, as far as the system lets us see. Empty where nothing
 * tells them: no /proc and no lsof(8).
 */
export async function whoIsIn(directory: string): Promise<number[]> {
  return await inProc(directory) ?? await byLsof(directory);
}

/** `null` where there is no /proc, as on macOS. */
async function inProc(directory: string): Promise<number[] | null> {
  const found: number[] = [];
  try {
    for await (const { name } of Deno.readDir("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      if (isIn(await Deno.readLink(join("/proc", name, "cwd")).catch(() => ""), directory)) found.push(Number(name));
    }
  } catch {
    return null;
  }
  return found;
}

/** Exported for its test: the system that has /proc never comes here. */
export async function byLsof(directory: string): Promise<number[]> {
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };
  const { stdout } = await runToEnd("lsof", ["-w", "-dcwd", "-Fpn"], { env, timeoutMs: TIMEOUT_MS });
  const found: number[] = [];
  let pid = 0;
  // A line for each process, then one for its directory.
  for (const line of stdout.split("\n")) {
    if (line.startsWith("p")) pid = Number(line.slice(1));
    else if (line.startsWith("n") && isIn(line.slice(1), directory)) found.push(pid);
  }
  return found;
}

function isIn(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}
