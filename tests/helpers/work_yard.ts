import assert from "node:assert/strict";
import { join } from "node:path";
import { Git } from "../../src/git/git.ts";
import { createLog } from "../../src/log.ts";
import { WorkDirectories } from "../../src/storage/work_directory.ts";
import { RepositoryContent } from "../../src/work/repository_content.ts";
import { Work } from "../../src/work/work.ts";
import { Worktrees } from "../../src/work/worktrees.ts";
import type { FinishedTask, Task } from "../../src/task/task.ts";
import { emptyProgress } from "../../src/task/progress.ts";
import { SPEC } from "./example_spec.ts";
import { tempDirectory } from "./temp_directory.ts";
import { namesIn } from "./temp_directory.ts";
import { type TempRepo, tempRepo } from "./temp_repo.ts";
import { TASK } from "./tool_calls.ts";

/** What agents in worktrees leave, without agents: a repository, and the supervisor's parts that handle its worktrees. */
export interface WorkYard extends AsyncDisposable {
  /** The state directory. */
  readonly state: string;
  readonly repo: TempRepo;
  readonly git: Git;
  readonly content: RepositoryContent;
  readonly directories: WorkDirectories;
  readonly worktrees: Worktrees;
  readonly work: Work;
  /** Ids of worktrees in which a task is said to work. */
  readonly busy: Set<string>;
  /** Lets time pass for whoever asks. */
  pass(ms: number): void;
  now(): Date;
  pathOf(id: string): string;
  /** Paths of the worktrees that were put aside. */
  trash(): string[];
  emptyTrash(): Promise<void>;
  /** A task with a worktree that is not made yet; `inside` is its working directory there. */
  task(id: string, options?: { readonly inside?: string; readonly setup?: string }): Promise<Task>;
  /** A task whose agent has written these files and ended. */
  done(id: string, files: Readonly<Record<string, string>>): Promise<FinishedTask>;
  /** Keeps what is in a task's worktree as after a turn, and gives the task as it has ended. */
  end(task: Task): Promise<FinishedTask>;
}

/** Makes a yard around a repository with these files, committed, or around another one, which stays. */
export async function workYard(
  files: Readonly<Record<string, string>>,
  { repo: given }: { readonly repo?: TempRepo } = {},
): Promise<WorkYard> {
  const state = await tempDirectory();
  const repo = given ?? await tempRepo({ files });
  const env = Deno.env.toObject();
  const git = new Git(env);
  const content = new RepositoryContent(git, join(state.path, "git"));
  const directories = new WorkDirectories(join(state.path, "work"));
  const worktreesDir = join(state.path, "worktrees");
  const busy = new Set<string>();
  let passedMs = 0;
  const now = (): Date => new Date(Date.now() + passedMs);
  const log = createLog({ level: "ERROR" });
  const parts = { git, content, directories, env, log, now };
  const worktrees = new Worktrees(parts);
  const work = new Work({
    ...parts,
    stateDir: state.path,
    worktreesDir,
    retentionMs: 14 * 86_400_000,
    isInUse: (id) => Promise.resolve(busy.has(id) ? `task ${id} works in it` : null),
    check: () => Promise.resolve(null),
  });
  const end = async (task: Task): Promise<FinishedTask> => {
    const kept = await worktrees.keep({ task, prompt: task.id, threadId: "t-1", lastMessage: `Did ${task.id}.` });
    assert.equal(kept?.problem, undefined);
    const outcome = { status: "completed", exitCode: 0, statusInferred: false } as const;
    const ended = { startedAt: now(), endedAt: now(), run: 1, input: "prompt.txt", prompts: 0 };
    const state = {
      status: "completed" as const,
      ...ended,
      outcome: { ...outcome, ...(kept === undefined ? {} : { work: kept }) },
      progress: emptyProgress(),
    };
    return { ...task, state };
  };
  const yard: WorkYard = {
    state: state.path,
    repo,
    git,
    content,
    directories,
    worktrees,
    work,
    busy,
    pass: (ms) => void (passedMs += ms),
    now,
    pathOf: (id) => join(worktreesDir, id),
    trash: () =>
      namesIn(worktreesDir).filter((name) => name.startsWith(".trash-")).map((name) => join(worktreesDir, name)),
    emptyTrash: async () => {
      for (const path of yard.trash()) await Deno.remove(path, { recursive: true });
    },
    async task(id, { inside = "", setup } = {}): Promise<Task> {
      const checkout = await Deno.realPath(repo.path);
      const path = join(worktreesDir, id);
      const worktree = {
        id,
        path,
        branch: `codex-swarm/${id}`,
        base: await repo.git("rev-parse", "HEAD"),
        baseBranch: "refs/heads/main",
        commonDir: join(checkout, ".git"),
        checkout,
        ...(setup === undefined ? {} : { setup }),
      };
      return { ...TASK, id, spec: { ...SPEC, cwd: join(path, inside), worktree } };
    },
    async done(id, written): Promise<FinishedTask> {
      const task = await yard.task(id);
      await worktrees.prepare(task, new AbortController().signal);
      for (const [name, text] of Object.entries(written)) await Deno.writeTextFile(join(yard.pathOf(id), name), text);
      return await end(task);
    },
    end,
    [Symbol.asyncDispose]: async () => {
      if (given === undefined) await repo[Symbol.asyncDispose]();
      await state[Symbol.asyncDispose]();
    },
  };
  return yard;
}
