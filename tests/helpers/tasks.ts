/** What many tests do with tasks: start one, let it go on, look at it. */
import { join } from "node:path";
import type { Swarm } from "./swarm.ts";
import { waitFor } from "./wait_for.ts";

/** Starts a task with `codex_async` and gives its id. */
export async function startTask(
  swarm: Swarm,
  prompt: string,
  parameters: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const { text, structured, isError } = await swarm.call("codex_async", { prompt, ...parameters });
  if (isError) throw new Error(`Cannot start a task: ${text}`);
  return structured.task_id;
}

/** Lets the agents go on that are at `fake:hold(name)` in the server's directory. */
export async function release(swarm: Pick<Swarm, "cwd">, name: string): Promise<void> {
  await Deno.writeTextFile(join(swarm.cwd, name), "");
}

/** What `codex_status` tells of one task, as data. */
// deno-lint-ignore no-explicit-any
export async function lookAt(swarm: Swarm, id: string): Promise<any> {
  const { structured } = await swarm.call("codex_status", { task_ids: [id] });
  return structured.tasks[0];
}

/** Waits until a task's data fulfils the condition, and gives them. */
// deno-lint-ignore no-explicit-any
export async function waitForTask(swarm: Swarm, id: string, condition: (task: any) => boolean): Promise<any> {
  return await waitFor(async () => {
    const task = await lookAt(swarm, id);
    return condition(task) ? task : null;
  }, { message: `task ${id} to be as expected` });
}

/** Waits until a task's status is this one. */
// deno-lint-ignore no-explicit-any
export function waitForStatus(swarm: Swarm, id: string, status: string): Promise<any> {
  return waitForTask(swarm, id, (task) => task.status === status);
}
