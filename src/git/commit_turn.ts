/** Commits what an agent has left uncommitted, on its own branch: its sandbox cannot. */
import { join } from "node:path";
import { lockIndex } from "./copy_index.ts";
import { readHead } from "./head_history.ts";
import type { Git } from "./git.ts";
import { isThere } from "./is_there.ts";
import { scratchFile } from "./scratch_file.ts";
import { writeTree } from "./write_tree.ts";
import { type Identity, writeCommit } from "./write_commit.ts";

export interface CommitTurnOptions {
  readonly gitDir: string;
  readonly path: string;
  /** Without `refs/heads/`. */
  readonly branch: string;
  /** Variables of an {@linkcode openContent} that converts line ends. */
  readonly content: Readonly<Record<string, string>>;
  /** File of an index for this working tree's commits alone. */
  readonly index: string;
  readonly message: string;
  /** A commit that has been merged into the files; it becomes the second parent. */
  readonly merged?: string | undefined;
  readonly identity: Identity;
  readonly at: Date;
}

export type TurnCommit =
  /** `isNew` tells whether there was anything to be committed. */
  | { readonly kind: "committed"; readonly oid: string; readonly isNew: boolean; readonly leftOut: readonly string[] }
  /** Nothing was committed, and why. */
  | { readonly kind: "left"; readonly reason: "elsewhere" | "under way" | "conflicts" };

/** Operations of git's that an agent has begun and not ended. */
const UNDER_WAY = ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply"];

/** Commits all that is not ignored, if HEAD is on the branch. Throws {@linkcode GitError}. */
export async function commitTurn(git: Git, options: CommitTurnOptions): Promise<TurnCommit> {
  const { gitDir, path, branch, content, index } = options;
  for (const name of UNDER_WAY) if (await isThere(join(gitDir, name))) return { kind: "left", reason: "under way" };
  const head = await readHead(git, gitDir);
  const ref = `refs/heads/${branch}`;
  if (head === null || head.branch !== ref) return { kind: "left", reason: "elsewhere" };
  await using whole = scratchFile(index);
  const treeIndex = whole.path;
  const { tree, nested: leftOut } = await writeTree(git, {
    content,
    path,
    index,
    head: head.oid,
    nested: "leave",
    indexed: { gitDir, filtered: "known" },
    treeIndex,
  });
  if (tree === head.tree && options.merged === undefined) {
    return { kind: "committed", oid: head.oid, isNew: false, leftOut };
  }
  const oid = await writeCommit(git, {
    ...options,
    tree,
    parents: [head.oid, ...(options.merged === undefined ? [] : [options.merged])],
  });
  const input = `update ${ref}\0${oid}\0${head.oid}\0`;
  await git.output([`--git-dir=${gitDir}`, "update-ref", "-m", "codex-swarm: end of turn", "--stdin", "-z"], {
    input,
  });
  await replaceIndex(gitDir, treeIndex);
  return { kind: "committed", oid, isNew: true, leftOut };
}

/** Makes git see what was committed. Whoever holds the index keeps it as it is: then all looks as if it were staged back. */
async function replaceIndex(gitDir: string, index: string): Promise<void> {
  const lock = join(gitDir, "index.lock");
  try {
    await lockIndex(index, lock);
  } catch {
    return;
  }
  await Deno.rename(lock, join(gitDir, "index"));
}
