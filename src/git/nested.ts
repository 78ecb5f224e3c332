/** Repositories inside a working tree: what they have committed is kept with it. */
import { join } from "node:path";
import { type Git, GitError } from "./git.ts";
import { existingCommits } from "./head_history.ts";
import { isThere } from "./is_there.ts";
import { keepNestedRest } from "./nested_rest.ts";
import type { Identity } from "./write_commit.ts";

const TIMEOUT_MS = 10 * 60_000;

/**
 * What git starts to read a repository inside. Settings that we give it do not reach that program by themselves, and those
 * that stand there may hide commits. It fetches nothing that is missing, which would start what the settings there name.
 */
const UPLOAD_PACK = [
  "GIT_ALLOW_PROTOCOL=none git",
  ...["refs", "HEAD"].map((hidden) => `-c 'transfer.hideRefs=!${hidden}'`),
  "upload-pack",
].join(" ");

/** A repository inside, and where its refs point. */
export interface NestedRepository {
  /** From the top of the working tree. */
  readonly path: string;
  /** Commits by the full name of the ref; HEAD too. */
  readonly refs: Readonly<Record<string, string>>;
}

interface KeepOptions {
  /** Git directory of the repository around them. */
  readonly commonDir: string;
  /** Top of the working tree. */
  readonly path: string;
  readonly content: Readonly<Record<string, string>>;
  /** Files beside this one are used. */
  readonly index: string;
  readonly identity: Identity;
}

/**
 * Copies all that these repositories have committed, stashed or staged into the repository around them; `unreadable` are
 * those of which git cannot read all.
 */
export async function keepNested(
  git: Git,
  { paths, ...options }: KeepOptions & { readonly paths: readonly string[] },
): Promise<{ readonly nested: readonly NestedRepository[]; readonly unreadable: readonly string[] }> {
  const unreadable: string[] = [];
  const nested: NestedRepository[] = [];
  for (const path of paths) {
    const place = join(options.path, path);
    let refs: Record<string, string> = {};
    try {
      refs = await keepRefs(git, place, options);
      const fetch = (oids: readonly string[]): Promise<void> => fetchFrom(git, place, { ...options, oids });
      refs = { ...refs, ...await keepNestedRest(git, place, { ...options, refs, fetch }) };
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      // What is broken must not cost all the rest.
      unreadable.push(join(path, ".git"));
    }
    const commits = new Set(await existingCommits(git, { oids: Object.values(refs), call: { env: options.content } }));
    const others = Object.entries(refs).filter(([, oid]) => !commits.has(oid)).map(([ref]) => ref);
    unreadable.push(...others.map((ref) => `${join(path, ".git")}: ${ref}, which is no commit`));
    for (const ref of others) delete refs[ref];
    if (Object.keys(refs).length > 0) nested.push({ path, refs });
  }
  return { nested, unreadable };
}

async function keepRefs(git: Git, place: string, options: KeepOptions): Promise<Record<string, string>> {
  const { content } = options;
  const from = [`--upload-pack=${UPLOAD_PACK}`, place];
  const refs: Record<string, string> = {};
  for (const line of (await git.text(["ls-remote", ...from], { env: content })).split("\n")) {
    const [oid, ref] = line.split("\t");
    // Of a tag its commit, which stands below it with a mark.
    if (oid !== undefined && ref !== undefined) refs[ref.replace(/\^\{\}$/, "")] = oid;
  }
  if (Object.keys(refs).length === 0) {
    if (await isThere(join(place, ".git", "logs", "HEAD"))) throw new GitError("no ref has its commits", null);
    return refs;
  }
  await fetchFrom(git, place, { ...options, oids: Object.values(refs) });
  return refs;
}

