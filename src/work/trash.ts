/** Where worktrees are put aside that were taken away. */
import { dirname, join } from "node:path";
import { findByInode, removeAll } from "../storage/files.ts";
import type { WorkRecord } from "../storage/work_directory.ts";
import type { WorktreeSpec } from "../task/spec.ts";

/**
 * A new place for a worktree's files: on the same file system, and as deep as they were, since a submodule names its
 * repository by a relative path.
 */
export function newTrashPlace(spec: Pick<WorktreeSpec, "id" | "path">): string {
  return `${placesOf(spec)}${crypto.randomUUID()}`;
}

/** Where a worktree has been put aside by somebody who did not live to write it down; `null` when it was not. */
export async function findTrash({ spec, ready }: Pick<WorkRecord, "spec" | "ready">): Promise<string | null> {
  const inode = ready?.inode;
  return inode === undefined ? null : await findByInode(placesOf(spec), inode);
}

/** Deletes what was put aside of a worktree, and nothing that lies anywhere else. */
export async function emptyTrash({ spec, removed }: Pick<WorkRecord, "spec" | "removed">): Promise<void> {
  const place = removed?.trash ?? null;
  if (place === null || !place.startsWith(placesOf(spec)) || dirname(place) !== dirname(spec.path)) return;
  await removeAll(place);
}

function placesOf({ id, path }: Pick<WorktreeSpec, "id" | "path">): string {
  return join(dirname(path), `.trash-${id}.`);
}
