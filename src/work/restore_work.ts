/** Brings back what snapshots have kept, on a new branch in a new worktree: nothing that is there is touched. */
import { join } from "node:path";
import { readBranch } from "../git/branch_facts.ts";
import { GitError } from "../git/git.ts";
import { restoreIgnored } from "../git/ignored_files.ts";
import { readSnapshot, restoreSnapshot } from "../git/restore.ts";
import { isThere } from "../storage/files.ts";
import { resolveLinks } from "../storage/paths.ts";
import type { WorkDirectories, WorkDirectory, WorkRecord } from "../storage/work_directory.ts";
import { reasonOf, TaskError } from "../task/errors.ts";
import type { WorktreeSpec } from "../task/spec.ts";
import { registerAlone } from "./register_alone.ts";
import { type SnapshotServices, snapshotWork } from "./snapshot_work.ts";
import { unmakeWork } from "./unmake_work.ts";
import { checkIdentity } from "./work_identity.ts";
import { listSnapshots, type SnapshotRef, snapshotRefs } from "./work_refs.ts";

/** How long others may be at the same worktree. */
const LOCK_MS = 60_000;

export interface RestoreServices extends SnapshotServices {
  readonly directories: WorkDirectories;
  readonly worktreesDir: string;
}

export interface RestoredWork {
  readonly spec: WorktreeSpec;
  readonly snapshot: string;
  /** What to know of it. */
  readonly notes: readonly string[];
}

/** Restores a worktree from its last snapshot, or from the one with this number. Throws {@linkcode TaskError}. */
export async function restoreWork(
  { id, number }: { readonly id: string; readonly number?: number },
  services: RestoreServices,
): Promise<RestoredWork> {
  const { git, content, directories, now, env } = services;
  const directory = directories.of(id);
  const record = await directory.read();
  if (record === null) {
    throw new TaskError("invalid_argument", `Cannot restore task ${id}: it has worked in no worktree of its own.`);
  }
  try {
    const notes = await keepWhatStands(directory, services);
    const { commonDir } = record.spec;
    const raw = (await content.of(commonDir))("raw");
    const { ref, oid } = await findSnapshot(record, { number, git });
    const { head } = await readSnapshot(git, { snapshot: oid, content: raw });
    const place = await newPlace(record.spec, services);
    const { spec } = place;
    using lock = await place.directory.lock(LOCK_MS);
    if (lock === null) throw new GitError(`another server is at ${spec.path}`, null);
    const begin = head ?? spec.base;
    const known = { spec, ...(record.title === undefined ? {} : { title: record.title }) };
    // Ignored files that come back are new here, and kept as such.
    const at = now();
    // Before git's first command: whatever that leaves is known.
    await place.directory.write(known);
    try {
      const made = await registerAlone(git, { ...spec, base: begin });
      // First: among files of the agent's may be links.
      const archive = directory.ignored;
      if (await isThere(archive)) {
        await restoreIgnored({ path: spec.path, archive, env }).catch((error: unknown) =>
          notes.push(`Not all ignored files are in it: ${reasonOf(error)}.`)
        );
      }
      const parts = { snapshot: oid, made, path: spec.path, commonDir, head: begin, content: raw };
      const missing = await restoreSnapshot(git, parts);
      notes.push(...missing.map((path) => `No repository again: ${path}`));
      await place.directory.write({ ...known, ready: { ...made, at }, keptAt: now() });
    } catch (error) {
      try {
        await unmakeWork(git, { spec: { ...spec, base: begin }, directory: place.directory });
      } catch (left) {
        throw new GitError(`${reasonOf(error)}; ${spec.path} is left: ${reasonOf(left)}`, null, { cause: error });
      }
      throw error;
    }
    return { spec, snapshot: ref, notes };
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new TaskError("start_failed", `Cannot restore task ${id}: ${error.message}. Nothing else has changed.`, {
      cause: error,
    });
  }
}

/** Whoever has worked in it since the last turn is not forgotten. */
async function keepWhatStands(directory: WorkDirectory, services: RestoreServices): Promise<string[]> {
  using lock = await directory.lock(LOCK_MS);
  const record = await directory.read();
  if (lock === null || record === null || record.removed !== undefined) return [];
  try {
    await checkIdentity(record);
    const { notKept } = await snapshotWork(directory, record, services);
    return notKept.map((path) => `In no snapshot: ${path}`);
  } catch (error) {
    return [`What stands at ${record.spec.path} now is not in it: ${reasonOf(error)}.`];
  }
}

async function findSnapshot(
  { spec: { id, commonDir, path }, ready, removed }: WorkRecord,
  { number, git }: { readonly number: number | undefined; readonly git: RestoreServices["git"] },
): Promise<SnapshotRef> {
  const known = await listSnapshots(git, { commonDir, id });
  const found = number === undefined ? known.at(-1) : known.find(({ ref }) => ref === `${snapshotRefs(id)}/${number}`);
  if (found !== undefined) return found;
  if (known.length === 0) {
    if (ready === undefined) throw new GitError("it has no snapshot: its agent was never let in", null);
    const files = removed === undefined ? path : removed.trash;
    const rest = files !== null && await isThere(files) ? `; its files are at ${files}` : "";
    throw new GitError(`no snapshot of it is in ${commonDir}${rest}`, null);
  }
  const numbers = known.map(({ ref }) => ref.slice(ref.lastIndexOf("/") + 1)).join(", ");
  throw new GitError(`it has no snapshot ${number}, but ${numbers}`, null);
}

/** A path and a branch that nobody has. */
async function newPlace(
  of: WorktreeSpec,
  { git, directories, worktreesDir }: RestoreServices,
): Promise<{ readonly spec: WorktreeSpec; readonly directory: WorkDirectory }> {
  // As git names its worktrees.
  const parent = await resolveLinks(worktreesDir);
  const [owner = of.id] = of.id.split(".");
  const name = of.branch.replace(/\.\d+$/, "");
  for (let number = 1;; number++) {
    const id = `${owner}.${number}`;
    const directory = directories.of(id);
    const spec = { ...of, id, path: join(parent, id), branch: `${name}.${number}` };
    const isTaken = !await directory.claim() ||
      await isThere(spec.path) ||
      await readBranch(git, of.commonDir, `refs/heads/${spec.branch}`) !== null;
    if (!isTaken) return { spec, directory };
  }
}
