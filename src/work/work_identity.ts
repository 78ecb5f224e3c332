import { GitError } from "../git/git.ts";
import { checkRepository } from "../git/repository.ts";
import { identify } from "../git/worktree.ts";
import type { WorkRecord } from "../storage/work_directory.ts";

/** Gives what a worktree is known by. Throws {@linkcode GitError} when another one, or nothing, stands at its place. */
export async function checkIdentity({ spec, ready }: WorkRecord): Promise<NonNullable<WorkRecord["ready"]>> {
  await checkRepository(spec.commonDir);
  const found = await identify(spec.path, spec.commonDir);
  // Not the number of its device, which many file systems have anew whenever they are mounted.
  if (ready !== undefined && found?.gitDir === ready.gitDir && found.inode === ready.inode) return ready;
  throw new GitError(`${spec.path} is not the worktree that the agent has worked in any more`, null);
}
