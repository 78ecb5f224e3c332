/** Makes good that a server was killed while it moved a checkout. */
import { dirname, join } from "node:path";
import { pause } from "../process/pause.ts";
import { gitDirOf } from "./base.ts";
import { readBranch } from "./branch_facts.ts";
import { fieldsOf, textOf } from "./bytes.ts";
import { copyIndex, shareIndex } from "./copy_index.ts";
import { type Git, GitError, type GitOptions } from "./git.ts";
import { GITLINK } from "./gitlinks.ts";
import { isThere } from "./is_there.ts";
import { type Checkout, holdIndex, MOVE_TIMEOUT_MS } from "./update_checkout.ts";

/** How often, and for how long, a git that has outlived its server is looked at. */
const LOOK_MS = 100;
const LOOKS = 50;
const NOTHING = "000000";

export interface BrokenMove {
  readonly checkout: Checkout;
  readonly content: Readonly<Record<string, string>>;
  readonly commonDir: string;
  /** The file that says so; it holds the index. */
  readonly journal: string;
  readonly ref: string;
  readonly from: string;
  readonly to: string;
  /** Name of the index in use. */
  readonly index: string;
}

export interface EndedMove {
  /** `left_alone` when the checkout no longer stands where the move began or was to end. */
  readonly end: "taken_back" | "finished" | "left_alone";
  /** Files that are neither as they were before nor as they were to be. */
  readonly left: readonly string[];
}

/** A file that the two commits have differently: mode and object id in each. */
interface Change {
  readonly name: string;
  readonly from: readonly [mode: string, oid: string];
  readonly to: readonly [mode: string, oid: string];
}

/**
 * Takes the move back, or finishes it when the branch has moved. Only files that are just as the move has made them become
 * what they were; what anybody has changed since stays. Throws {@linkcode GitError}.
 */
export async function endMove(git: Git, move: BrokenMove): Promise<EndedMove> {
  const { checkout: { path, gitDir }, content, journal, from } = move;
  const own = join(gitDir, move.index);
  await outlive(`${own}.lock`);
  const release = await holdIndex({ path, gitDir, journal });
  try {
    const target = await targetOf(git, move);
    if (target === null) return { end: "left_alone", left: [] };
    await shareIndex(gitDir, content);
    const call = {
      cwd: path,
      env: { ...content, GIT_WORK_TREE: path, GIT_INDEX_FILE: own },
      timeoutMs: MOVE_TIMEOUT_MS,
    };
    await copyIndex(join(gitDir, "index"), own);
    const changes = await changesOf(git, { ...move, call });
    const side = { top: path, changes, call: { ...call, env: { ...call.env, GIT_INDEX_FILE: `${own}.side` } } };
    if (target === from) await takeBack(git, side);
    const left = await differing(git, { ...side, from: target === from });
    // What somebody has staged meanwhile may stand against that; then the index is his.
    const other = target === from ? move.to : from;
    if ((await git.run(["read-tree", "-i", "-m", other, target], call)).exitCode === 0) {
      await git.run(["update-index", "-q", "--refresh"], call);
      await Deno.rename(own, join(gitDir, "index"));
    }
    return { end: target === from ? "taken_back" : "finished", left: [...left].map(textOf) };
  } finally {
    for (const file of [own, `${own}.lock`, `${own}.side`]) await Deno.remove(file).catch(() => undefined);
    await release();
  }
}

/** A git may still be at work whose server is dead. */
async function outlive(lock: string): Promise<void> {
  for (let look = 0; await isThere(lock); look++) {
    const { mtime } = await Deno.stat(lock).catch(() => ({ mtime: null }));
    if (mtime !== null && Date.now() - mtime.getTime() > MOVE_TIMEOUT_MS) return;
    if (look >= LOOKS) {
      const minutes = MOVE_TIMEOUT_MS / 60_000;
      throw new GitError(
        `a git may still be at work on ${lock}. Try again later; after ${minutes} minutes it cannot`,
        null,
      );
    }
    await pause(LOOK_MS, new AbortController().signal);
  }
}

