import type { Git } from "../git/git.ts";
import { GitError } from "../git/git.ts";
import { NEUTRAL } from "../git/identity.ts";
import { keepIgnored } from "../git/ignored_files.ts";
import { type Snapshot, takeSnapshot } from "../git/snapshot.ts";
import type { WorkDirectory, WorkRecord } from "../storage/work_directory.ts";
import { reasonOf } from "../task/errors.ts";
import type { RepositoryContent } from "./repository_content.ts";
import { snapshotRefs } from "./work_refs.ts";

export interface SnapshotServices {
  readonly git: Git;
  readonly content: RepositoryContent;
  readonly env: Readonly<Record<string, string>>;
  readonly now: () => Date;
}

export interface WorkSnapshot extends Pick<Snapshot, "ref" | "oid" | "tree" | "repositories" | "unreadable"> {
  /** What it has not, by path: too large, or not to be read. */
  readonly notKept: readonly string[];
}

/**
 * Keeps all that is in a worktree, for which the caller holds the lock; `path` is where its files are, by default its own
 * place. Throws {@linkcode GitError}.
 */
export async function snapshotWork(
  directory: WorkDirectory,
  { spec, ready }: WorkRecord,
  { git, content, env, now }: SnapshotServices,
  { path = spec.path }: { readonly path?: string } = {},
): Promise<WorkSnapshot> {
  if (ready === undefined) throw new GitError(`${spec.path} has never been ready`, null);
  const raw = (await content.of(spec.commonDir))("raw");
  const snapshot = await takeSnapshot(git, {
    commonDir: spec.commonDir,
    gitDir: ready.gitDir,
    path,
    content: raw,
    index: directory.rawIndex,
    refs: snapshotRefs(spec.id),
    message: `codex-swarm: ${spec.id}`,
    identity: NEUTRAL,
    at: now(),
  });
  const unreadable = [...snapshot.unreadable];
  const others: string[] = [];
  try {
    const { notKept } = await keepIgnored(git, {
      path,
      content: raw,
      index: directory.rawIndex,
      repositories: snapshot.repositories,
      since: ready.at,
      except: spec.checkout,
      archive: directory.ignored,
      env,
    });
    others.push(...notKept);
  } catch (error) {
    // All else is kept, and no such worktree is removed.
    unreadable.push(`files that git ignores (${reasonOf(error)})`);
  }
  return { ...snapshot, unreadable, notKept: [...unreadable, ...others] };
}
