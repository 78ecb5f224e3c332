/** Brings back what a snapshot has kept, at a new place. */
import { join } from "node:path";
import { type Git, GitError } from "./git.ts";
import { readNested, restoreNested } from "./nested.ts";
import type { WorktreeIdentity } from "./worktree.ts";

const TIMEOUT_MS = 15 * 60_000;

export interface RestoreOptions {
  /** Object id of the snapshot. */
  readonly snapshot: string;
  /** The new worktree, registered and without files. */
  readonly made: WorktreeIdentity;
  readonly path: string;
  readonly commonDir: string;
  /** Object id of the commit that its branch is at. */
  readonly head: string;
  /** Variables of a raw {@linkcode openContent}. */
  readonly content: Readonly<Record<string, string>>;
}

/** The parts of a snapshot. */
export interface SnapshotParts {
  /** Where HEAD stood; `null` where there was no commit. */
  readonly head: string | null;
  /** Commit whose tree is what was staged, if that was anything of its own. */
  readonly staged: string | null;
  readonly message: string;
}

/** Tells what a snapshot is made of. Throws {@linkcode GitError} when it is not there. */
export async function readSnapshot(
  git: Git,
  { snapshot, content }: { readonly snapshot: string; readonly content: Readonly<Record<string, string>> },
): Promise<SnapshotParts> {
  // Not `show`, which needs what the parents have, too.
  const read = async (oid: string): Promise<{ readonly parents: readonly string[]; readonly message: string }> => {
    const [head = "", ...message] = (await git.text(["cat-file", "commit", oid], { env: content })).split("\n\n");
    const parents = [...head.matchAll(/^parent (\S+)$/gm)].map(([, parent]) => parent ?? "");
    return { parents, message: message.join("\n\n") };
  };
  const { parents, message } = await read(snapshot);
  const parts: { head: string | null; staged: string | null } = { head: null, staged: null };
  for (const oid of parents) {
    const [subject] = (await read(oid)).message.split("\n");
    if (subject === "codex-swarm: staged") parts.staged = oid;
    else if (subject !== "codex-swarm: kept") parts.head = oid;
  }
  return { ...parts, message };
}

/**
 * Fills a worktree with the files of a snapshot, byte by byte, what was staged, and the repositories inside; gives the
 * paths of those that could not be made. Throws {@linkcode GitError}.
 */
export async function restoreSnapshot(
  git: Git,
  { snapshot, made, path, commonDir, head, content }: RestoreOptions,
): Promise<string[]> {
  const { staged, message } = await readSnapshot(git, { snapshot, content });
  const index = join(made.gitDir, "index");
  const own = `${index}.restored`;
  const call = { cwd: path, env: { ...content, GIT_WORK_TREE: path, GIT_INDEX_FILE: own }, timeoutMs: TIMEOUT_MS };
  await git.output(["read-tree", snapshot], call);
  await git.output(["checkout-index", "--all", "--force"], call);
  const missing: string[] = [];
  for (const nested of readNested(message)) {
    const isMade = await restoreNested(git, { ...nested, top: path, commonDir }).catch((error: unknown) => {
      if (error instanceof GitError) return false;
      throw error;
    });
    if (!isMade) missing.push(nested.path);
  }
  // Last, and for git's own eyes: what was staged, else what was committed.
  const isConflict = staged !== null && (await git.text(["ls-tree", staged, ".conflict"], call)) !== "";
  await git.output(["read-tree", staged === null || isConflict ? head : staged], call);
  await Deno.rename(own, index);
  return missing;
}
