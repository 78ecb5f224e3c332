/** What a worktree is to be made of, found out when it is asked for. */
import { join, relative, resolve } from "node:path";
import { commitCheckout, gitDirOf, leftOutFiles, readUnfilled, resolveBase } from "../git/base.ts";
import { readBranch } from "../git/branch_facts.ts";
import { type Git, GitError } from "../git/git.ts";
import { NEUTRAL, userIdentity } from "../git/identity.ts";
import { removeAll } from "../storage/files.ts";
import { realPath, resolveLinks } from "../storage/paths.ts";
import { TaskError } from "../task/errors.ts";
import type { TaskSpec, WorktreeSpec } from "../task/spec.ts";
import type { EarlierThread } from "./earlier_thread.ts";
import type { Places } from "./plan_places.ts";
import type { RepositoryContent } from "../work/repository_content.ts";
import type { StartRequest } from "./start_request.ts";

/** How many files are named that a worktree will not have. */
const MAX_NAMED = 5;
const NEUTRAL_NOTE =
  `Commits of this agent's work are made as ${NEUTRAL.name} <${NEUTRAL.email}>: git knows no user.name ` +
  "and user.email here.";
/** As a part of a branch's name: git's own rules, and short enough for a path. */
const NAME = /^(?!.*(\.\.|\.lock$))[A-Za-z0-9][A-Za-z0-9._-]{0,59}$/;

/** All of a worktree but what the task's id decides. */
export interface PlannedWorktree extends Omit<WorktreeSpec, "id" | "path" | "branch"> {
  /** Of the branch, in the place of the task's id. */
  readonly name?: string;
  /** The working directory in it, from its top. */
  readonly inside: string;
  /** What the caller should know. */
  readonly notes: readonly string[];
}

/** What planning a worktree needs. */
export interface WorktreePlanner {
  readonly git: Git;
  readonly content: RepositoryContent;
  readonly stateDir: string;
  /** Commands that a person lets run outside every sandbox. */
  readonly allowedCommands: ReadonlySet<string>;
  /** The worktree that a path is in, if it is one of ours. */
  readonly at: (path: string) => Promise<WorktreeSpec | undefined>;
  readonly now: () => Date;
}

/**
 * The worktree that a call's working directory is in already, if it is one of ours. Throws {@linkcode TaskError} when it
 * was that of the thread and is gone.
 */
export async function standingWorktree(
  request: Pick<StartRequest, "cwd">,
  { cwd, earlier, at }: {
    readonly cwd: string;
    readonly earlier: EarlierThread | null;
    readonly at: WorktreePlanner["at"];
  },
): Promise<WorktreeSpec | undefined> {
  const path = resolve(cwd, request.cwd ?? ".");
  const real = await realPath(path);
  if (real !== null) return await at(real);
  const worktree = earlier?.task?.spec.worktree;
  if (worktree === undefined || relative(worktree.path, path).startsWith("..")) return undefined;
  throw new TaskError(
    "not_resumable",
    `Cannot continue in ${path}: the worktree is gone. codex_restore(task_id="${worktree.id}") brings what is in it ` +
      "back at a new place; go on there with codex(threadId, cwd).",
  );
}

/** Finds out where the branch begins. Throws {@linkcode TaskError}; nothing of the repository's has changed then. */
export async function planWorktree(
  { worktree, threadId }: Pick<StartRequest, "worktree" | "threadId">,
  places: Places,
  planner: WorktreePlanner,
): Promise<PlannedWorktree | undefined> {
  if (worktree === undefined || worktree === false) return undefined;
  const { base = "head", name, setup } = worktree === true ? {} : worktree;
  if (threadId !== undefined) {
    throw invalid("a thread that is continued stays where it worked. Leave worktree out, or start a new one");
  }
  if (name !== undefined && !NAME.test(name)) {
    throw invalid(`"${name}" cannot be part of a branch's name: use letters, digits, ".", "_" and "-"`);
  }
  if (setup !== undefined && !planner.allowedCommands.has(setup)) {
    throw invalid(
      `a person must approve the setup command first, since it runs outside every sandbox: start the server with ` +
        `--allow-command ${JSON.stringify(setup)}, or leave setup out`,
    );
  }
  const { repository, cwd } = places;
  if (repository === null) {
    throw new TaskError(
      "not_a_repository",
      `Cannot make a worktree: ${cwd} is in no git working tree. Name a cwd that is, or leave worktree out.`,
    );
  }
  const { top, commonDir } = repository;
  try {
    const planned = await plan({ base, name, top, commonDir, cwd: await resolveLinks(cwd) }, planner);
    return { ...planned, ...(setup === undefined ? {} : { setup }) };
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new TaskError("start_failed", `Cannot make a worktree of ${top}: ${error.message}.`, { cause: error });
  }
}

