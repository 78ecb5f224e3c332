import { join } from "node:path";
import { reasonOf, TaskError } from "../task/errors.ts";
import { installShim } from "./install_shim.ts";
import { writeAside } from "./write_aside.ts";

/** The version of the state directory that this program writes. The first had no file that says so. */
export const STATE_FORMAT = 3;

/**
 * Makes the places where tasks are kept, for nobody else to see, and puts the shim there; gives its path. Throws
 * `state_not_writable` with the way out.
 */
export async function makeStateDirectory(stateDir: string, others: readonly string[]): Promise<string> {
  await refuseNewerState(stateDir);
  try {
    for (const directory of [stateDir, ...others]) await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    if (await readStateFormat(stateDir) !== STATE_FORMAT) await writeAside(formatFile(stateDir), `${STATE_FORMAT}\n`);
    return await installShim(stateDir);
  } catch (error) {
    const reason = reasonOf(error);
    throw new TaskError(
      "state_not_writable",
      `Cannot write the state directory ${stateDir}: ${reason}. Free some space there or name another directory with ` +
        "--state-dir.",
      { cause: error },
    );
  }
}

/**
 * Refuses to write into the directory of a newer program, with the way out: what it holds may be read, but this program
 * knows neither what it may change there nor what it may remove. Throws `state_not_writable`.
 */
export async function refuseNewerState(stateDir: string): Promise<void> {
  if (!await isNewerState(stateDir)) return;
  throw new TaskError(
    "state_not_writable",
    `Cannot write the state directory ${stateDir}: it was written by a newer codex-swarm. Update codex-swarm, or name ` +
      "another directory with --state-dir. Tasks that are there can still be looked at.",
  );
}

/** Tells whether a newer program has written the directory. */
export async function isNewerState(stateDir: string): Promise<boolean> {
  return await readStateFormat(stateDir) > STATE_FORMAT;
}

/** The version of the directory; 1 where nothing says so. */
async function readStateFormat(stateDir: string): Promise<number> {
  try {
    const [format] = /^\d{1,9}/.exec(await Deno.readTextFile(formatFile(stateDir))) ?? [];
    return Number(format ?? 1);
  } catch {
    // Not there, or not ours to read: then it is not ours to write either, as the attempt will tell.
    return 1;
  }
}

function formatFile(stateDir: string): string {
  return join(stateDir, "format");
}
