/** Brings what agents have made into a branch: all of it, or nothing. */
import { basename } from "node:path";
import { findCheckouts, findRebase, readBranch, resolveBranch } from "../git/branch_facts.ts";
import { type Git, GitError } from "../git/git.ts";
import { userIdentity } from "../git/identity.ts";
import { type Branch, mergeBranches, type MergeMode } from "../git/merge_branches.ts";
import type { MergedTree } from "../git/merge_tree.ts";
import { identify } from "../git/worktree.ts";
import { type Checkout, dirtyFiles, moveRef } from "../git/update_checkout.ts";
import { isThere } from "../storage/files.ts";
import { TaskError } from "../task/errors.ts";
import { isFinished, type Task } from "../task/task.ts";
import { holdMoves, moveByJournal } from "./checkout_moves.ts";
import { conflictHunks } from "./conflict_hunks.ts";
import type { RepositoryContent } from "./repository_content.ts";

/** How many files are named. */
const MAX_NAMED = 10;

export interface MergeRequest {
  /** In this order. */
  readonly tasks: readonly Task[];
  /** Short name of the branch; default the one that the first task's began with. */
  readonly into?: string;
  readonly mode: MergeMode;
  /** The checkout that stands on the branch goes along. */
  readonly updatesCheckout: boolean;
  /** Called with each commit that would become the branch's; gives what is wrong with it. */
  readonly check: ((commit: string, commonDir: string) => Promise<string | null>) | null;
  /** Aborted when nobody wants it any more. */
  readonly signal: AbortSignal;
}

export type MergeResult =
  | {
    readonly kind: "merged";
    readonly into: string;
    readonly from: string;
    readonly to: string;
    readonly checkout: string | null;
    /** What to know of it. */
    readonly notes: readonly string[];
  }
  /** Nothing has changed. */
  | {
    readonly kind: "conflict";
    readonly culprit: Task;
    readonly into: string;
    readonly merged: Extract<MergedTree, { kind: "conflict" }>;
    /** Where they differ. */
    readonly hunks: string;
  }
  /** Nothing has changed. */
  | { readonly kind: "check_failed"; readonly culprit: Task; readonly into: string; readonly reason: string };

export interface MergeServices {
  readonly git: Git;
  readonly content: RepositoryContent;
  /** Gives who still works in a worktree of ours, in words. */
  readonly isInUse: (id: string, directory?: string) => Promise<string | null>;
  readonly now: () => Date;
}

