/**
 * What a server writes down before it moves the files of somebody's checkout, so that the next one can make good that it
 * was killed in their midst. It stands in the checkout's own git directory, where servers of any state directory find it.
 */
import { join } from "node:path";
import * as z from "zod";
import { waitForLock } from "./kernel_lock.ts";
import { syncDirectory, writeAside } from "./write_aside.ts";

const NAME = "codex-swarm.move";
/** How long the move of another server is waited for. */
const WAIT_MS = 5_000;

const shape = z.object({
  path: z.string(),
  ref: z.string(),
  from: z.string(),
  to: z.string(),
  index: z.string(),
});

/** A move that has begun: top of the working tree, branch, its commits before and after, name of the index in use. */
export type MoveRecord = Readonly<z.output<typeof shape>>;

export function moveJournal(gitDir: string): string {
  return join(gitDir, NAME);
}

/** Takes the right to move a checkout, which its holder loses when it dies; `null` when it cannot be had in time. */
export async function lockMoves(gitDir: string): Promise<Disposable | null> {
  return await waitForLock(join(gitDir, `${NAME}.lock`), { waitMs: WAIT_MS });
}

/** On disk when this returns. */
export async function writeMove(gitDir: string, record: MoveRecord): Promise<void> {
  await writeAside(moveJournal(gitDir), `${JSON.stringify(record)}\n`);
  await syncDirectory(gitDir);
}

/** `null` where none has begun. Throws for a record that is none of ours. */
export async function readMove(gitDir: string): Promise<MoveRecord | null> {
  try {
    return shape.parse(JSON.parse(await Deno.readTextFile(moveJournal(gitDir))));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

export async function removeMove(gitDir: string): Promise<void> {
  await Deno.remove(moveJournal(gitDir));
}

/** The git directories of a repository's working trees. */
export async function gitDirsOf(commonDir: string): Promise<string[]> {
  const worktrees = join(commonDir, "worktrees");
  const names = await Array.fromAsync(Deno.readDir(worktrees), ({ name }) => join(worktrees, name)).catch(() => []);
  return [commonDir, ...names];
}
