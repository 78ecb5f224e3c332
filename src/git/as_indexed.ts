/**
 * Files that commits have otherwise than the working tree: what a sparse checkout leaves out, and what a filter changes on
 * its way. No filter is ever run here; what git has found out about them stands in the working tree's own index.
 */
import { join } from "node:path";
import { fieldsOf, textOf } from "./bytes.ts";
import { shareIndex } from "./copy_index.ts";
import type { Git, GitOptions } from "./git.ts";
import { GITLINK } from "./gitlinks.ts";
import { scratchFile } from "./scratch_file.ts";

/** Git may look at full seconds only. */
const YOUNGER_MS = 2_000;
const GONE = `0 ${"0".repeat(40)}`;

/** A working tree whose own index has something to say. */
export interface Indexed {
  /** Its own git directory. */
  readonly gitDir: string;
  /**
   * Of the files with a filter `raw` takes all byte by byte, `known` those that have changed since git has filtered them,
   * `never` none that has changed.
   */
  readonly filtered: "raw" | "known" | "never";
}

export interface AsIndexedOptions extends Indexed {
  readonly path: string;
  /** The index in which such files become what their own index says. */
  readonly whole: GitOptions;
  /** A file beside this one is used. */
  readonly index: string;
}

/** Tells whether there may be such files in a tree that was written on top of a commit. Throws {@linkcode GitError}. */
export async function hasAsIndexed(
  git: Git,
  { head, tree, call, ...indexed }: Indexed & {
    readonly path: string;
    readonly head: string | null;
    readonly tree: string;
    readonly call: GitOptions;
  },
): Promise<boolean> {
  if (await hasFlags(join(indexed.gitDir, "index"))) return true;
  if (indexed.filtered === "raw" || head === null) return false;
  const changed = fieldsOf(await git.output(["diff-tree", "-r", "-z", "--name-only", head, tree], call));
  return (await withFilter(git, changed, indexed)).length > 0;
}

/** Gives the names of files that have changed and are left as they were because of their filters. Throws {@linkcode GitError}. */
export async function takeAsIndexed(git: Git, options: AsIndexedOptions): Promise<string[]> {
  const { gitDir, whole, index, filtered } = options;
  await using scratch = scratchFile(index);
  const copy = scratch.path;
  await shareIndex(gitDir, whole.env ?? {});
  try {
    await Deno.copyFile(join(gitDir, "index"), copy);
    await makeYounger(copy);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  const own: GitOptions = { ...whole, env: { ...whole.env, GIT_INDEX_FILE: copy } };
  const theirs = await entriesIn(git, own);
  if (theirs.length === 0 || (filtered === "raw" && !theirs.some(({ isSkipped }) => isSkipped))) return [];
  const ours = new Map((await entriesIn(git, whole)).map(({ name, blob }) => [name, blob]));
  const skipped = theirs.filter(({ name, blob, isSkipped }) =>
    isSkipped && !isInTheWay(ours, name) && !(filtered === "raw" && blob.startsWith(GITLINK))
  );
  const known = new Map(theirs.map(({ name, blob }) => [name, blob]));
  const differing = [...ours].filter(([name, blob]) => known.get(name) !== blob).map(([name]) => name);
  const names = filtered === "raw" ? [] : await withFilter(git, differing, options);
  const changed = names.length === 0 ? new Set<string>() : await changedIn(git, own);
  const left = names.filter((name) => filtered === "never" || (known.has(name) && !changed.has(name)));
  await enter(git, [...skipped, ...left.map((name) => ({ name, blob: known.get(name) ?? GONE }))], whole);
  if (filtered !== "raw") await keepFlags(git, { whole, own, copy });
  return left.filter((name) => !known.has(name) || changed.has(name)).map(textOf);
}

/** What their index says of these files must be found there the next time, so it becomes the one of the tree. */
async function keepFlags(
  git: Git,
  { whole, own, copy }: { readonly whole: GitOptions; readonly own: GitOptions; readonly copy: string },
): Promise<void> {
  const tree = await git.text(["write-tree"], whole);
  const { exitCode } = await git.run(["read-tree", "-i", "-m", tree], own);
  // Conflicts are in the way; then git looks at all of these files once more.
  if (exitCode !== 0) return;
  await makeYounger(copy);
  await git.run(["update-index", "-q", "--ignore-submodules", "--refresh"], own);
  await Deno.rename(copy, whole.env?.["GIT_INDEX_FILE"] ?? copy);
}

/** Of files that are as old as an index git compares the contents, which takes their filters. */
async function makeYounger(index: string): Promise<void> {
  const later = new Date(Date.now() + YOUNGER_MS);
  await Deno.utime(index, later, later);
}

/** An index of version 2 cannot say that a file is left out of a sparse checkout. */
async function hasFlags(path: string): Promise<boolean> {
  try {
    using file = await Deno.open(path);
    const header = new Uint8Array(8);
    return await file.read(header) === 8 && header[7] !== 2;
  } catch {
    return false;
  }
}

interface Entry {
  readonly name: string;
  /** Mode and object id. */
  readonly blob: string;
  /** A sparse checkout has not got it. */
  readonly isSkipped: boolean;
}

/** None for an index that cannot be read. */
async function entriesIn(git: Git, call: GitOptions): Promise<Entry[]> {
  const { exitCode, stdout } = await git.run(["ls-files", "-s", "-t", "-z"], call);
  return exitCode !== 0 ? [] : fieldsOf(stdout).flatMap((line): Entry[] => {
    const [, tag, blob, name] = /^(\S) (\d+ [0-9a-f]+) 0\t([^]*)$/.exec(line) ?? [];
    return blob === undefined || name === undefined ? [] : [{ name, blob, isSkipped: tag === "S" }];
  });
}

/** Something stands at its place, or a file where its directory was. */
function isInTheWay(ours: ReadonlyMap<string, string>, name: string): boolean {
  for (let end = name.length; end > 0; end = name.lastIndexOf("/", end - 1)) {
    if (ours.has(name.slice(0, end))) return true;
  }
  return false;
}

/** Those that attributes give a filter. */
async function withFilter(
  git: Git,
  names: readonly string[],
  { path, gitDir }: Pick<AsIndexedOptions, "path" | "gitDir">,
): Promise<string[]> {
  if (names.length === 0) return [];
  const call: GitOptions = { cwd: path, env: { GIT_DIR: gitDir, GIT_WORK_TREE: path } };
  const input = names.map((name) => `${name}\0`).join("");
  const fields = fieldsOf(await git.output(["check-attr", "-z", "--stdin", "filter"], { ...call, input }));
  return fields.filter((_name, at) => at % 3 === 0 && !/^un(?:set|specified)$/.test(fields[at + 2] ?? ""));
}

/** Those that are not as they were when git last looked, by the index alone. */
async function changedIn(git: Git, call: GitOptions): Promise<ReadonlySet<string>> {
  return new Set(fieldsOf(await git.output(["diff-files", "-z", "--name-only", "--ignore-submodules=all"], call)));
}

async function enter(git: Git, entries: readonly Pick<Entry, "name" | "blob">[], call: GitOptions): Promise<void> {
  if (entries.length === 0) return;
  const input = entries.map(({ name, blob }) => `${blob}\t${name}\0`).join("");
  await git.output(["update-index", "-z", "--index-info"], { ...call, input });
}