/** Merges in memory, checks each step, then moves the branch once. Throws {@linkcode TaskError}; nothing has changed then. */
export async function mergeWork(
  request: MergeRequest,
  { git, content, isInUse, now }: MergeServices,
): Promise<MergeResult> {
  const { tasks, mode, check, signal } = request;
  const { commonDir, baseBranch } = worktreeOf(tasks[0]);
  for (const task of tasks) {
    if (worktreeOf(task).commonDir !== commonDir) throw refused("the tasks worked in different repositories");
  }
  const into = (request.into ?? baseBranch)?.replace(/^refs\/heads\//, "");
  if (into === undefined) throw refused("the first task began on no branch. Name one with into");
  try {
    const text = (await content.of(commonDir))("text");
    const ref = await resolveBranch(git, commonDir, `refs/heads/${into}`);
    const from = ref === null ? null : await readBranch(git, commonDir, ref);
    if (ref === null || from === null) {
      throw refused(`there is no branch "${into}". Make it, or name another one with into`);
    }
    const branches = await Promise.all(tasks.map((task) => branchOf(task, { git, text, mode })));
    const identity = await userIdentity(git, commonDir);
    const result = await mergeBranches(git, { content: text, onto: from, branches, mode, identity, at: now() });
    if (result.kind === "conflict") {
      const { merged } = result;
      const hunks = await conflictHunks(git, { content: text, ...merged });
      return { kind: "conflict", culprit: at(tasks, result.at), into, merged, hunks };
    }
    const to = result.tips.at(-1) ?? from;
    const notes = (await Promise.all(tasks.map((task) => noteOf(task, { git, text })))).filter((note) => note !== null);
    if (to === from) return { kind: "merged", into, from, to, checkout: null, notes };
    const rebase = await findRebase(commonDir, ref);
    if (rebase !== null) {
      throw refused(`${into} is being rebased (${rebase}). End that first, or name another with into`);
    }
    const known = tasks.map((task) => worktreeOf(task).checkout);
    const [checkout, other] = await findCheckouts(git, { commonDir, ref, known });
    if (other !== undefined) throw refused(`${into} is checked out in both ${checkout?.path} and ${other.path}`);
    if (checkout !== undefined) {
      await checkCheckout(checkout, { into, text, git, isInUse, updates: request.updatesCheckout });
    }
    for (const [index, tip] of result.tips.entries()) {
      // Of one that has nothing new there is nothing to be checked.
      if (tip === (result.tips[index - 1] ?? from)) continue;
      const reason = await check?.(tip, commonDir) ?? null;
      if (reason !== null) return { kind: "check_failed", culprit: at(tasks, index), into, reason };
    }
    if (signal.aborted) throw refused("the call was cancelled");
    const move = { commonDir, ref, from, to, message: `codex-swarm: merge ${tasks.map(({ id }) => id).join(" ")}` };
    if (checkout === undefined) await moveRef(git, move);
    else await moveByJournal(git, { ...move, checkout, content: text });
    return { kind: "merged", into, from, to, checkout: checkout?.path ?? null, notes };
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new TaskError("start_failed", `Cannot merge into ${into}: ${error.message}. Nothing has changed.`, {
      cause: error,
    });
  }
}

/** Whoever works in the checkout must not find it changed below his hands, nor behind its branch. */
async function checkCheckout(
  { path, gitDir }: Checkout,
  { into, text, git, isInUse, updates }: Pick<MergeServices, "git" | "isInUse"> & {
    readonly into: string;
    readonly text: Readonly<Record<string, string>>;
    readonly updates: boolean;
  },
): Promise<void> {
  if (!await isThere(path)) {
    throw refused(
      `${into} is checked out in ${path}, which is not there. If it is gone for good, run git worktree prune`,
    );
  }
  if (!updates) {
    throw refused(
      `${into} is checked out in ${path}. Pass update_checkout=true to have its files follow, name another branch with ` +
        "into, or merge there yourself",
    );
  }
  // An agent's worktree is named after it.
  const user = await isInUse(basename(path), path);
  if (user !== null) throw refused(`${into} is checked out in ${path}, and ${user}`);
  // Files that another server is moving are nobody's changes.
  using _moves = await holdMoves({ path, gitDir });
  const dirty = await dirtyFiles(git, { path, gitDir, content: text });
  if (dirty.length === 0) return;
  throw refused(
    `${path} has changes of its own: ${names(dirty)}. Commit them, or name another branch with into`,
  );
}

/** What somebody has changed in a worktree since its agent's turn was committed; `null` when that is nothing. */
async function noteOf(
  task: Task,
  { git, text }: { readonly git: Git; readonly text: Readonly<Record<string, string>> },
): Promise<string | null> {
  const { path, commonDir } = worktreeOf(task);
  const identity = await identify(path, commonDir);
  if (identity === null) return null;
  const dirty = await dirtyFiles(git, { path, gitDir: identity.gitDir, content: text, untracked: true }).catch(
    () => [],
  );
  if (dirty.length === 0) return null;
  return `Not merged, since it is not committed in ${path}: ${names(dirty)}. Commit it there and merge again.`;
}

function names(files: readonly string[]): string {
  const more = files.length > MAX_NAMED ? ` and ${files.length - MAX_NAMED} more` : "";
  return `${files.slice(0, MAX_NAMED).join(", ")}${more}`;
}

async function branchOf(
  task: Task,
  { git, text, mode }: {
    readonly git: Git;
    readonly text: Readonly<Record<string, string>>;
    readonly mode: MergeMode;
  },
): Promise<Branch> {
  const { commonDir, branch, base } = worktreeOf(task);
  if (!isFinished(task)) throw refused(`task ${task.id} has not ended. Wait for it with codex_wait, or stop it`);
  const { outcome: { work }, progress } = task.state;
  const threadId = progress.threadId ?? task.spec.resumeThreadId ?? null;
  if (work?.problem !== undefined) throw refused(`what task ${task.id} has done could not be kept: ${work.problem}`);
  if (work?.uncommitted !== undefined) {
    const reply = threadId === null
      ? ""
      : `. Have it brought there with codex_reply(threadId="${threadId}", prompt=...) and merge the task of that reply`;
    throw refused(`not all that task ${task.id} has done is on its branch: codex_diff shows it${reply}`);
  }
  const oid = await readBranch(git, commonDir, `refs/heads/${branch}`);
  if (oid === null && work === undefined) throw refused(`the agent of task ${task.id} has never begun to work`);
  if (oid === null) throw refused(`the branch ${branch} of task ${task.id} is gone. codex_restore brings it back`);
  const own = mode === "squash" ? await git.text(["log", "-1", "--format=%s", oid], { env: text }) : "";
  const thread = threadId === null ? "" : `Codex-Thread: ${threadId}\n`;
  return { oid, base, message: `${own || `Merge ${branch}`}\n\nCodex-Task: ${task.id}\n${thread}` };
}

function worktreeOf(task: Task | undefined): NonNullable<Task["spec"]["worktree"]> {
  const worktree = task?.spec.worktree;
  if (worktree !== undefined) return worktree;
  throw refused(`task ${task?.id} worked in no worktree of its own: what it has done is in its directory already`);
}

function at(tasks: readonly Task[], index: number): Task {
  const task = tasks[index];
  if (task === undefined) throw new Error(`there is no task ${index}`);
  return task;
}

function refused(reason: string): TaskError {
  return new TaskError("invalid_argument", `Cannot merge: ${reason}. Nothing has changed.`);
}
