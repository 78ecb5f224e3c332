/** Where an agent's branch begins. */
import { join } from "node:path";
import type { Git } from "./git.ts";
import { dirtyFiles } from "./update_checkout.ts";
import { type Identity, writeCommit } from "./write_commit.ts";
import { writeTree } from "./write_tree.ts";

type Content = Readonly<Record<string, string>>;

/** A checkout that a task is to work beside. */
export interface BaseOptions {
  readonly top: string;
  readonly gitDir: string;
  readonly commonDir: string;
  /** Variables of an {@linkcode openContent} that converts line ends. */
  readonly content: Content;
}

export interface Base {
  readonly oid: string;
  /** Full name of the branch that it stands for, `null` for any other commit. */
  readonly branch: string | null;
}

/** Resolves `head`, `remote` or whatever git understands as a commit. Throws {@linkcode GitError} with what is wrong. */
export async function resolveBase(
  git: Git,
  name: string,
  { gitDir }: Pick<BaseOptions, "gitDir">,
): Promise<Base | null> {
  const names = name === "head" ? ["HEAD"] : name === "remote" ? ["@{upstream}", "refs/remotes/origin/HEAD"] : [name];
  for (const one of names) {
    const oid = await git.run([
      `--git-dir=${gitDir}`,
      "rev-parse",
      "--quiet",
      "--verify",
      "--end-of-options",
      `${one}^{commit}`,
    ]);
    if (oid.exitCode !== 0) continue;
    const full = await git.run([`--git-dir=${gitDir}`, "rev-parse", "--symbolic-full-name", "--end-of-options", one]);
    const branch = full.stdout.trim().split("\n").at(-1) ?? "";
    return { oid: oid.stdout.trim(), branch: branch.startsWith("refs/heads/") ? branch : null };
  }
  return null;
}

/**
 * Makes a commit of a checkout as it stands, with what is not committed; the checkout itself is not touched. `leftOut` are
 * files that have changed, but that only a filter could bring into a commit.
 */
export async function commitCheckout(
  git: Git,
  options: BaseOptions & {
    readonly index: string;
    /** Of its HEAD. */
    readonly oid: string;
    readonly message: string;
    readonly identity: Identity;
    readonly at: Date;
  },
): Promise<{ readonly oid: string; readonly leftOut: readonly string[] }> {
  const { content, top: path, gitDir, index, oid } = options;
  const { tree, unfiltered: leftOut = [] } = await writeTree(git, {
    content,
    path,
    index,
    head: oid,
    nested: "leave",
    indexed: { gitDir, filtered: "never" },
  });
  if (tree === await git.text(["rev-parse", `${oid}^{tree}`], { env: content })) return { oid, leftOut };
  return { oid: await writeCommit(git, { ...options, tree, parents: [oid] }), leftOut };
}

/** Tells what of a commit git alone does not bring into a worktree. */
export async function readUnfilled(
  git: Git,
  { content, oid }: { readonly content: Content; readonly oid: string },
): Promise<{ readonly hasLfs: boolean; readonly hasSubmodules: boolean }> {
  const read = async (name: string): Promise<string> =>
    (await git.run(["cat-file", "blob", `${oid}:${name}`], { env: content })).stdout;
  const [attributes, modules] = await Promise.all([read(".gitattributes"), read(".gitmodules")]);
  return { hasLfs: /^[^#\n]*\sfilter=lfs\b/m.test(attributes), hasSubmodules: modules !== "" };
}

/** Files of the checkout that an agent whose branch begins at HEAD does not get to see. */
export async function leftOutFiles(git: Git, { top, gitDir, content }: BaseOptions): Promise<string[]> {
  return await dirtyFiles(git, { path: top, gitDir, content, untracked: true });
}

/** The git directory of a working tree: that of the main one, or one below it. */
export async function gitDirOf(git: Git, top: string): Promise<string> {
  return await git.text(["-C", top, "rev-parse", "--absolute-git-dir"]).catch(() => join(top, ".git"));
}
