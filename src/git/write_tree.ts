/** Writes what stands in a working tree into the repository's objects, without touching anything of the tree's own. */
import { join } from "node:path";
import { hasAsIndexed, type Indexed, takeAsIndexed } from "./as_indexed.ts";
import { fieldsOf, textOf } from "./bytes.ts";
import { copyIndex } from "./copy_index.ts";
import { type Git, GitError, type GitOptions, type GitResult } from "./git.ts";
import { nameIn, takeOutGitlinks } from "./gitlinks.ts";
import { isThere } from "./is_there.ts";
import { scratchFile } from "./scratch_file.ts";

/** Large trees on slow disks. */
const TIMEOUT_MS = 10 * 60_000;
/** How often adding is tried while others delete what is being added. */
const MAX_TRIES = 20;

export interface WriteTreeOptions {
  /** Variables of an {@linkcode openContent}: they say whether line ends are converted. */
  readonly content: Readonly<Record<string, string>>;
  /** Top of the working tree. */
  readonly path: string;
  /** File of an index that belongs to nobody else; made when it is missing, and what makes the next time quick. */
  readonly index: string;
  /** Commit whose files are tracked, whatever is ignored; `null` for none. */
  readonly head: string | null;
  /** What becomes of repositories inside: their files are taken as any other, or they stay as `head` has them. */
  readonly nested: "take" | "leave";
  /** Absent for a tree whose own index says nothing. */
  readonly indexed?: Indexed;
  /** File that becomes the index of exactly the tree. */
  readonly treeIndex?: string;
}

export interface WrittenTree {
  readonly tree: string;
  /** Paths of repositories inside, submodules too. */
  readonly nested: readonly string[];
  /** What git could not read, in its words. */
  readonly unreadable: readonly string[];
  /** Files that have changed but are as `head` has them, because of their filters. */
  readonly unfiltered?: readonly string[];
}

/**
 * Writes all files that are tracked or not ignored. Git is never let into the repositories inside: their settings are
 * whoever's works there. So the index has none of them, or git would ask each what has changed. Throws {@linkcode GitError}.
 */
export async function writeTree(git: Git, options: WriteTreeOptions): Promise<WrittenTree> {
  const { content, path, index, head, nested, indexed } = options;
  await using scratch = scratchFile(index);
  const own = scratch.path;
  const callWith = (file: string): GitOptions => ({
    cwd: path,
    env: { ...content, GIT_WORK_TREE: path, GIT_INDEX_FILE: file },
    timeoutMs: TIMEOUT_MS,
  });
  await copyIndex(index, own);
  const submodules = head === null ? [] : await track(git, { head, index, own, call: callWith(own) });
  const { unborn, unreadable } = await addAll(git, callWith(own));
  const links = await takeOutGitlinks(git, { ...callWith(own), index: own });
  const plain = await git.text(["write-tree"], callWith(own));
  if (await isThere(own)) await Deno.rename(own, index);
  const repositories: string[] = [];
  for (const name of [...links.map(nameIn), ...unborn]) {
    if (await isThere(join(path, textOf(name), ".git"))) repositories.push(name);
  }
  const isWhole = nested === "take" ? repositories.length === 0 : submodules.length === 0;
  const call = callWith(index);
  const isAsIndexed = indexed !== undefined && await hasAsIndexed(git, { ...indexed, path, head, tree: plain, call });
  if (isWhole && !isAsIndexed) {
    if (options.treeIndex !== undefined) await copyIndex(index, options.treeIndex);
    return { tree: plain, nested: repositories.map(textOf), unreadable };
  }
  await using wholeFile = scratchFile(index);
  const treeIndex = options.treeIndex ?? wholeFile.path;
  await copyIndex(index, treeIndex);
  const whole = callWith(treeIndex);
  const inside = nested === "take"
    ? await takeNested(git, { ...options, repositories, whole })
    : await leaveNested(git, { path, repositories, submodules, whole });
  const unfiltered = isAsIndexed ? await takeAsIndexed(git, { ...indexed, path, index, whole }) : [];
  const tree = await git.text(["write-tree"], whole);
  return { tree, ...inside, unreadable: [...unreadable, ...inside.unreadable], unfiltered };
}

/**
 * Has the index know the files of a commit, unless it does already; what it has of their times stays. Gives the commit's
 * submodules, which the index has not, as `ls-files -s` does.
 */
async function track(
  git: Git,
  { head, index, own, call }: {
    readonly head: string;
    readonly index: string;
    /** Its copy, which is changed. */
    readonly own: string;
    readonly call: GitOptions;
  },
): Promise<string[]> {
  const mark = `${index}.head`;
  const isMade = await isThere(own);
  const [known, ...submodules] = fieldsOf(isMade ? await Deno.readTextFile(mark).catch(() => "") : "");
  if (known === head) return submodules;
  await git.output(["read-tree", ...(isMade ? ["-i", "-m"] : []), head], call);
  const found = await takeOutGitlinks(git, { ...call, index: own });
  await Deno.rename(own, index);
  await Deno.writeTextFile(mark, [head, ...found].map((field) => `${field}\0`).join(""), { mode: 0o600 });
  await copyIndex(index, own);
  return found;
}