/** Copies objects that a repository inside has, and all that they reach. */
async function fetchFrom(
  git: Git,
  place: string,
  { commonDir, content, oids }: KeepOptions & { readonly oids: readonly string[] },
): Promise<void> {
  const input = oids.map((oid) => `${oid}\n`).join("");
  // Only the second version of the protocol gives what no ref points to.
  const env = { ...content, GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "protocol.version", GIT_CONFIG_VALUE_0: "2" };
  const fetch = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--stdin"];
  await git.output([...fetch, `--upload-pack=${UPLOAD_PACK}`, place], { env, input, timeoutMs: TIMEOUT_MS });
  // A ref to commits whose parents are missing, as in a shallow clone, would break the repository around.
  const walk = [`--git-dir=${commonDir}`, "rev-list", "--objects", "--quiet", "--stdin", "--not", "--all"];
  await git.output(walk, { input, timeoutMs: TIMEOUT_MS });
}

/** How a snapshot's message tells of them: a line `Nested: OID REF "PATH"` for each ref. */
export function nestedWords(nested: readonly NestedRepository[]): string {
  const lines = nested.flatMap(({ path, refs }) =>
    // A path may have lines of its own.
    Object.entries(refs).map(([ref, oid]) => `Nested: ${oid} ${ref} ${JSON.stringify(path)}`)
  );
  return lines.length === 0 ? "" : `\n${lines.join("\n")}\n`;
}

/** Reads what {@linkcode nestedWords} has written; the outer ones first. */
export function readNested(message: string): NestedRepository[] {
  const found = new Map<string, Record<string, string>>();
  for (const line of message.split("\n")) {
    const [, oid = "", ref = "", quoted] = /^Nested: ([0-9a-f]+) (HEAD|refs\/\S+) ("[^]*")$/.exec(line) ?? [];
    if (quoted === undefined) continue;
    const path = String(JSON.parse(quoted));
    found.set(path, { ...found.get(path), [ref]: oid });
  }
  return [...found].map(([path, refs]) => ({ path, refs }));
}

/**
 * Makes a repository of a directory again, whose files are there, or which is missing since it had none; tells whether its
 * place is one where a repository may be made. Throws {@linkcode GitError}.
 */
export async function restoreNested(
  git: Git,
  { path, refs, top, commonDir }: NestedRepository & { readonly top: string; readonly commonDir: string },
): Promise<boolean> {
  if (!await makeDirectory(top, path)) return false;
  const cwd = join(top, path);
  const gitDir = join(cwd, ".git");
  if (await isThere(gitDir)) return false;
  // By name, so that it is never the repository around.
  const at = [`--git-dir=${gitDir}`];
  const format = await git.text([`--git-dir=${commonDir}`, "rev-parse", "--show-object-format"]);
  await git.output([...at, "init", "--quiet", "--template=", `--object-format=${format}`], { cwd });
  const { HEAD: head, ...named } = refs;
  const wanted = Object.entries(refs).map(([ref, oid]) => ref === "HEAD" ? oid : `${oid}:${ref}`);
  const fetch = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--update-head-ok"];
  // Of later versions of the protocol, which give whatever is asked for.
  const version = ["-c", "protocol.version=2"];
  await git.output([...at, ...version, ...fetch, commonDir, ...wanted], { cwd, timeoutMs: TIMEOUT_MS });
  if (head === undefined) return true;
  const branch = Object.keys(named).find((ref) => ref.startsWith("refs/heads/") && named[ref] === head);
  const point = branch === undefined ? ["update-ref", "--no-deref", "HEAD", head] : ["symbolic-ref", "HEAD", branch];
  await git.output([...at, ...point], { cwd });
  await git.output([...at, "read-tree", "HEAD"], { cwd });
  return true;
}

/** Makes what is missing of a directory; tells whether its path leads there through no link and nothing of git's. */
async function makeDirectory(top: string, path: string): Promise<boolean> {
  const parts = path.split("/");
  for (const [at, part] of parts.entries()) {
    if (["", ".", "..", ".git"].includes(part.toLowerCase())) return false;
    const place = join(top, ...parts.slice(0, at + 1));
    await Deno.mkdir(place).catch(() => undefined);
    if (!await Deno.lstat(place).then(({ isDirectory }) => isDirectory, () => false)) return false;
  }
  return true;
}
