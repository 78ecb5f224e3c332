/** Merges another branch into an agent's worktree, for the agent to resolve what does not go together: its sandbox cannot. */
import { readBranch } from "../git/branch_facts.ts";
import { GitError } from "../git/git.ts";
import { isAncestor } from "../git/merge_branches.ts";
import { mergeTrees } from "../git/merge_tree.ts";
import { dirtyFiles, turnBack, turnFiles } from "../git/update_checkout.ts";
import type { WorkDirectory, WorkRecord } from "../storage/work_directory.ts";
import { type SnapshotServices, snapshotWork } from "./snapshot_work.ts";

interface BringInOptions extends SnapshotServices {
  readonly directory: WorkDirectory;
  readonly record: WorkRecord;
}

/**
 * Takes back what whoever was killed in the midst of {@linkcode bringIn} has left; gives the record without it. What anybody
 * has written since is in a snapshot then. Throws {@linkcode GitError}.
 */
export async function takeBack({ directory, record, ...services }: BringInOptions): Promise<WorkRecord> {
  const { git, content } = services;
  const { turning, ...rest } = record;
  const { spec: { commonDir, path }, ready } = record;
  if (turning === undefined || ready === undefined) return record;
  await snapshotWork(directory, record, services);
  const text = (await content.of(commonDir))("text");
  await turnBack(git, { checkout: { path, gitDir: ready.gitDir }, content: text, ...turning });
  await directory.write(rest);
  return rest;
}

/** Leaves both sides of each conflict in the files. Throws {@linkcode GitError}; nothing has changed then. */
export async function bringIn(
  ref: string,
  { directory, record, git, content }: BringInOptions,
): Promise<void> {
  const { spec: { commonDir, branch, path }, ready } = record;
  if (ready === undefined) return;
  const text = (await content.of(commonDir))("text");
  const [ours, theirs] = await Promise.all(
    [`refs/heads/${branch}`, ref].map((name) => readBranch(git, commonDir, name)),
  );
  if (ours == null || theirs == null) throw new GitError(`there is no branch ${ours == null ? branch : ref}`, null);
  if (await isAncestor(git, { content: text, oid: theirs, of: ours })) return;
  if (record.merging !== undefined) {
    // A further run of the same task; its branch may have grown since.
    if (await isAncestor(git, { content: text, oid: record.merging.oid, of: theirs })) return;
    throw new GitError(
      "what was merged before has conflicts that are not resolved yet. Have the agent resolve them",
      null,
    );
  }
  const checkout = { path, gitDir: ready.gitDir };
  const dirty = await dirtyFiles(git, { ...checkout, content: text });
  if (dirty.length > 0) {
    throw new GitError(`${path} has changes that are on no branch: ${dirty.slice(0, 5).join(", ")}`, null);
  }
  const merged = await mergeTrees(git, { content: text, ours, theirs });
  const files = merged.kind === "clean" ? [] : merged.files;
  const turning = { from: ours, to: merged.tree };
  await directory.write({ ...record, turning });
  try {
    await turnFiles(git, { checkout, content: text, ...turning, then: () => Promise.resolve() });
  } catch (error) {
    await directory.write(record);
    throw error;
  }
  await directory.write({ ...record, merging: { oid: theirs, files } });
}
