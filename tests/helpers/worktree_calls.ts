/** What tests of worktrees do through a server: one in a repository, an agent's work there, and what became of it. */
import assert from "node:assert/strict";
import { serversYard, type ServersYardOptions } from "./servers_yard.ts";
import type { Swarm, SwarmOptions } from "./swarm.ts";
import { startTask } from "./tasks.ts";
import type { TempRepo } from "./temp_repo.ts";

/** A server in this repository, and what was started in it. */
export async function yardIn(repo: ServersYardOptions["repo"], options: SwarmOptions = {}): Promise<
  AsyncDisposable & { readonly swarm: Swarm; readonly stateDir: string }
> {
  const stack = new AsyncDisposableStack();
  const yard = stack.use(await serversYard(repo === undefined ? {} : { repo }));
  const swarm = stack.use(await yard.start(options));
  return { swarm, stateDir: yard.stateDir, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Has an agent do its work in a worktree to its end; gives the data of its task. */
export async function work(
  swarm: Swarm,
  prompt: string,
  parameters: Readonly<Record<string, unknown>> = {},
  // deno-lint-ignore no-explicit-any
): Promise<any> {
  const id = await startTask(swarm, prompt, { worktree: true, sandbox: "danger-full-access", ...parameters });
  const { structured: { tasks: [task] } } = await swarm.call("codex_wait", { task_ids: [id] });
  assert.equal(task.status, "completed", JSON.stringify(task));
  assert.equal(task.work.problem, undefined);
  return task;
}

/** Names of the files that differ from where the branch began, by `codex_diff` and by git. */
export async function changed(swarm: Swarm, repo: Pick<TempRepo, "git">, task: {
  readonly task_id: string;
  readonly worktree_branch: string;
}): Promise<{ readonly told: string[]; readonly committed: string[] }> {
  const { structured, text, isError } = await swarm.call("codex_diff", { task_id: task.task_id });
  assert.ok(!isError, text);
  const names = await repo.git(
    "-c",
    "core.quotePath=false",
    "diff",
    "--name-only",
    structured.against,
    task.worktree_branch,
  );
  return {
    told: structured.files.map(({ path }: { readonly path: string }) => path),
    committed: names.split("\n").filter((name) => name !== ""),
  };
}

/** Asks for an agent that is to be refused, and gives what is said. */
export async function refusal(swarm: Swarm, parameters: Readonly<Record<string, unknown>>): Promise<string> {
  const { text, isError } = await swarm.call("codex_async", {
    prompt: "fake:say(never)",
    worktree: true,
    ...parameters,
  });
  assert.ok(isError, text);
  return text;
}
