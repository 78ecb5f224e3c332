import { type Git, GitError } from "./git.ts";
import { type MergedTree, mergeTrees, replay } from "./merge_tree.ts";
import { type Identity, writeCommit } from "./write_commit.ts";

export const MERGE_MODES = ["merge", "squash", "rebase"] as const;
/** A merge commit for each branch, one commit for each, or its commits one after the other. */
export type MergeMode = typeof MERGE_MODES[number];

/** What one agent has made. */
export interface Branch {
  readonly oid: string;
  /** The commit that it began with. */
  readonly base: string;
  /** Of a merge commit or of the one commit. */
  readonly message: string;
}

export type MergedBranches =
  /** `tips[i]` is the commit that has all up to and with branch `i`. */
  | { readonly kind: "merged"; readonly tips: readonly string[] }
  /** Branch `at` does not go with what is before it. */
  | { readonly kind: "conflict"; readonly at: number; readonly merged: Extract<MergedTree, { kind: "conflict" }> };

/** Merges branches one after the other on top of `onto`, in memory; see {@linkcode mergeTrees}. Throws {@linkcode GitError}. */
export async function mergeBranches(
  git: Git,
  { content, onto, branches, mode, identity, at }: {
    readonly content: Readonly<Record<string, string>>;
    readonly onto: string;
    readonly branches: readonly Branch[];
    readonly mode: MergeMode;
    readonly identity: Identity;
    readonly at: Date;
  },
): Promise<MergedBranches> {
  const tips: string[] = [];
  let tip = onto;
  for (const [index, { oid, base, message }] of branches.entries()) {
    if (!await isAncestor(git, { content, oid, of: tip })) {
      if (mode === "rebase") {
        await checkLinear(git, { content, base, from: oid, onto: tip });
        const replayed = await replay(git, { content, base, from: oid, onto: tip, identity, at });
        if (replayed.kind === "conflict") return { kind: "conflict", at: index, merged: replayed.merged };
        tip = replayed.tip;
      } else {
        const merged = await mergeTrees(git, { content, ours: tip, theirs: oid });
        if (merged.kind === "conflict") return { kind: "conflict", at: index, merged };
        // Squashed or rebased before, it would be an empty commit.
        if (merged.tree === await git.text(["rev-parse", `${tip}^{tree}`], { env: content })) {
          tips.push(tip);
          continue;
        }
        const parents = mode === "merge" ? [tip, oid] : [tip];
        tip = await writeCommit(git, { content, tree: merged.tree, parents, message, identity, at });
      }
    }
    tips.push(tip);
  }
  return { kind: "merged", tips };
}

/** What was resolved in a merge is in none of the commits that a rebase takes. */
async function checkLinear(
  git: Git,
  { content, base, from, onto }: {
    readonly content: Readonly<Record<string, string>>;
    readonly base: string;
    readonly from: string;
    readonly onto: string;
  },
): Promise<void> {
  const merge = await git.text(["rev-list", "--merges", "--max-count=1", from, `^${base}`, `^${onto}`], {
    env: content,
  });
  if (merge !== "") throw new GitError(`${merge} is a merge, which a rebase leaves out: take mode=squash`, null);
}

export async function isAncestor(
  git: Git,
  { content, oid, of }: {
    readonly content: Readonly<Record<string, string>>;
    readonly oid: string;
    readonly of: string;
  },
): Promise<boolean> {
  return (await git.run(["merge-base", "--is-ancestor", oid, of], { env: content })).exitCode === 0;
}
