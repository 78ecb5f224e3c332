/** The worktrees of tasks: made before an agent starts, kept whenever it has worked. */
import { gitDirOf } from "../git/base.ts";
import { commitTurn, type TurnCommit } from "../git/commit_turn.ts";
import { hasConflicts } from "../git/conflict_markers.ts";
import { diffFiles } from "../git/diff.ts";
import { type Git, GitError } from "../git/git.ts";
import { userIdentity } from "../git/identity.ts";
import { checkFree, checkOut } from "../git/worktree.ts";
import { copyIncluded } from "../git/worktree_include.ts";
import type { Log } from "../log.ts";
import { ensureDirectory } from "../storage/files.ts";
import { resolveLinks } from "../storage/paths.ts";
import { isWorkId, type WorkDirectories, type WorkDirectory, type WorkRecord } from "../storage/work_directory.ts";
import { reasonOf } from "../task/errors.ts";
import type { WorktreeSpec } from "../task/spec.ts";
import type { KeptWork, Task } from "../task/task.ts";
import { turnMessage } from "./commit_message.ts";
import { bringIn, takeBack } from "./bring_in.ts";
import { FewAtOnce } from "../process/few_at_once.ts";
import type { RepositoryContent } from "./repository_content.ts";
import { registerAlone } from "./register_alone.ts";
import { runSetup } from "./run_setup.ts";
import { snapshotWork } from "./snapshot_work.ts";
import { unmakeWork } from "./unmake_work.ts";
import { checkIdentity } from "./work_identity.ts";

/** Many at once take as long in all, but the first of them is done late. */
const MAX_CHECKOUTS = 4;
/** How long others may be at the same worktree. */
const LOCK_MS = 60_000;
/** How long they may when a turn is to be kept: a snapshot of a large tree takes its time. */
const KEEP_LOCK_MS = 15 * 60_000;

export interface WorktreesOptions {
  readonly git: Git;
  readonly content: RepositoryContent;
  readonly directories: WorkDirectories;
  readonly env: Readonly<Record<string, string>>;
  readonly log: Log;
  readonly now: () => Date;
}

/** A task and what its agent has said. */
export interface Worked {
  readonly task: Task;
  readonly prompt: string;
  readonly threadId: string | null;
  readonly lastMessage: string | null;
}

export class Worktrees {
  readonly #options: WorktreesOptions;
  readonly #checkouts = new FewAtOnce(MAX_CHECKOUTS);

  constructor(options: WorktreesOptions) {
    this.#options = options;
  }

