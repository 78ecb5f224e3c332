/** Every commit that a working tree has stood on, or is about to. */
import { join } from "node:path";
import { type Git, GitError, type GitOptions } from "./git.ts";
import { isThere } from "./is_there.ts";
import { readPlain } from "./read_plain.ts";

/** Where git notes commits of an operation that is under way, in the git directory of one working tree. */
const UNDER_WAY = [
  "ORIG_HEAD",
  "MERGE_HEAD",
  "CHERRY_PICK_HEAD",
  "REVERT_HEAD",
  "REBASE_HEAD",
  "rebase-merge/orig-head",
  "rebase-merge/onto",
  "rebase-merge/amend",
  "rebase-apply/orig-head",
  "sequencer/head",
  "BISECT_HEAD",
  // What was changed before it began.
  "MERGE_AUTOSTASH",
  "rebase-merge/autostash",
  "rebase-apply/autostash",
];
/** Refs that belong to one working tree alone. */
const OWN_REFS = ["refs/worktree", "refs/bisect", "refs/rewritten"];
/** Where a git directory may have such refs: without any of these git need not be asked. */
const OWN_REF_PLACES = [...OWN_REFS, "reftable"];
/** Of one such file; a reflog of a hundred thousand lines is smaller. */
const MAX_BYTES = 32 * 1024 * 1024;
const OID = /\b(?:[0-9a-f]{64}|[0-9a-f]{40})\b/g;

export interface Head {
  readonly oid: string;
  readonly tree: string;
  /** Full name of the branch, `null` when HEAD is detached. */
  readonly branch: string | null;
}

/** Where HEAD of a working tree stands; `null` for a branch without a commit. Throws {@linkcode GitError}. */
export async function readHead(git: Git, gitDir: string): Promise<Head | null> {
  const { exitCode, stdout, stderr } = await git.run([
    `--git-dir=${gitDir}`,
    "rev-parse",
    "HEAD",
    "HEAD^{tree}",
    "--symbolic-full-name",
    "HEAD",
  ]);
  const [oid = "", tree = "", branch = "HEAD"] = stdout.trimEnd().split("\n");
  if (exitCode === 0) return { oid, tree, branch: branch === "HEAD" ? null : branch };
  // Git says its name again where it leads to no commit, and an object id where that cannot be read.
  if (oid !== "" && oid !== "HEAD") throw new GitError(`git rev-parse failed: ${stderr.trim()}`, exitCode);
  return null;
}

/**
 * The fewest commits from which all others can be reached that HEAD has ever been at, by its reflog, that a merge or rebase
 * under way works with, or that refs of this working tree alone point to; those that `known` reach are left out.
 */
export async function readHeadHistory(
  git: Git,
  { gitDir, known }: { readonly gitDir: string; readonly known: readonly string[] },
): Promise<string[]> {
  const call = { env: { GIT_DIR: gitDir } };
  const format = "--format=%(objectname) %(*objectname)";
  const places = await Promise.all(OWN_REF_PLACES.map((name) => isThere(join(gitDir, name))));
  const own = places.includes(true) ? await git.text(["for-each-ref", format, ...OWN_REFS], call) : "";
  const noted = [...await readNoted([gitDir]), ...(own.match(OID) ?? [])];
  const oids = noted.filter((oid) => !known.includes(oid));
  return await leastCommits(git, { commits: await existingCommits(git, { oids, call }), known, call });
}

/** What is noted in git directories of HEAD's history, of operations under way, and of stashes; no git runs. */
export async function readNoted(gitDirs: readonly string[], reflogs: readonly string[] = []): Promise<string[]> {
  const names = ["logs/HEAD", ...reflogs, ...UNDER_WAY];
  const texts = await Promise.all(gitDirs.flatMap((gitDir) =>
    names.map(async (name) => {
      const bytes = await readPlain(join(gitDir, name), { maxBytes: MAX_BYTES });
      const text = new TextDecoder().decode(bytes ?? undefined);
      // A line of the reflog begins with two; what follows is words.
      return name.startsWith("logs/") ? text.replaceAll(/^(\S+ \S+) .*$/gm, "$1") : text;
    })
  ));
  return texts.flatMap((text) => text.match(OID) ?? []);
}

/** Those that are commits, and there. */
export async function existingCommits(
  git: Git,
  { oids, call }: { readonly oids: readonly string[]; readonly call: GitOptions },
): Promise<string[]> {
  const all = [...new Set(oids)].filter((oid) => !/^0+$/.test(oid));
  if (all.length === 0) return [];
  const input = all.map((oid) => `${oid}\n`).join("");
  const found = await git.text(["cat-file", "--batch-check=%(objecttype) %(objectname)"], { ...call, input });
  return found.split("\n").flatMap((line) => /^commit ([0-9a-f]+)$/.exec(line)?.[1] ?? []);
}

/** The fewest from which all can be reached that `known` do not reach. */
export async function leastCommits(
  git: Git,
  { commits, known, call }: {
    readonly commits: readonly string[];
    readonly known: readonly string[];
    readonly call: GitOptions;
  },
): Promise<string[]> {
  const others = commits.filter((oid) => !known.includes(oid));
  if (others.length === 0) return [];
  const least = await git.text(["merge-base", "--independent", ...known, ...others], call);
  return least.split("\n").filter((oid) => !known.includes(oid));
}
