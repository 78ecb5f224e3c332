import { join } from "node:path";
import { type Git, GitError } from "../git/git.ts";
import { registerWorktree, type WorktreeIdentity } from "../git/worktree.ts";
import { waitForLock } from "../storage/kernel_lock.ts";
import type { WorktreeSpec } from "../task/spec.ts";

/** How long other servers may be at the registry of the same repository. */
const LOCK_MS = 60_000;

/** Why git itself must leave a worktree alone. */
export function lockReason(id: string): string {
  return `codex-swarm:${id}`;
}

/** Enters a worktree into git's registry. Throws {@linkcode GitError}. */
export async function registerAlone(
  git: Git,
  { id, path, branch, base, commonDir }: WorktreeSpec,
): Promise<WorktreeIdentity> {
  return await aloneIn(
    commonDir,
    () => registerWorktree(git, { path, branch, base, commonDir, reason: lockReason(id) }),
  );
}

/** Does something to git's registry of worktrees, which does not stand several at once. Throws {@linkcode GitError}. */
export async function aloneIn<T>(commonDir: string, work: () => Promise<T>): Promise<T> {
  const file = join(commonDir, "codex-swarm.lock");
  using lock = await waitForLock(file, { waitMs: LOCK_MS });
  if (lock === null) throw new GitError(`${file} is held by another server`, null);
  return await work();
}
