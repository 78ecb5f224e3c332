/** What is done about open files, of which a process may have only so many at a time. */
import { join } from "node:path";
import { isShortOfFiles } from "../process/short_of_files.ts";

/** How many must be left when a task is begun: as long as it lives it keeps one, and to run it takes some for a moment. */
const SPARE_FILES = 16;

/** Throws what the system says when so few open files are left that the tasks there are could not be run any more. */
export function checkSpareFiles(): void {
  // There is no such limit worth the name.
  if (Deno.build.os === "windows") return;
  using files = new DisposableStack();
  for (let opened = 0; opened < SPARE_FILES; opened++) files.use(Deno.openSync("/dev/null"));
}

/** Removes a directory that holds at most these files, without opening any: not even to list them. Never throws. */
export async function removeUnopened(directory: string, names: readonly string[]): Promise<void> {
  for (const name of names) await Deno.remove(join(directory, name)).catch(() => undefined);
  await Deno.remove(directory).catch(() => undefined);
}

/** What helps against an error of writing. */
export function wayOut(error: unknown): string {
  return isShortOfFiles(error)
    ? "Wait until other tasks have ended, or give the server more open files (ulimit -n)."
    : "Free some space or name another directory with --state-dir.";
}
