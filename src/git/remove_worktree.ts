import { dirname } from "node:path";
import { type Git, GitError } from "./git.ts";

/**
 * Takes a worktree away from its place and from git's registry, but keeps its files: they are moved to `place`, on the
 * same file system, where `check` may still say no by throwing. Throws then, and all is as it was. Where there are no
 * files, nothing is moved or checked.
 */
export async function removeWorktree(
  git: Git,
  { commonDir, path, place, reason, check, alone }: {
    readonly commonDir: string;
    readonly path: string;
    readonly place: string;
    /** Why git itself must leave it alone as long as it is there. */
    readonly reason: string;
    readonly check: () => Promise<void>;
    /** Runs what writes into git's registry, while nobody else does. */
    readonly alone: (work: () => Promise<void>) => Promise<void>;
  },
): Promise<void> {
  await Deno.mkdir(dirname(place), { recursive: true, mode: 0o700 });
  const isMoved = await Deno.rename(path, place).then(() => true, ignoreNotFound);
  try {
    if (isMoved) await check();
    // Where the repository itself is gone, nothing is registered any more.
    if (await isDirectory(commonDir)) await alone(() => unregister(git, { commonDir, path, reason }));
  } catch (error) {
    if (isMoved) await Deno.rename(place, path);
    throw error;
  }
}

async function unregister(
  git: Git,
  { commonDir, path, reason }: { readonly commonDir: string; readonly path: string; readonly reason: string },
): Promise<void> {
  const at = [`--git-dir=${commonDir}`, "worktree"];
  await git.run([...at, "unlock", path]);
  const { exitCode, stderr } = await git.run([...at, "remove", path]);
  if (exitCode === 0 || /is not a working tree/.test(stderr)) return;
  await git.run([...at, "lock", "--reason", reason, path]);
  throw new GitError(`git knows ${path} still: ${stderr.trim()}`, exitCode);
}

async function isDirectory(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
}

function ignoreNotFound(error: unknown): false {
  if (error instanceof Deno.errors.NotFound) return false;
  throw error;
}