  /** Makes the worktree of a task ready, unless it is. Throws with the reason; what was there stays. */
  async prepare({ spec: { worktree, cwd, mergeFirst } }: Task, signal: AbortSignal): Promise<void> {
    if (worktree === undefined) return;
    const directory = this.#options.directories.of(worktree.id);
    using _lock = await this.#lock(directory);
    const record = await directory.read();
    if (record?.removed !== undefined) {
      throw new GitError(
        `its worktree was removed on ${record.removed.at.toISOString()}. codex_restore brings what is in it back`,
        null,
      );
    }
    if (record?.ready !== undefined) {
      await checkIdentity(record);
      const settled = await takeBack({ directory, record, ...this.#options });
      if (mergeFirst !== undefined) await bringIn(mergeFirst, { directory, record: settled, ...this.#options });
      return;
    }
    const { git } = this.#options;
    // Whoever made it was killed in the midst of that; a git or a command of his may be at it still.
    if (record !== null) await unmakeWork(git, { spec: worktree, directory });
    await checkFree(git, worktree);
    // Before git's first command: whatever that leaves is known.
    await directory.write({ spec: worktree });
    try {
      const ready = await this.#make(worktree);
      // A directory that no commit has.
      await ensureDirectory(cwd);
      await this.#setUp(worktree, { directory, signal });
      signal.throwIfAborted();
      await directory.write({ spec: worktree, ready });
    } catch (error) {
      await this.#unmake(worktree, directory);
      throw error;
    }
  }

  /** Keeps what is in the worktree of a task: a snapshot of all, and a commit on its branch. Never throws. */
  async keep(worked: Worked): Promise<KeptWork | undefined> {
    const { id, spec: { worktree } } = worked.task;
    if (worktree === undefined) return undefined;
    try {
      const directory = this.#options.directories.of(worktree.id);
      using _lock = await this.#lock(directory, KEEP_LOCK_MS);
      const record = await directory.read();
      if (record === null) return undefined;
      if (record.ready !== undefined) return await this.#keep(directory, record, worked);
      // Its agent was never let in, and none will be.
      await this.#unmake(record.spec, directory);
      return undefined;
    } catch (error) {
      this.#options.log.error("a worktree could not be kept; it is left as it is", { id, error });
      return { snapshot: null, commit: null, files: 0, leftOut: [], notKept: [], problem: reasonOf(error) };
    }
  }

  /** Keeps what is in the worktree of a task for now, in a snapshot alone. Never throws. */
  async snapshot({ id, spec: { worktree } }: Task): Promise<void> {
    if (worktree === undefined) return;
    try {
      const directory = this.#options.directories.of(worktree.id);
      using _lock = await this.#lock(directory);
      const record = await directory.read();
      if (record?.ready === undefined || record.removed !== undefined) return;
      await checkIdentity(record);
      await snapshotWork(directory, record, this.#options);
    } catch (error) {
      this.#options.log.warning("no snapshot could be taken", { id, error });
    }
  }

  /** The worktree that a path without symbolic links is in, if we have made it and it stands. */
  async at(path: string): Promise<WorktreeSpec | undefined> {
    // Its directory is named after it.
    for (const id of path.split("/").filter(isWorkId)) {
      const record = await this.#options.directories.of(id).read().catch(() => null);
      if (record === null || record.removed !== undefined) continue;
      const top = await resolveLinks(record.spec.path);
      if (path === top || path.startsWith(`${top}/`)) return record.spec;
    }
    return undefined;
  }

  async #make(worktree: WorktreeSpec): Promise<NonNullable<WorkRecord["ready"]>> {
    const { git, content, now } = this.#options;
    const { path, base, commonDir, checkout } = worktree;
    const text = (await content.of(commonDir))("text");
    const made = await registerAlone(git, worktree);
    await this.#checkouts.run(() => checkOut(git, { path, base, gitDir: made.gitDir, content: text }));
    await copyIncluded(git, { top: checkout, gitDir: await gitDirOf(git, checkout), path, content: text });
    return { ...made, at: now() };
  }

  async #setUp(
    { setup, path }: WorktreeSpec,
    { directory, signal }: { readonly directory: WorkDirectory; readonly signal: AbortSignal },
  ): Promise<void> {
    if (setup === undefined) return;
    await runSetup(setup, { directory: path, env: this.#options.env, log: directory.setupLog, signal });
  }

  /** What could not be made ready is made anew by whoever tries again. */
  async #unmake(spec: WorktreeSpec, directory: WorkDirectory): Promise<void> {
    const { git, log } = this.#options;
    try {
      await unmakeWork(git, { spec, directory });
    } catch (error) {
      log.warning("a worktree that no agent has worked in could not be removed", { path: spec.path, error });
    }
  }

  async #keep(directory: WorkDirectory, found: WorkRecord, worked: Worked): Promise<KeptWork> {
    const { git, content, now } = this.#options;
    const { gitDir } = await checkIdentity(found);
    const record = await takeBack({ directory, record: found, ...this.#options });
    const { spec: { path, commonDir, branch, base } } = record;
    const { task: { id, spec: { label } }, prompt, threadId, lastMessage } = worked;
    const snapshot = await snapshotWork(directory, record, this.#options);
    const text = (await content.of(commonDir))("text");
    const identity = await userIdentity(git, commonDir);
    const message = turnMessage({ taskId: id, threadId, label, prompt, lastMessage });
    const { merging, ...rest } = record;
    // Not in the files themselves: whatever may stand at their places by now.
    const isUnresolved = await hasConflicts(git, { content: text, tree: snapshot.tree, files: merging?.files ?? [] });
    const committed: TurnCommit = isUnresolved ? { kind: "left", reason: "conflicts" } : await commitTurn(git, {
      merged: merging?.oid,
      gitDir,
      path,
      branch,
      content: text,
      index: directory.textIndex,
      message,
      identity,
      at: now(),
    });
    const tip = committed.kind === "committed" ? committed.oid : null;
    const changed = await diffFiles(git, { content: text, from: base, to: tip ?? snapshot.tree });
    const tasks = [...new Set([...record.tasks ?? [], id])];
    const isCommitted = committed.kind === "committed";
    await directory.write({
      ...(isCommitted ? rest : record),
      tasks,
      title: label ?? message.slice(0, message.indexOf("\n")),
      keptAt: now(),
    });
    return {
      snapshot: snapshot.ref,
      commit: tip,
      ...(committed.kind === "left" ? { uncommitted: committed.reason } : {}),
      files: changed.length,
      leftOut: committed.kind === "committed" ? committed.leftOut : [],
      notKept: snapshot.notKept,
    };
  }

  async #lock(directory: WorkDirectory, waitMs = LOCK_MS): Promise<Disposable> {
    const lock = await directory.lock(waitMs);
    if (lock === null) throw new GitError("a snapshot or another server is at its worktree for long already", null);
    return lock;
  }
}
