/** Takes a worktree away. Its work stays: on its branch unless that is elsewhere too, and in its snapshots. */
import { dirname } from "node:path";
import { GitError } from "../git/git.ts";
import { removeWorktree } from "../git/remove_worktree.ts";
import { unkeptFiles } from "../git/unkept_files.ts";
import { deleteBranch } from "../git/worktree.ts";
import { whoIsIn } from "../process/who_is_in.ts";
import { deviceOf, isThere, move } from "../storage/files.ts";
import type { WorkDirectory, WorkRecord } from "../storage/work_directory.ts";
import { reasonOf } from "../task/errors.ts";
import { type SnapshotServices, snapshotWork, type WorkSnapshot } from "./snapshot_work.ts";
import { aloneIn, lockReason } from "./register_alone.ts";
import { findTrash, newTrashPlace } from "./trash.ts";
import { unmakeWork } from "./unmake_work.ts";
import { type WorkFacts, workFacts } from "./work_facts.ts";
import { checkIdentity } from "./work_identity.ts";
import { doneRef } from "./work_refs.ts";

export interface RemoveServices extends SnapshotServices {
  /** Gives who still works in a worktree, or may write below a directory, in words. */
  readonly isInUse: (id: string, directory?: string) => Promise<string | null>;
}

export type Removal =
  | {
    readonly kind: "removed";
    readonly record: WorkRecord;
    /** What it was like just before; `null` where no agent was ever let in. */
    readonly facts: WorkFacts | null;
    readonly isBranchGone: boolean;
    /** What no snapshot has, by path. */
    readonly notKept: readonly string[];
  }
  /** Nothing was taken away, and why. */
  | { readonly kind: "kept"; readonly reason: string };

/** Tells why a worktree must stay; `null` when it may be taken away. */
export async function whyKept(
  { spec, removed }: WorkRecord,
  { isInUse }: Pick<RemoveServices, "isInUse">,
): Promise<string | null> {
  if (removed !== undefined) return "it was removed before";
  const user = await isInUse(spec.id);
  if (user !== null) return user;
  const pids = await whoIsIn(spec.path);
  return pids.length === 0 ? null : `process ${pids[0]} works in it`;
}

/** Removes in two phases: what is there is moved aside first, and only forgotten after a while. Never throws. */
export async function removeWork(directory: WorkDirectory, services: RemoveServices): Promise<Removal> {
  try {
    using lock = await directory.lock(0);
    if (lock === null) return { kind: "kept", reason: "another server is at it" };
    const record = await directory.read();
    if (record === null) return { kind: "kept", reason: "nothing is known of it" };
    const reason = await whyKept(record, services);
    return reason === null ? await remove(directory, record, services) : { kind: "kept", reason };
  } catch (error) {
    return { kind: "kept", reason: reasonOf(error) };
  }
}

async function remove(directory: WorkDirectory, record: WorkRecord, services: RemoveServices): Promise<Removal> {
  const { git, now } = services;
  const { spec } = record;
  const { path, commonDir } = spec;
  if (record.ready === undefined) {
    // Whoever made it was killed in the midst of that.
    const isBranchGone = await unmakeWork(git, { spec, directory });
    return { kind: "removed", record, facts: null, isBranchGone, notKept: [] };
  }
  const { stands, aside } = await findFiles(record, record.ready);
  const first = stands ? await keepAll(directory, record, services, { path }) : null;
  const facts = await workFacts(directory, record, services);
  const place = newTrashPlace(spec);
  let last = first;
  await removeWorktree(git, {
    commonDir,
    path,
    place,
    reason: lockReason(spec.id),
    alone: (work) => aloneIn(commonDir, work),
    // Nobody comes by its old name any more: what was written since the first look is seen now.
    check: async () => {
      last = await keepAll(directory, record, services, { path: place });
      const [pid] = await whoIsIn(place);
      if (pid !== undefined) throw new GitError(`process ${pid} works in it`, null);
    },
  });
  // What came since is on no branch.
  const isAllOnBranch = facts.isAllOnBranch && !facts.hasIgnored && last?.oid === first?.oid;
  const removed: WorkRecord = {
    ...record,
    removed: { at: now(), trash: stands ? place : aside, isAllOnBranch },
    ...(isAllOnBranch && facts.isMerged ? { integratedAt: now() } : {}),
  };
  await directory.write(removed);
  const isBranchGone = await dropBranch(record, { git, facts });
  return { kind: "removed", record: removed, facts, isBranchGone, notKept: last?.notKept ?? [] };
}

/**
 * Where the files of a worktree are: at their place, or `aside` when whoever removed it was killed after git had forgotten it.
 * Throws {@linkcode GitError} while their disk is not there.
 */
async function findFiles(
  record: WorkRecord,
  { gitDir, device }: NonNullable<WorkRecord["ready"]>,
): Promise<{ readonly stands: boolean; readonly aside: string | null }> {
  const { path } = record.spec;
  if (await isThere(path)) return { stands: true, aside: null };
  if (await deviceOf(dirname(path)) !== device) throw new GitError(`the disk of ${path} is not there`, null);
  const aside = await findTrash(record);
  if (aside === null || !await isThere(gitDir)) return { stands: false, aside };
  await move(aside, path);
  return { stands: true, aside: null };
}

/** Takes a snapshot and reads it back. Throws {@linkcode GitError} when it lacks anything that could be in it. */
async function keepAll(
  directory: WorkDirectory,
  record: WorkRecord,
  services: RemoveServices,
  { path }: { readonly path: string },
): Promise<WorkSnapshot> {
  const { git, content, env } = services;
  if (path === record.spec.path) await checkIdentity(record);
  const snapshot = await snapshotWork(directory, record, services, { path });
  const raw = (await content.of(record.spec.commonDir))("raw");
  const back = await git.text(["rev-parse", `${snapshot.ref}^{tree}`], {
    env: { ...raw, GIT_DIR: record.spec.commonDir },
  });
  if (back !== snapshot.tree) throw new GitError(`${snapshot.ref} is not what was written`, null);
  const unkept = await unkeptFiles(git, {
    path,
    content: raw,
    index: directory.rawIndex,
    repositories: snapshot.repositories,
    tree: snapshot.tree,
    env,
  });
  const unread = unkept.filter((name) => !snapshot.notKept.includes(name));
  if (unread.length > 0) throw new GitError(`no snapshot has ${unread.slice(0, 5).join(", ")}`, null);
  if (snapshot.unreadable.length > 0) throw new GitError(`${snapshot.unreadable[0]} cannot be read`, null);
  return snapshot;
}

/** Deletes the branch where another one has all of it, and holds its end until nothing is to be restored any more. */
async function dropBranch(
  { spec: { id, commonDir, branch } }: WorkRecord,
  { git, facts: { tip, isMerged, unknown } }: { readonly git: RemoveServices["git"]; readonly facts: WorkFacts },
): Promise<boolean> {
  if (unknown !== undefined || tip === null || !isMerged) return unknown === undefined && tip === null;
  await git.output([`--git-dir=${commonDir}`, "update-ref", doneRef(id), tip]);
  return await deleteBranch(git, { commonDir, branch, oid: tip });
}
