import script from "./ancestor_commands.sh" with { type: "text" };
import { runToEnd } from "./run_to_end.ts";

const TIMEOUT_MS = 5_000;

/**
 * The command lines of all processes above `pid`, nearest first, arguments joined by spaces. Read by a shell, since
 * `/proc` is not ours to read; empty where there is neither a POSIX shell nor anything that it could ask.
 */
export async function ancestorCommands(pid: number, env: Readonly<Record<string, string>>): Promise<string[]> {
  const { stdout } = await runToEnd("/bin/sh", ["-c", script, "sh", String(pid)], { env, timeoutMs: TIMEOUT_MS });
  return stdout.split("\n").filter((line) => line !== "");
}
