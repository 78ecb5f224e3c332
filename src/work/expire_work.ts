/** What is forgotten for good of worktrees that were taken away a while ago. */
import { type Git, GitError } from "../git/git.ts";
import type { Log } from "../log.ts";
import type { WorkDirectories, WorkDirectory, WorkRecord } from "../storage/work_directory.ts";
import type { RepositoryContent } from "./repository_content.ts";
import { emptyTrash } from "./trash.ts";
import { workFacts } from "./work_facts.ts";
import { doneRef, listSnapshots } from "./work_refs.ts";

export interface ExpireServices {
  readonly git: Git;
  readonly content: RepositoryContent;
  readonly directories: WorkDirectories;
  readonly log: Log;
  readonly now: () => Date;
  /** How long what was taken away is kept where another branch has all of it. */
  readonly retentionMs: number;
}

/**
 * Forgets for good what was taken away longer ago than it is kept: the files of all, and the snapshots of those of which
 * another branch has everything. What has not come together anywhere stays restorable without end.
 */
export async function expireWork(services: ExpireServices): Promise<void> {
  for (const id of await services.directories.ids()) {
    try {
      await expire(services.directories.of(id), services);
    } catch (error) {
      services.log.warning("what was removed of a worktree is kept", { id, error });
    }
  }
}

async function expire(directory: WorkDirectory, services: ExpireServices): Promise<void> {
  const { git, now, retentionMs } = services;
  using lock = await directory.lock(0);
  const found = lock === null ? null : await directory.read();
  if (found?.removed === undefined) return;
  const isOver = (since: Date): boolean => now().getTime() - since.getTime() >= retentionMs;
  let { removed } = found;
  if (removed.trash !== null && isOver(removed.at) && await hasSnapshot(git, found)) {
    await emptyTrash(found);
    removed = { ...removed, trash: null };
    await directory.write({ ...found, removed });
  }
  const record = { ...found, removed };
  const { integratedAt, ...rest } = record;
  const isElsewhere = removed.isAllOnBranch && (await workFacts(directory, record, services)).isMerged;
  // A merge may be taken back: then it is only here again.
  if (isElsewhere !== (integratedAt !== undefined)) {
    return await directory.write(isElsewhere ? { ...rest, integratedAt: now() } : rest);
  }
  if (integratedAt === undefined || !isOver(integratedAt) || !isOver(removed.at)) return;
  await forget(directory, record, services);
}

/** All that a snapshot reaches is there. */
async function hasSnapshot(git: Git, { spec: { commonDir, id } }: WorkRecord): Promise<boolean> {
  const last = (await listSnapshots(git, { commonDir, id }).catch(() => [])).at(-1);
  if (last === undefined) return false;
  const walk = [`--git-dir=${commonDir}`, "rev-list", "--objects", "--quiet", `${last.oid}^{tree}`];
  return (await git.run(walk, { timeoutMs: 10 * 60_000 })).exitCode === 0;
}

async function forget(
  directory: WorkDirectory,
  record: WorkRecord,
  { git }: ExpireServices,
): Promise<void> {
  const { commonDir, id } = record.spec;
  const refs = await listSnapshots(git, { commonDir, id });
  const done = await git.run([`--git-dir=${commonDir}`, "rev-parse", "--quiet", "--verify", doneRef(id)]);
  const all = done.exitCode === 0 ? [...refs, { ref: doneRef(id), oid: done.stdout.trim() }] : refs;
  const input = all.map(({ ref, oid }) => `delete ${ref}\0${oid}\0`).join("");
  const deleted = await git.run([`--git-dir=${commonDir}`, "update-ref", "--stdin", "-z"], { input });
  if (deleted.exitCode !== 0) {
    throw new GitError(`the snapshots of ${id} could not be deleted: ${deleted.stderr}`, null);
  }
  await emptyTrash(record);
  await directory.remove();
}
