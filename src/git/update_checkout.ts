/** Moves a branch, and the checkout that stands on it. */
import { join } from "node:path";
import { reasonOf } from "../task/errors.ts";
import { fieldsOf, textOf } from "./bytes.ts";
import { copyIndex, lockIndex, shareIndex } from "./copy_index.ts";
import { type Git, GitError } from "./git.ts";

/** How long a step of a move may take. */
export const MOVE_TIMEOUT_MS = 15 * 60_000;

/** A working tree that somebody works in. */
export interface Checkout {
  readonly path: string;
  readonly gitDir: string;
}

export interface MoveOptions {
  readonly commonDir: string;
  /** Full name. */
  readonly ref: string;
  readonly from: string;
  readonly to: string;
  /** For the reflog. */
  readonly message: string;
}

/** Moves a ref unless somebody else has moved it. Throws {@linkcode GitError}; it has not moved then. */
export async function moveRef(git: Git, { commonDir, ref, from, to, message }: MoveOptions): Promise<void> {
  const input = `update ${ref}\0${to}\0${from}\0`;
  await git.output([`--git-dir=${commonDir}`, "update-ref", "-m", message, "--stdin", "-z"], { input });
}

/** Files that differ from the commit that the checkout stands on; with `untracked` also those that git does not know, unless it ignores them. */
export async function dirtyFiles(
  git: Git,
  { path, gitDir, content, untracked = false }: Checkout & {
    readonly content: Readonly<Record<string, string>>;
    readonly untracked?: boolean;
  },
): Promise<string[]> {
  // Nothing of ours is written beside the checkout's own.
  const own = join(content["GIT_DIR"] ?? gitDir, `index.${crypto.randomUUID()}`);
  await copyIndex(join(gitDir, "index"), own);
  await shareIndex(gitDir, content);
  try {
    const call = {
      cwd: path,
      env: { ...content, GIT_WORK_TREE: path, GIT_INDEX_FILE: own },
      timeoutMs: MOVE_TIMEOUT_MS,
    };
    const head = await git.text([`--git-dir=${gitDir}`, "rev-parse", "HEAD"]);
    await git.run(["update-index", "-q", "--refresh"], call);
    const changed = await git.output(["diff-index", "-z", "--name-only", "--ignore-submodules=dirty", head], call);
    const others = untracked ? await git.output(["ls-files", "-z", "--others", "--exclude-standard"], call) : "";
    return [...new Set([...fieldsOf(changed), ...fieldsOf(others)])].map(textOf);
  } finally {
    await Deno.remove(own).catch(() => undefined);
  }
}

/**
 * Moves the branch that a clean checkout stands on, with its files. Throws {@linkcode GitError}; nothing has changed then:
 * a file that git does not know is never overwritten.
 */
export async function moveCheckout(
  git: Git,
  { checkout, content, held = null, ...move }: MoveOptions & {
    readonly checkout: Checkout;
    readonly content: Readonly<Record<string, string>>;
    /** See {@linkcode turnFiles}. */
    readonly held?: string | null;
  },
): Promise<void> {
  await turnFiles(git, { checkout, content, from: move.from, to: move.to, then: () => moveRef(git, move), held });
}

/** Locks an index by a link to a journal, which tells whose lock it is; gives what frees it. Throws {@linkcode GitError}. */
export async function holdIndex(
  { path, gitDir, journal }: Checkout & { readonly journal: string },
): Promise<() => Promise<void>> {
  const lock = join(gitDir, "index.lock");
  try {
    await Deno.link(journal, lock);
  } catch (error) {
    if (!await isHeld(lock, journal)) {
      const isTaken = error instanceof Deno.errors.AlreadyExists;
      const reason = isTaken ? `is locked by another git (${lock})` : `cannot be locked: ${reasonOf(error)}`;
      throw new GitError(`the index of ${path} ${reason}`, null, { cause: error });
    }
  }
  return async () => {
    if (await isHeld(lock, journal)) await Deno.remove(lock);
  };
}

async function isHeld(lock: string, journal: string): Promise<boolean> {
  const [theirs, mine] = await Promise.all([lock, journal].map((file) => Deno.readTextFile(file).catch(() => null)));
  return mine != null && mine === theirs;
}

