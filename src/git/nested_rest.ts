/** What a repository inside a working tree holds beside what its refs reach. */
import { join, resolve } from "node:path";
import { fieldsOf } from "./bytes.ts";
import type { Git } from "./git.ts";
import { GITLINK } from "./gitlinks.ts";
import { existingCommits, leastCommits, readNoted } from "./head_history.ts";
import { readPlain } from "./read_plain.ts";
import { writeStagedTree } from "./staged_tree.ts";
import { emptyTree, type Identity, writeCommit } from "./write_commit.ts";

/** Of a file that says where a git directory is. */
const MAX_BYTES = 64 * 1024;

interface RestOptions {
  /** Variables of a raw {@linkcode openContent} of the repository around. */
  readonly content: Readonly<Record<string, string>>;
  /** A file beside this one is used. */
  readonly index: string;
  readonly identity: Identity;
  /** What its refs point to, which is there already. */
  readonly refs: Readonly<Record<string, string>>;
  /** Copies objects of the repository inside into the one around. */
  readonly fetch: (oids: readonly string[]) => Promise<void>;
}

/**
 * Copies what HEAD has been at, operations under way, older stashes, and what is staged into the repository around; gives
 * commits by names of refs that nobody else has. Throws {@linkcode GitError}.
 */
export async function keepNestedRest(git: Git, place: string, options: RestOptions): Promise<Record<string, string>> {
  const { content, index, refs, fetch } = options;
  const own = join(place, ".git");
  const pointer = /^gitdir: ([^]+?)\n*$/.exec(await readText(own))?.[1];
  const gitDir = pointer === undefined ? own : resolve(place, pointer);
  const commonDir = resolve(gitDir, (await readText(join(gitDir, "commondir"))).replace(/\n+$/, ""));
  const objects = join(commonDir, "objects");
  const here = { env: content };

  const noted = await readNoted([...new Set([gitDir, commonDir])], ["logs/refs/stash"]);
  // None of its own settings is known there.
  const inside = { env: { ...content, GIT_OBJECT_DIRECTORY: objects } };
  const commits = await existingCommits(git, { oids: noted, call: inside });
  const known = new Set(Object.values(refs));
  const others = commits.filter((oid) => !known.has(oid));
  const kept: Record<string, string> = {};
  if (others.length > 0) {
    await fetch(others);
    const input = [...others, ...[...known].map((oid) => `^${oid}`)].map((line) => `${line}\n`).join("");
    const unreached = new Set((await git.text(["rev-list", "--stdin"], { ...here, input })).split("\n"));
    const commits = others.filter((oid) => unreached.has(oid));
    const least = await leastCommits(git, { commits, known: [], call: here });
    for (const oid of least) kept[`refs/codex-swarm/kept/${oid}`] = oid;
  }

  // To open a pipe is to wait for whoever writes into it.
  const hasIndex = await Deno.lstat(join(gitDir, "index")).then(({ isFile }) => isFile, () => false);
  if (!hasIndex) return kept;
  const staging = { gitDir, content, index: `${index}.inside` };
  await fetchStaged(git, { ...options, ...staging });
  const tree = await writeStagedTree(git, staging);
  const { HEAD: head } = refs;
  const committed = head === undefined
    ? await emptyTree(git, content)
    : await git.text(["rev-parse", `${head}^{tree}`], here);
  if (tree === null || tree === committed) return kept;
  const staged = { ...options, tree, parents: [], message: "codex-swarm: staged inside", at: new Date(0) };
  const oid = await writeCommit(git, staged);
  return { ...kept, [`refs/codex-swarm/staged/${oid}`]: oid };
}

/** Copies the files that are staged. */
async function fetchStaged(
  git: Git,
  { gitDir, content, index, fetch }: Pick<RestOptions, "content" | "index" | "fetch"> & { readonly gitDir: string },
): Promise<void> {
  const own = `${index}.listed`;
  try {
    await Deno.copyFile(join(gitDir, "index"), own);
    const entries = fieldsOf(await git.output(["ls-files", "-s", "-z"], { env: { ...content, GIT_INDEX_FILE: own } }));
    const files = entries.filter((entry) => !entry.startsWith(GITLINK));
    const oids = new Set(files.map((entry) => entry.split(" ")[1] ?? ""));
    if (oids.size === 0) return;
    const input = [...oids].map((oid) => `${oid}\n`).join("");
    const found = await git.text(["cat-file", "--batch-check"], { env: content, input });
    const missing = found.split("\n").flatMap((line) => /^([0-9a-f]+) missing$/.exec(line)?.[1] ?? []);
    if (missing.length > 0) await fetch(missing);
  } finally {
    await Deno.remove(own).catch(() => undefined);
  }
}

async function readText(path: string): Promise<string> {
  return new TextDecoder().decode(await readPlain(path, { maxBytes: MAX_BYTES }) ?? undefined);
}
