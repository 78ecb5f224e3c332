/** What is told of the worktree of a task, in the words of codex-mcp-swarm where it had some. */
import type { Overlap } from "../work/forecast.ts";
import { isFinished, type KeptWork, type Task } from "../task/task.ts";
import { cutInner } from "./bounded_text.ts";
import { notesOf } from "./task_facts.ts";

/** Names of files in one answer. */
const MAX_NAMES = 10;
/** Of each, in characters. */
const MAX_NAME = 200;
/** Other tasks named for one. */
const MAX_OVERLAPS = 5;

/** For the data of a task; `undefined` for what it has not. */
export function worktreeData({ spec: { worktree }, state }: Task): Record<string, unknown> {
  const work = "outcome" in state ? state.outcome.work : undefined;
  return {
    worktree_path: worktree?.path,
    worktree_branch: worktree?.branch,
    work: work === undefined ? undefined : {
      commit: work.commit,
      snapshot: work.snapshot,
      files: work.files,
      ...(work.uncommitted === undefined ? {} : { uncommitted: uncommittedWords(work.uncommitted) }),
      ...(work.leftOut.length === 0 ? {} : { left_out: work.leftOut.slice(0, MAX_NAMES).map(shortName) }),
      ...(work.notKept.length === 0 ? {} : { not_kept: work.notKept.slice(0, MAX_NAMES).map(shortName) }),
      ...(work.problem === undefined ? {} : { problem: work.problem }),
    },
  };
}

/** `Worktree:` and `Branch:`, and what was kept of it. */
export function worktreeLines(task: Task): string[] {
  const { worktree } = task.spec;
  if (worktree === undefined) return [];
  const work = isFinished(task) ? task.state.outcome.work : undefined;
  return [`Worktree: ${worktree.path}`, `Branch: ${worktree.branch}`, ...(work === undefined ? [] : workLines(work))];
}

/** For the data of a task: those with conflicts first. */
export function overlapData(overlaps: readonly Overlap[] | undefined): Record<string, unknown>[] | undefined {
  return overlaps === undefined ? undefined : byConflicts(overlaps).slice(0, MAX_OVERLAPS).map((
    { taskId, files, conflicts },
  ) => ({
    task_id: taskId,
    files: files.slice(0, MAX_NAMES).map(shortName),
    ...(conflicts.length === 0 ? {} : { conflicts: conflicts.slice(0, MAX_NAMES).map(shortName) }),
  }));
}

/** The tasks whose work cannot be merged with a task's, where there is no room for more. */
export function conflictingIds(overlaps: readonly Overlap[] | undefined): string[] {
  return byConflicts(overlaps ?? []).filter(({ conflicts }) => conflicts.length > 0).slice(0, MAX_OVERLAPS)
    .map(({ taskId }) => taskId);
}

/** A line for each, and what it would take to merge both. */
export function overlapLines(overlaps: readonly Overlap[] | undefined): string[] {
  return byConflicts(overlaps ?? []).slice(0, MAX_OVERLAPS).map(({ taskId, files, conflicts }) =>
    conflicts.length === 0
      ? `Changes the same files as task ${taskId}, without conflict so far: ${names(files)}`
      : `CONFLICTS with task ${taskId}: ${names(conflicts)}`
  );
}

function byConflicts(overlaps: readonly Overlap[]): Overlap[] {
  return overlaps.toSorted((a, b) => b.conflicts.length - a.conflicts.length);
}

function workLines(work: KeptWork): string[] {
  const lines = work.commit === null ? [] : [`Commit: ${work.commit} (${work.files} files differ from where it began)`];
  if (work.uncommitted !== undefined) lines.push(`Not committed: ${uncommittedWords(work.uncommitted)}`);
  if (work.leftOut.length > 0) lines.push(`Not on the branch, repositories of their own: ${names(work.leftOut)}`);
  if (work.notKept.length > 0) lines.push(`In no snapshot: ${names(work.notKept)}`);
  if (work.problem !== undefined) lines.push(`Not kept: ${work.problem}`);
  return lines;
}

const UNCOMMITTED = {
  elsewhere: "the agent has left its branch; the snapshot has all",
  "under way": "a merge or rebase is under way; the snapshot has all",
  conflicts: "conflicts are left in its files; the snapshot has all",
};

function uncommittedWords(reason: NonNullable<KeptWork["uncommitted"]>): string {
  return UNCOMMITTED[reason];
}

function names(all: readonly string[]): string {
  const more = all.length > MAX_NAMES ? ` and ${all.length - MAX_NAMES} more` : "";
  return `${all.slice(0, MAX_NAMES).map(shortName).join(", ")}${more}`;
}

function shortName(path: string): string {
  return cutInner(path, MAX_NAME);
}

/** The end of a blocking run's text. */
export function worktreeFooter(task: Task): string {
  const { worktree } = task.spec;
  if (worktree === undefined) return "";
  const notes = notesOf(task).map((note) => `\nNote: ${note}`).join("");
  return `\n\n---\nWorktree Path: ${worktree.path}\nWorktree Branch: ${worktree.branch}${notes}`;
}
