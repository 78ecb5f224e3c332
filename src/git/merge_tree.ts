/** Merges in memory: no index, no working tree and no ref is touched. */
import { fieldsOf, textOf } from "./bytes.ts";
import { type Git, GitError } from "./git.ts";
import { type Identity, writeCommit } from "./write_commit.ts";

const TIMEOUT_MS = 5 * 60_000;

type Content = Readonly<Record<string, string>>;

/** What merging two commits comes to. */
export type MergedTree =
  | { readonly kind: "clean"; readonly tree: string }
  /** `tree` has the files in conflict with both sides in them. */
  | {
    readonly kind: "conflict";
    readonly tree: string;
    readonly files: readonly string[];
    /** Git's own sentences. */
    readonly messages: readonly string[];
  };

/** Merges two commits by their last common one. Needs git 2.38. Throws {@linkcode GitError}. */
export async function mergeTrees(
  git: Git,
  { content, ours, theirs }: { readonly content: Content; readonly ours: string; readonly theirs: string },
): Promise<MergedTree> {
  const args = [
    "merge-tree",
    "--write-tree",
    "--allow-unrelated-histories",
    "--name-only",
    "-z",
    "--messages",
    ours,
    theirs,
  ];
  const { exitCode, stdout, stderr } = await git.run(args, { env: content, timeoutMs: TIMEOUT_MS });
  const fields = fieldsOf(stdout).map(textOf);
  const [tree = "", ...rest] = fields;
  if (exitCode === 0) return { kind: "clean", tree };
  if (exitCode !== 1) throw new GitError(`git merge-tree failed: ${stderr.trim()}`, exitCode);
  const end = rest.indexOf("");
  const files = rest.slice(0, end);
  const messages: string[] = [];
  // Behind the files: how many paths, the paths, the kind, the sentence.
  for (let at = end + 1; at < rest.length;) {
    const paths = Number(rest[at]);
    const [kind = "", message = ""] = rest.slice(at + 1 + paths, at + 3 + paths);
    if (kind.startsWith("CONFLICT")) messages.push(message.trim());
    at += paths + 3;
  }
  return { kind: "conflict", tree, files, messages };
}

/** What applying the commits of one branch after another came to. */
export type Replay =
  | { readonly kind: "done"; readonly tip: string }
  | { readonly kind: "conflict"; readonly commit: string; readonly merged: Extract<MergedTree, { kind: "conflict" }> };

/**
 * Applies the commits between `base` and `from` that `onto` has not on top of `onto`, as a rebase does: without merges, and without those that
 * change nothing there any more. Their authors stay. Throws {@linkcode GitError}.
 */
export async function replay(
  git: Git,
  { content, base, from, onto, identity, at }: {
    readonly content: Content;
    readonly base: string;
    readonly from: string;
    readonly onto: string;
    /** Committer of the new commits. */
    readonly identity: Identity;
    readonly at: Date;
  },
): Promise<Replay> {
  const range = [from, `^${base}`, `^${onto}`];
  const list = await git.text(["rev-list", "--reverse", "--topo-order", "--no-merges", ...range], { env: content });
  let tip = onto;
  for (const commit of list.split("\n").filter((line) => line !== "")) {
    const facts = await git.text(["show", "-s", "--format=%P%n%an%n%ae%n%at%n%B", commit], { env: content });
    const [parent, author, email, date, ...body] = facts.split("\n");
    const tree = await git.text(["rev-parse", `${tip}^{tree}`], { env: content });
    // As if the tip had been made from the parent of the commit: then that is what both have in common.
    const parents = parent === undefined || parent === "" ? [] : [parent];
    const stand = await writeCommit(git, { content, tree, parents, message: "stand-in", identity, at: new Date(0) });
    const merged = await mergeTrees(git, { content, ours: stand, theirs: commit });
    if (merged.kind === "conflict") return { kind: "conflict", commit, merged };
    if (merged.tree === tree) continue;
    tip = await writeCommit(git, {
      content,
      tree: merged.tree,
      parents: [tip],
      message: body.join("\n"),
      identity,
      author: { name: author ?? "", email: email ?? "", at: new Date(Number(date) * 1000) },
      at,
    });
  }
  return { kind: "done", tip };
}
