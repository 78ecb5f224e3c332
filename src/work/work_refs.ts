/** The refs that hold what agents have made, beside their branches. */
import type { Git } from "../git/git.ts";

/** A snapshot of a worktree. */
export interface SnapshotRef {
  readonly ref: string;
  readonly oid: string;
}

/** Snapshots of a worktree stand below this, each with a number from 1. */
export function snapshotRefs(id: string): string {
  return `refs/codex-swarm/snap/${id}`;
}

/** The end of a branch that was deleted since another one has all of it. */
export function doneRef(id: string): string {
  return `refs/codex-swarm/done/${id}`;
}

/** The snapshots of a worktree, oldest first. Throws {@linkcode GitError}. */
export async function listSnapshots(
  git: Git,
  { commonDir, id }: { readonly commonDir: string; readonly id: string },
): Promise<SnapshotRef[]> {
  const lines = await git.text([
    `--git-dir=${commonDir}`,
    "for-each-ref",
    "--sort=version:refname",
    "--format=%(refname) %(objectname)",
    `${snapshotRefs(id)}/`,
  ]);
  return lines.split("\n").filter((line) => line !== "").map((line) => {
    const [ref = "", oid = ""] = line.split(" ");
    return { ref, oid };
  });
}
