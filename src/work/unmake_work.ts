import type { Git } from "../git/git.ts";
import { removeWorktree } from "../git/remove_worktree.ts";
import { deleteBranch } from "../git/worktree.ts";
import { removeAll } from "../storage/files.ts";
import type { WorkDirectory } from "../storage/work_directory.ts";
import type { WorktreeSpec } from "../task/spec.ts";
import { aloneIn, lockReason } from "./register_alone.ts";
import { newTrashPlace } from "./trash.ts";

/**
 * Takes back what was made of a worktree that no agent was ever let into, by whoever may have been killed in the midst of
 * it; tells whether its branch is gone. Throws {@linkcode GitError}.
 */
export async function unmakeWork(
  git: Git,
  { spec, directory }: {
    readonly spec: WorktreeSpec;
    readonly directory: WorkDirectory;
  },
): Promise<boolean> {
  const { path, commonDir, branch, base } = spec;
  const place = newTrashPlace(spec);
  const reason = lockReason(spec.id);
  const alone = (work: () => Promise<void>): Promise<void> => aloneIn(commonDir, work);
  await removeWorktree(git, { commonDir, path, place, reason, alone, check: () => Promise.resolve() });
  const isBranchGone = await deleteBranch(git, { commonDir, branch, oid: base });
  await directory.forget();
  // A git or a command that has outlived its server goes on writing there, and nowhere else.
  await removeAll(place).catch(() => undefined);
  return isBranchGone;
}
