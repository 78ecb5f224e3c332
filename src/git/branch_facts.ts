/** What a repository says of its branches. */
import { join, resolve } from "node:path";
import { fieldsOf, textOf } from "./bytes.ts";
import { type Git, GitError } from "./git.ts";
import type { Checkout } from "./update_checkout.ts";

/** Object id of the commit at the end of a branch; `null` where there is none. `ref` is its full name. */
export async function readBranch(git: Git, commonDir: string, ref: string): Promise<string | null> {
  const { exitCode, stdout } = await git.run([
    `--git-dir=${commonDir}`,
    "rev-parse",
    "--quiet",
    "--verify",
    "--end-of-options",
    `${ref}^{commit}`,
  ]);
  return exitCode === 0 ? stdout.trim() : null;
}

/** Full name of the branch that a full name stands for; another one where it is symbolic. `null` where there is none. */
export async function resolveBranch(git: Git, commonDir: string, ref: string): Promise<string | null> {
  const { exitCode, stdout } = await git.run([
    `--git-dir=${commonDir}`,
    "rev-parse",
    "--quiet",
    "--verify",
    "--symbolic-full-name",
    "--end-of-options",
    ref,
  ]);
  const name = stdout.trim();
  return exitCode === 0 && name.startsWith("refs/heads/") ? name : null;
}

/**
 * The working trees that stand on a branch; git makes a second one only by force. `known` are tops of working trees, for a
 * git directory that does not tell where its own is. Throws {@linkcode GitError} when that cannot be found.
 */
export async function findCheckouts(
  git: Git,
  { commonDir, ref, known }: { readonly commonDir: string; readonly ref: string; readonly known: readonly string[] },
): Promise<Checkout[]> {
  const fields = fieldsOf(await git.output([`--git-dir=${commonDir}`, "worktree", "list", "--porcelain", "-z"])).map(
    textOf,
  );
  const checkouts: Checkout[] = [];
  let path = "";
  for (const field of fields) {
    if (field.startsWith("worktree ")) path = field.slice("worktree ".length);
    if (field !== `branch ${ref}`) continue;
    if (path === commonDir) {
      const top = await topOf(git, { commonDir, known });
      if (top === null) {
        throw new GitError(`nothing tells where the checkout of ${commonDir} is that stands on ${ref}`, null);
      }
      checkouts.push({ path: top, gitDir: commonDir });
      continue;
    }
    const gitDir = await git.text(["-C", path, "rev-parse", "--absolute-git-dir"]).catch(() => join(path, ".git"));
    checkouts.push({ path, gitDir });
  }
  return checkouts;
}

/** The working tree of a git directory that does not stand in it, such as a submodule's; `null` where nothing tells it. */
async function topOf(
  git: Git,
  { commonDir, known }: { readonly commonDir: string; readonly known: readonly string[] },
): Promise<string | null> {
  const { stdout } = await git.run([`--git-dir=${commonDir}`, "config", "core.worktree"]);
  if (stdout.trim() !== "") return resolve(commonDir, stdout.trim());
  for (const top of known) {
    const { stdout } = await git.run(["-C", top, "rev-parse", "--absolute-git-dir"]);
    if (stdout.trim() === commonDir) return top;
  }
  return null;
}

/** The git directory of a working tree in which a branch is being rebased, and will be moved at the end; `null` where none is. */
export async function findRebase(commonDir: string, ref: string): Promise<string | null> {
  const worktrees = join(commonDir, "worktrees");
  const names = await Array.fromAsync(Deno.readDir(worktrees), ({ name }) => join(worktrees, name)).catch(() => []);
  for (const gitDir of [commonDir, ...names]) {
    for (const state of ["rebase-merge", "rebase-apply"]) {
      const name = await Deno.readTextFile(join(gitDir, state, "head-name")).catch(() => "");
      if (name.trim() === ref) return gitDir;
    }
  }
  return null;
}
