/** What an agent has changed in its worktree so far. */
import { relative, resolve } from "node:path";
import { readBranch } from "../git/branch_facts.ts";
import { type DiffFile, diffFiles, diffPatch, type Patch } from "../git/diff.ts";
import { type Git, GitError } from "../git/git.ts";
import { identify } from "../git/worktree.ts";
import type { WorkDirectories, WorkDirectory } from "../storage/work_directory.ts";
import { TaskError } from "../task/errors.ts";
import type { WorktreeSpec } from "../task/spec.ts";
import type { Task } from "../task/task.ts";
import { currentTree } from "./current_tree.ts";
import type { RepositoryContent } from "./repository_content.ts";
import { listSnapshots } from "./work_refs.ts";

export interface DiffRequest {
  readonly task: Task;
  /** What it is held against, as git names it; default where the branch began. */
  readonly against?: string;
  readonly paths: readonly string[];
  /** Also the patch, as text. */
  readonly withPatch: boolean;
}

export interface WorkDiff {
  /** Where the files were read: as they stand now, or the end of the branch or the snapshot of a worktree that is gone. */
  readonly of: "worktree" | "branch" | "snapshot";
  readonly against: string;
  readonly files: readonly DiffFile[];
  readonly patch: Patch | null;
}

/** Compares; touches nothing. Throws {@linkcode TaskError}. */
export async function diffWork(
  request: DiffRequest,
  { git, content, directories }: {
    readonly git: Git;
    readonly content: RepositoryContent;
    readonly directories: WorkDirectories;
  },
): Promise<WorkDiff> {
  const { task, paths, withPatch } = request;
  const { worktree } = task.spec;
  if (worktree === undefined) {
    throw new TaskError(
      "invalid_argument",
      `Cannot tell what task ${task.id} has changed: it worked in no worktree of its own. Run git diff in ${task.spec.cwd}.`,
    );
  }
  try {
    const text = (await content.of(worktree.commonDir))("text");
    const from = request.against === undefined
      ? worktree.base
      : await readBranch(git, worktree.commonDir, request.against);
    if (from === null) throw new GitError(`there is no commit "${request.against}"`, null);
    const { of, to } = await stateOf(worktree, { git, text, directory: directories.of(worktree.id) });
    const options = { content: text, from, to, paths: paths.map((path) => insideOf(worktree, path)) };
    const files = await diffFiles(git, options);
    return { of, against: from, files, patch: withPatch ? await diffPatch(git, options) : null };
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new TaskError("invalid_argument", `Cannot compare task ${task.id}: ${error.message}.`, { cause: error });
  }
}

/** From the top, as git has it. Throws {@linkcode GitError}. */
function insideOf({ path: top }: WorktreeSpec, path: string): string {
  const inside = relative(top, resolve(top, path));
  if (inside !== ".." && !inside.startsWith("../")) return inside;
  throw new GitError(`"${path}" is not below ${top}`, null);
}

async function stateOf(
  { id, path, commonDir, base, branch }: WorktreeSpec,
  { git, text, directory }: {
    readonly git: Git;
    readonly text: Readonly<Record<string, string>>;
    readonly directory: WorkDirectory;
  },
): Promise<Pick<WorkDiff, "of"> & { readonly to: string }> {
  if (await identify(path, commonDir) !== null) {
    return { of: "worktree", to: (await currentTree(git, { directory, path, text, commit: base })).tree };
  }
  const tip = await readBranch(git, commonDir, `refs/heads/${branch}`);
  if (tip !== null) return { of: "branch", to: tip };
  const snapshot = (await listSnapshots(git, { commonDir, id })).at(-1);
  if (snapshot === undefined) throw new GitError("there is no worktree, no branch and no snapshot of it", null);
  return { of: "snapshot", to: snapshot.oid };
}