async function targetOf(
  git: Git,
  { checkout: { path, gitDir }, commonDir, ref, from, to }: BrokenMove,
): Promise<string | null> {
  if (await gitDirOf(git, path) !== gitDir) return null;
  const head = await git.run([`--git-dir=${gitDir}`, "symbolic-ref", "--quiet", "HEAD"]);
  if (textOf(head.stdout).trimEnd() !== ref) return null;
  const at = await readBranch(git, commonDir, ref);
  return at === from || at === to ? at : null;
}

/** Without repositories inside, which have not been touched, and what a sparse checkout leaves out. */
async function changesOf(
  git: Git,
  { from, to, call }: Pick<BrokenMove, "from" | "to"> & { readonly call: GitOptions },
): Promise<Change[]> {
  const index = fieldsOf(await git.output(["ls-files", "-t", "-z"], call));
  const skipped = new Set(index.filter((line) => line.startsWith("S ")).map((line) => line.slice(2)));
  const fields = fieldsOf(await git.output(["diff-tree", "-r", "-z", "--raw", "--no-renames", from, to], call));
  const changes: Change[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [modeFrom = "", modeTo = "", oidFrom = "", oidTo = ""] = fields[at]?.slice(1).split(" ") ?? [];
    const name = fields[at + 1] ?? "";
    if (skipped.has(name) || modeFrom === GITLINK || modeTo === GITLINK) continue;
    changes.push({ name, from: [modeFrom, oidFrom], to: [modeTo, oidTo] });
  }
  return changes;
}

interface Side {
  readonly top: string;
  readonly changes: readonly Change[];
  /** With an index of its own. */
  readonly call: GitOptions;
}

async function takeBack(git: Git, side: Side): Promise<void> {
  const { top, changes } = side;
  const other = await differing(git, { ...side, from: false });
  const moved = changes.filter(({ name }) => !other.has(name));
  for (const { name, to: [mode] } of moved) {
    if (mode === NOTHING) continue;
    const path = join(top, textOf(name));
    await Deno.remove(path).catch(() => undefined);
    await removeEmpty(dirname(path), top);
  }
  const back: string[] = [];
  for (const { name, from: [mode] } of moved) {
    if (mode !== NOTHING && await isFree(top, name)) back.push(`${name}\0`);
  }
  // The index of this side; what stands there is not overwritten.
  await differing(git, { ...side, from: true });
  await git.run(["checkout-index", "-q", "-z", "--stdin"], { ...side.call, input: back.join("") });
}

/** Names of the files that are not as in the one commit or the other; its entries are in the index of the call then. */
async function differing(
  git: Git,
  { top, changes, call, from }: Side & { readonly from: boolean },
): Promise<Set<string>> {
  const sides = changes.map((change) => ({ name: change.name, entry: from ? change.from : change.to }));
  await Deno.remove(call.env?.["GIT_INDEX_FILE"] ?? "").catch(() => undefined);
  const there = sides.filter(({ entry: [mode] }) => mode !== NOTHING);
  const input = there.map(({ name, entry: [mode, oid] }) => `${mode} ${oid}\t${name}\0`).join("");
  await git.output(["update-index", "-z", "--index-info"], { ...call, input });
  await git.run(["update-index", "-q", "--refresh"], call);
  const found = new Set(fieldsOf(await git.output(["diff-files", "-z", "--name-only"], call)));
  for (const { name, entry: [mode] } of sides) {
    if (mode !== NOTHING || !await isFree(top, dirname(name))) continue;
    const info = await Deno.lstat(join(top, textOf(name))).catch(() => null);
    if (info !== null && !info.isDirectory) found.add(name);
  }
  return found;
}

/** Whether on the way to a file there are but directories, if anything. */
async function isFree(top: string, name: string): Promise<boolean> {
  for (let at = textOf(name); at !== "."; at = dirname(at)) {
    const info = await Deno.lstat(join(top, at)).catch(() => null);
    if (info !== null && !info.isDirectory) return false;
  }
  return true;
}

async function removeEmpty(directory: string, top: string): Promise<void> {
  for (let at = directory; at !== top && at.startsWith(top); at = dirname(at)) {
    try {
      await Deno.remove(at);
    } catch {
      return;
    }
  }
}