/**
 * Has the files of a clean checkout, and its index, go from its commit to another tree; then whatever is to come with that
 * is done, or all is turned back. Throws {@linkcode GitError}; nothing has changed then.
 */
export async function turnFiles(
  git: Git,
  { checkout: { path, gitDir }, content, from, to, then, held = null }: {
    readonly checkout: Checkout;
    readonly content: Readonly<Record<string, string>>;
    readonly from: string;
    /** A commit or a tree. */
    readonly to: string;
    readonly then: () => Promise<void>;
    /** The index to use, when the caller holds the lock of the checkout's own. */
    readonly held?: string | null;
  },
): Promise<void> {
  const index = join(gitDir, "index");
  const lock = held ?? `${index}.lock`;
  await shareIndex(gitDir, content);
  try {
    if (held === null) await lockIndex(index, lock);
    else await copyIndex(index, held);
  } catch (error) {
    throw new GitError(`the index of ${path} is locked by another git (${lock})`, null, { cause: error });
  }
  try {
    const call = {
      cwd: path,
      env: { ...content, GIT_WORK_TREE: path, GIT_INDEX_FILE: lock },
      timeoutMs: MOVE_TIMEOUT_MS,
    };
    const head = await git.text([`--git-dir=${gitDir}`, "rev-parse", "HEAD"]);
    if (head !== from) throw new GitError(`${path} stands on ${head} by now, not on ${from}`, null);
    await git.run(["update-index", "-q", "--refresh"], call);
    const inTheWay = await filesInTheWay(git, { path, from, to, content });
    if (inTheWay.length > 0) throw new GitError(`${inTheWay[0]} in ${path} would be overwritten`, null);
    await git.output(["read-tree", "-m", "-u", from, to], call);
    try {
      await then();
    } catch (error) {
      await git.output(["read-tree", "-m", "-u", to, from], call);
      throw error;
    }
    await Deno.rename(lock, index);
  } finally {
    await Deno.remove(lock).catch(() => undefined);
  }
}

/** What git does not know and would overwrite: it takes files that it ignores for nobody's. */
async function filesInTheWay(
  git: Git,
  { path, from, to, content }: {
    readonly path: string;
    readonly from: string;
    readonly to: string;
    readonly content: Readonly<Record<string, string>>;
  },
): Promise<string[]> {
  const diff = ["diff-tree", "-r", "-z", "--no-renames", "--name-only"];
  const [added = [], deleted = []] = await Promise.all(["A", "D"].map(async (kind) => {
    const names = await git.output([...diff, `--diff-filter=${kind}`, from, to], {
      env: content,
      timeoutMs: MOVE_TIMEOUT_MS,
    });
    return fieldsOf(names).map(textOf);
  }));
  const goes = new Set(deleted);
  const found: string[] = [];
  for (const name of added) {
    const parts = name.split("/");
    for (const depth of parts.keys()) {
      const part = parts.slice(0, depth + 1).join("/");
      const there = await Deno.lstat(join(path, part)).catch(() => null);
      if (there === null || goes.has(part)) break;
      if (!there.isDirectory || part === name) found.push(part);
    }
  }
  return found;
}

/**
 * Has a checkout that {@linkcode turnFiles} was killed in go back to where it came from: its files, as far as the two
 * differ, and its index, which it still held. Throws {@linkcode GitError}.
 */
export async function turnBack(
  git: Git,
  { checkout: { path, gitDir }, content, from, to }: {
    readonly checkout: Checkout;
    readonly content: Readonly<Record<string, string>>;
    readonly from: string;
    readonly to: string;
  },
): Promise<void> {
  const own = join(gitDir, `index.${crypto.randomUUID()}`);
  try {
    const call = {
      cwd: path,
      env: { ...content, GIT_WORK_TREE: path, GIT_INDEX_FILE: own },
      timeoutMs: MOVE_TIMEOUT_MS,
    };
    await git.output(["read-tree", to], call);
    await git.output(["read-tree", "--reset", "-u", from], call);
    await git.run(["update-index", "-q", "--refresh"], call);
    await Deno.rename(own, join(gitDir, "index"));
    await Deno.remove(join(gitDir, "index.lock")).catch(() => undefined);
  } finally {
    await Deno.remove(own).catch(() => undefined);
  }
}