async function takeNested(
  git: Git,
  { content, path, index, repositories, whole }: WriteTreeOptions & {
    readonly repositories: readonly string[];
    readonly whole: GitOptions;
  },
): Promise<Omit<WrittenTree, "tree">> {
  const nested: string[] = [];
  const unreadable: string[] = [];
  for (const [number, name] of repositories.map(textOf).entries()) {
    const below = `${index}.${number}`;
    const inside = await writeTree(git, { content, path: join(path, name), index: below, head: null, nested: "take" });
    await git.output(["read-tree", `--prefix=${name}/`, inside.tree], whole);
    nested.push(name, ...inside.nested.map((deeper) => `${name}/${deeper}`));
    unreadable.push(...inside.unreadable);
  }
  return { nested, unreadable };
}

/** Submodules stay where the commit has them, also those that were never fetched; one whose directory is gone goes. */
async function leaveNested(
  git: Git,
  { path, repositories, submodules, whole }: {
    readonly path: string;
    readonly repositories: readonly string[];
    readonly submodules: readonly string[];
    readonly whole: GitOptions;
  },
): Promise<Omit<WrittenTree, "tree">> {
  const stay: string[] = [];
  for (const entry of submodules) {
    const name = nameIn(entry);
    // An empty directory is a submodule that was never fetched; another one has become something else.
    if (repositories.includes(name) || await isEmptyDirectory(join(path, textOf(name)))) stay.push(entry);
  }
  if (stay.length > 0) {
    const input = stay.map((entry) => `${entry}\0`).join("");
    await git.output(["update-index", "-z", "--index-info"], { ...whole, input });
  }
  return { nested: repositories.map(textOf), unreadable: [] };
}

/** Adds everything to the index; `unborn` are repositories inside that have no commit yet, which git refuses. */
async function addAll(
  git: Git,
  call: GitOptions,
): Promise<{ readonly unborn: readonly string[]; readonly unreadable: readonly string[] }> {
  const add = ["-c", "advice.addEmbeddedRepo=false", "add", "--all", "--ignore-errors"];
  for (let tries = 1;; tries++) {
    const added = await git.run(add, call);
    if (added.exitCode === 0) return { unborn: [], ...whatFailed(added) };
    const others = fieldsOf(await git.output(["ls-files", "--others", "--exclude-standard", "-z"], call));
    const unborn = others.filter((name) => name.endsWith("/")).map((name) => name.slice(0, -1));
    const aside = unborn.map((name) => `:(exclude,literal)${textOf(name)}`);
    const again = unborn.length === 0 ? added : await git.run([...add, "--", ".", ...aside], call);
    // The repository takes nothing more; the files themselves are as they should be.
    if (/^error: .*: failed to insert into database$/m.test(again.stderr)) throw failedAdd(again);
    const { unreadable, changing } = whatFailed(again);
    // With 1 all else is in the index.
    const isRead = again.exitCode === 0 || (again.exitCode === 1 && unreadable.length + changing.length > 0);
    if (isRead && (changing.length === 0 || tries >= MAX_TRIES)) {
      return { unborn, unreadable: [...unreadable, ...changing] };
    }
    // Somebody deletes what git has just seen.
    if (tries >= MAX_TRIES) throw failedAdd(again);
  }
}

function failedAdd({ stderr, exitCode }: GitResult): GitError {
  return new GitError(`git add failed: ${stderr.trim().slice(0, 500)}`, exitCode);
}

/** Files and directories that git could not or would not read, and files that somebody was at just then. */
function whatFailed(
  { stderr }: GitResult,
): { readonly unreadable: readonly string[]; readonly changing: readonly string[] } {
  const found = (pattern: RegExp): string[] => [...stderr.matchAll(pattern)].map(([, name]) => name ?? "");
  const denied = found(/^error: open\("(.+)"\): (?!No such file).+$/gm);
  // Pipes and sockets where files are tracked.
  const special = found(/^error: (.+): can only add regular files, symbolic links or git-directories$/gm);
  // Names that no index takes, such as .GIT/x.
  const refused = found(/^error: invalid path '(.+)'$/gm);
  const directories = found(/^warning: could not open directory '(.+?)\/?': (?!No such file).+$/gm);
  const failed = found(/^error: unable to index file '?(.+?)'?$/gm);
  return {
    unreadable: [...denied, ...special, ...refused, ...directories],
    changing: failed.filter((name) => !denied.includes(name)),
  };
}

async function isEmptyDirectory(path: string): Promise<boolean> {
  try {
    for await (const _entry of Deno.readDir(path)) return false;
    return true;
  } catch {
    return false;
  }
}