async function plan(
  { base, name, top, commonDir, cwd }: {
    readonly base: string;
    readonly name: string | undefined;
    readonly top: string;
    readonly commonDir: string;
    readonly cwd: string;
  },
  { git, content, stateDir, now }: WorktreePlanner,
): Promise<PlannedWorktree> {
  const gitDir = await gitDirOf(git, top);
  const options = { top, gitDir, commonDir, content: (await content.of(commonDir))("text") };
  if (name !== undefined && await readBranch(git, commonDir, `refs/heads/codex-swarm/${name}`) !== null) {
    throw invalid(`there is a branch codex-swarm/${name} already: take another name, or leave it out`);
  }
  if (await readBranch(git, commonDir, "refs/heads/codex-swarm") !== null) {
    throw invalid("no branch codex-swarm/… can be made beside the branch codex-swarm: give that another name first");
  }
  const head = await resolveBase(git, "head", { gitDir });
  if (head === null) throw new GitError("it has no commit yet. Make one, or leave worktree out", null);
  const found = base === "wip" ? head : await resolveBase(git, base, { gitDir });
  if (found === null) {
    throw invalid(
      base === "remote"
        ? `the branch of ${top} has none to follow, and there is no origin/HEAD. Name a branch, a tag or a commit as base`
        : `there is no commit "${base}" in ${top}. Name a branch, a tag or a commit as base, or head, remote or wip`,
    );
  }
  const identity = await userIdentity(git, commonDir);
  const notes = identity === NEUTRAL ? [NEUTRAL_NOTE] : [];
  let { oid } = found;
  if (base === "wip") {
    const index = join(stateDir, `wip.${crypto.randomUUID()}.index`);
    try {
      const made = await commitCheckout(git, {
        ...options,
        index,
        oid,
        message: "Work in progress",
        identity,
        at: now(),
      });
      oid = made.oid;
      if (made.leftOut.length > 0) notes.push(filteredNote(made.leftOut, top));
    } finally {
      await removeAll(index);
      await removeAll(`${index}.head`);
    }
  } else {
    const files = await leftOutFiles(git, options);
    if (files.length > 0) notes.push(leftOutNote(files, top));
  }
  notes.push(...unfilledNotes(await readUnfilled(git, { content: options.content, oid })));
  return {
    base: oid,
    commonDir,
    checkout: top,
    inside: relative(top, cwd),
    notes,
    ...(found.branch === null ? {} : { baseBranch: found.branch }),
    ...(name === undefined ? {} : { name }),
  };
}

function leftOutNote(files: readonly string[], top: string): string {
  return `The worktree has what is committed, not what has changed in ${top}: ${named(files)}. ` +
    'Pass worktree={"base": "wip"} to take that along.';
}

function filteredNote(files: readonly string[], top: string): string {
  return `The worktree has what is committed of these, not what has changed in ${top}: ${named(files)}. ` +
    "They have a filter, and the server runs none.";
}

function unfilledNotes({ hasLfs, hasSubmodules }: Awaited<ReturnType<typeof readUnfilled>>): string[] {
  return [
    ...(hasLfs ? ["Files of Git LFS are pointers in the worktree until somebody runs git lfs pull there."] : []),
    ...(hasSubmodules
      ? ["Submodules are empty in the worktree until somebody runs git submodule update --init there."]
      : []),
  ];
}

function named(files: readonly string[]): string {
  const more = files.length > MAX_NAMED ? ` and ${files.length - MAX_NAMED} more` : "";
  return `${files.slice(0, MAX_NAMED).join(", ")}${more}`;
}

/** The spec of a task whose agent works in a worktree of its own. */
export function inWorktree(
  spec: TaskSpec,
  { name, inside, notes: _notes, ...worktree }: PlannedWorktree,
  { id, worktreesDir }: { readonly id: string; readonly worktreesDir: string },
): TaskSpec {
  const path = join(worktreesDir, id);
  return {
    ...spec,
    cwd: join(path, inside),
    worktree: { ...worktree, id, path, branch: `codex-swarm/${name ?? id}` },
  };
}

function invalid(reason: string): TaskError {
  return new TaskError("invalid_argument", `Cannot use worktree: ${reason}.`);
}
