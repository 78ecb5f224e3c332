import { GitError } from "./git.ts";
import type { RanProgram } from "./run_program.ts";

/** What find(1) and tar(1) say of files that others write and delete meanwhile: they go on with the rest. */
const PASSING =
  /: (?:Cannot (?:stat|open): )?(?:No such file or directory|file changed\sas\swe read it|File removed before we read it|File shrank by \d+ bytes; padding with zeros)$| previous errors\.?$/;
const DENIED = /^\S+: '?\.\/(.+?)'?: (?:Cannot open: )?Permission denied$/;

/** Paths that such a program was not allowed to read. Throws {@linkcode GitError} where it failed for anything else. */
export function unreadFiles(program: string, { exitCode, stderr }: RanProgram): string[] {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const denied = lines.flatMap((line) => DENIED.exec(line)?.[1] ?? []);
  const others = lines.filter((line) => !DENIED.test(line) && !PASSING.test(line));
  if (exitCode === 0 || (lines.length > 0 && others.length === 0)) return denied;
  throw new GitError(`${program} failed: ${others.join("; ").slice(0, 500)}`, null);
}
