import { runToEnd } from "./run_to_end.ts";

const TIMEOUT_MS = 10_000;

/**
 * Tells whether a file below `directory` has changed since then, git's own and those of packages aside; `null` where that
 * cannot be found out in time.
 */
export async function hasNewerFile(
  directory: string,
  since: Date,
  env: Readonly<Record<string, string>>,
): Promise<boolean | null> {
  const aside = ["(", "-name", ".git", "-o", "-name", "node_modules", ")", "-prune", "-o"];
  const newer = ["-type", "f", "-newermt", since.toISOString(), "-print"];
  const found = await runToEnd("find", [directory, "-xdev", ...aside, ...newer], { env, timeoutMs: TIMEOUT_MS });
  if (found.stdout !== "") return true;
  return found.exitCode === 0 ? false : null;
}
