import { join } from "node:path";
import type { Swarm } from "./swarm.ts";
import { startTask } from "./tasks.ts";

/** Starts an agent in a worktree of its own that runs a script for a POSIX shell there, then what `goesOn` says. */
export async function startWork(
  swarm: Swarm,
  script: string,
  { goesOn = "fake:say(Did it)", ...parameters }: { readonly goesOn?: string; readonly [name: string]: unknown } = {},
): Promise<string> {
  const path = join(swarm.codex.home, `${crypto.randomUUID()}.sh`);
  await Deno.writeTextFile(path, `set -e\n${script}\n`);
  return await startTask(swarm, `fake:run(sh ${path}) ${goesOn}`, { worktree: true, ...parameters });
}

/** Has one agent for each script work in a worktree and end; gives the ids of their tasks. */
export async function worked(swarm: Swarm, ...scripts: readonly string[]): Promise<string[]> {
  const ids = await Promise.all(scripts.map((script) => startWork(swarm, script)));
  const { structured } = await swarm.call("codex_wait", { task_ids: ids });
  for (const { status } of structured.tasks) if (status !== "completed") throw new Error(JSON.stringify(structured));
  return ids;
}
