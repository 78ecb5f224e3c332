/** Makes worktrees for agents and tells them from whatever else may stand at their place. */
import { dirname, join, resolve } from "node:path";
import { readBranch } from "./branch_facts.ts";
import { type Git, GitError } from "./git.ts";
import { isThere } from "./is_there.ts";

/** Large trees on slow disks. */
const CHECKOUT_MS = 15 * 60_000;

/** Of commits that no branch has, only the reflog knows; git goes on with one that is there, whatever is configured. */
const WITH_REFLOG = {
  GIT_CONFIG_COUNT: "1",
  GIT_CONFIG_KEY_0: "core.logAllRefUpdates",
  GIT_CONFIG_VALUE_0: "true",
};

/** Where an agent's worktree is to be; nothing need be there yet. */
export interface WorktreePlan {
  /** The repository's common `.git` directory. */
  readonly commonDir: string;
  /** Absolute, and nobody else's. */
  readonly path: string;
  /** Without `refs/heads/`. */
  readonly branch: string;
  /** Object id of the commit that it begins with. */
  readonly base: string;
  /** Why git itself must leave it alone; names the task. */
  readonly reason: string;
}

/** What tells a worktree from any other one that may come to its place. */
export interface WorktreeIdentity {
  /** Its own git directory, below that of the repository. */
  readonly gitDir: string;
  readonly device: number;
  readonly inode: number;
}

/**
 * Registers a worktree, without any files in it, on a branch that is made for it. Others must not do so at the same time in
 * the same repository: git's own registry does not stand that. Throws {@linkcode GitError} and leaves nothing behind.
 */
export async function registerWorktree(git: Git, plan: WorktreePlan): Promise<WorktreeIdentity> {
  const { commonDir, path, branch, base, reason } = plan;
  // What git leaves of an attempt that fails must not be taken for what somebody else has made.
  if (await readBranch(git, commonDir, `refs/heads/${branch}`) !== null) throw new GitError(takenBranch(branch), null);
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const add = [
    "worktree",
    "add",
    "--quiet",
    "--no-checkout",
    "--no-track",
    "--lock",
    "--reason",
    reason,
    "-b",
    branch,
    path,
    base,
  ];
  try {
    await git.output([`--git-dir=${commonDir}`, ...add], { env: WITH_REFLOG });
  } catch (error) {
    await deleteBranch(git, { commonDir, branch, oid: base });
    throw error;
  }
  const made = await identify(path, commonDir);
  if (made === null) throw new GitError(`git made no worktree at ${path}`, null);
  return made;
}

/** Throws {@linkcode GitError} where anything stands that a worktree would take the place of. */
export async function checkFree(
  git: Git,
  { commonDir, path, branch }: Pick<WorktreePlan, "commonDir" | "path" | "branch">,
): Promise<void> {
  if (await isThere(path)) throw new GitError(`something stands there already: ${path}`, null);
  if (await readBranch(git, commonDir, `refs/heads/${branch}`) !== null) throw new GitError(takenBranch(branch), null);
}

function takenBranch(branch: string): string {
  return `there is a branch ${branch} already`;
}

/** Writes the files of the base. Throws {@linkcode GitError}. */
export async function checkOut(
  git: Git,
  { path, gitDir, base, content }: {
    readonly path: string;
    readonly gitDir: string;
    readonly base: string;
    /** Variables of an {@linkcode openContent} that converts line ends. */
    readonly content: Readonly<Record<string, string>>;
  },
): Promise<void> {
  const env = { ...content, GIT_WORK_TREE: path, GIT_INDEX_FILE: join(gitDir, "index") };
  await git.output(["read-tree", "--reset", "-u", base], { cwd: path, env, timeoutMs: CHECKOUT_MS });
}

/** What stands at `path` now, if it is a worktree of the repository and git knows it as such; else `null`. */
export async function identify(path: string, commonDir: string): Promise<WorktreeIdentity | null> {
  try {
    const { dev, ino } = await Deno.lstat(path);
    const mark = join(path, ".git");
    // Whoever reads a pipe waits.
    if (!(await Deno.lstat(mark)).isFile) return null;
    const pointer = /^gitdir: ([^]+?)\n*$/.exec(await Deno.readTextFile(mark))?.[1];
    if (pointer === undefined) return null;
    // Of later versions of git both may be relative.
    const gitDir = resolve(path, pointer);
    if (dirname(gitDir) !== join(commonDir, "worktrees")) return null;
    const back = resolve(gitDir, (await Deno.readTextFile(join(gitDir, "gitdir"))).replace(/\n+$/, ""));
    return back === mark ? { gitDir, device: dev, inode: ino ?? 0 } : null;
  } catch {
    return null;
  }
}

/** Deletes a branch that still points to the commit and that no checkout stands on; any other stays. Tells whether it is gone. */
export async function deleteBranch(
  git: Git,
  { commonDir, branch, oid }: { readonly commonDir: string; readonly branch: string; readonly oid: string },
): Promise<boolean> {
  const at = `--git-dir=${commonDir}`;
  const places = await git.run([at, "for-each-ref", "--format=%(worktreepath)", `refs/heads/${branch}`]);
  if (places.stdout.trim() !== "") return false;
  const input = `delete refs/heads/${branch}\0${oid}\0`;
  const { exitCode } = await git.run([at, "update-ref", "--stdin", "-z"], { input });
  return exitCode === 0;
}
