/** Keeps everything that a working tree holds, under a ref of the repository that it belongs to. */
import { type Head, readHead, readHeadHistory } from "./head_history.ts";
import { type Git, GitError } from "./git.ts";
import { keepNested, nestedWords } from "./nested.ts";
import { writeTree } from "./write_tree.ts";
import { emptyTree, type Identity, writeCommit } from "./write_commit.ts";
import { writeStagedTree } from "./staged_tree.ts";

/** Names that are passed over at most. */
const MAX_LOCKED = 5;

export interface SnapshotOptions {
  readonly commonDir: string;
  /** The working tree's own git directory. */
  readonly gitDir: string;
  readonly path: string;
  /** Variables of a raw {@linkcode openContent}. */
  readonly content: Readonly<Record<string, string>>;
  /** File of an index for this working tree's snapshots alone. */
  readonly index: string;
  /** Under this, each with a number from 1. */
  readonly refs: string;
  readonly message: string;
  readonly identity: Identity;
  readonly at: Date;
}

/** One snapshot: a commit whose tree is the working tree's, byte by byte. Its first parent is HEAD. */
export interface Snapshot {
  readonly ref: string;
  readonly oid: string;
  readonly tree: string;
  readonly head: Head | null;
  /** Nothing has changed since the last one, which this is. */
  readonly isOld: boolean;
  /** Paths of the repositories inside. */
  readonly repositories: readonly string[];
  /** What git could not read, in its words. */
  readonly unreadable: readonly string[];
}

/** Takes a snapshot unless nothing has changed since the last one. Throws {@linkcode GitError}. */
export async function takeSnapshot(git: Git, options: SnapshotOptions): Promise<Snapshot> {
  const { gitDir, content } = options;
  const head = await readHead(git, gitDir);
  const known = head === null ? [] : [head.oid];
  const looks = [
    writeTree(git, { ...options, head: head?.oid ?? null, nested: "take", indexed: { gitDir, filtered: "raw" } }),
    writeStagedTree(git, { gitDir, content, index: options.index }),
    readHeadHistory(git, { gitDir, known }),
    lastOf(git, options),
  ] as const;
  // Also when one of them fails: nobody is to begin anew while another goes on.
  await Promise.allSettled(looks);
  const [{ tree, nested: paths, unreadable: files }, index, history, last] = await Promise.all(looks);
  const staged = index === tree || index === head?.tree ? null : index;
  const { nested, unreadable: repositories } = await keepNested(git, { ...options, paths });
  const unreadable = [...files, ...repositories];
  const kept = [...history, ...nested.flatMap(({ refs }) => Object.values(refs))];
  // Without a date of their own, so that the same is the same again.
  const commit = (message: string, of: string, parents: readonly string[]): Promise<string> =>
    writeCommit(git, { ...options, message, tree: of, parents, at: new Date(0) });
  const parents = [
    ...known,
    ...(staged === null ? [] : [await commit("codex-swarm: staged", staged, known)]),
    ...(kept.length === 0
      ? []
      : [await commit("codex-swarm: kept", await emptyTree(git, content), [...new Set(kept)])]),
  ];
  if (last !== null && last.tree === tree && last.parents === parents.join(" ")) {
    return { ref: last.ref, oid: last.oid, tree, head, isOld: true, repositories: paths, unreadable };
  }
  const message = `${options.message}\n${nestedWords(nested)}`;
  const oid = await writeCommit(git, { ...options, message, tree, parents });
  const ref = await createRef(git, { ...options, oid, after: last?.number ?? 0 });
  return { ref, oid, tree, head, isOld: false, repositories: paths, unreadable };
}

/** Takes the next number, or one behind it where a git that was killed has left its lock. */
async function createRef(
  git: Git,
  { commonDir, refs, oid, after }: SnapshotOptions & { readonly oid: string; readonly after: number },
): Promise<string> {
  for (let number = after + 1;; number++) {
    const ref = `${refs}/${number}`;
    const input = `create ${ref}\0${oid}\0`;
    const { exitCode, stderr } = await git.run([`--git-dir=${commonDir}`, "update-ref", "--stdin", "-z"], { input });
    if (exitCode === 0) return ref;
    const isLocked = /\.lock': File exists/.test(stderr) && number - after < MAX_LOCKED;
    if (!isLocked) throw new GitError(`git update-ref failed: ${stderr.trim()}`, exitCode);
  }
}

interface LastSnapshot {
  readonly ref: string;
  readonly number: number;
  readonly oid: string;
  readonly tree: string;
  readonly parents: string;
}

async function lastOf(git: Git, { commonDir, refs }: SnapshotOptions): Promise<LastSnapshot | null> {
  const format = "--format=%(refname) %(objectname) %(tree) %(parent)";
  const lines = (await git.text([`--git-dir=${commonDir}`, "for-each-ref", format, `${refs}/`])).split("\n");
  const all = lines.flatMap((line): LastSnapshot[] => {
    const [ref = "", oid = "", tree = "", ...parents] = line.trimEnd().split(" ");
    const number = Number(ref.slice(refs.length + 1));
    return number > 0 ? [{ ref, number, oid, tree, parents: parents.join(" ") }] : [];
  });
  return all.reduce<LastSnapshot | null>((last, one) => last === null || one.number > last.number ? one : last, null);
}
