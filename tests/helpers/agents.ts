/** What tests of codex-as-mcp's tools share. */
import { join } from "node:path";
import type { Answer, Swarm } from "./swarm.ts";
import { waitFor } from "./wait_for.ts";

/** A value with what differs from run to run under a name: directories, ids, times. */
// deno-lint-ignore no-explicit-any
export function plain(value: unknown, swarm: Pick<Swarm, "stateDir" | "cwd">): any {
  const text = JSON.stringify(value)
    .replaceAll(swarm.stateDir, "STATE")
    .replaceAll(swarm.cwd, "CWD")
    .replaceAll(/codex_agent_\d{8}-\d{6}_\d+_(\d+_)?[0-9a-f]{8}\.log/g, "codex_agent_$1LOG")
    .replaceAll(/codex_\d{8}_\d{6}_[0-9a-f]{8}/g, "AGENT_ID")
    .replaceAll(/(?<=TASK_ID=\\*"|\/tasks\/|task_ids=\[\\*")[0-9a-f]{8}/g, "ID")
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "THREAD")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "TIME");
  return JSON.parse(text);
}

/** The error of a call, which must be all that its text says. */
// deno-lint-ignore no-explicit-any
export function errorOf({ text, structured, isError }: Answer): any {
  const error = JSON.parse(text);
  if (!isError || JSON.stringify(structured.error) !== text) {
    throw new Error(`this is no error as it should be: ${text}`);
  }
  return error;
}

/** Starts an agent in the background and gives its id. */
export async function startAgent(
  swarm: Swarm,
  prompt: string,
  parameters: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const { text, structured, isError } = await swarm.call("spawn_agent_async", { prompt, ...parameters });
  if (isError) throw new Error(`Cannot start an agent: ${text}`);
  return structured.task_id;
}

/** Waits until an agent's status is this one, and gives what is told of it then. */
// deno-lint-ignore no-explicit-any
export function waitForAgent(swarm: Swarm, task_id: string, status: string): Promise<any> {
  return waitFor(async () => {
    const { structured } = await swarm.call("get_agent_status", { task_id });
    return structured.status === status ? structured : null;
  }, { message: `agent ${task_id} to be ${status}` });
}

/** Waits until an agent's log says something, and gives the log. */
export function waitForLog(path: string, words: string | RegExp): Promise<string> {
  return waitFor(async () => {
    const text = await Deno.readTextFile(path);
    return text.search(words) >= 0 ? text : null;
  }, { message: `${path} to say ${words}` });
}

/** The logs of a server's agents. */
export function logDirOf({ stateDir }: Pick<Swarm, "stateDir">): string {
  return join(stateDir, "agent_logs");
}

/** Waits until an agent has left a process behind, and gives the ids of both. */
export async function pidsOf(log: string): Promise<{ readonly agent: number; readonly child: number }> {
  const text = await waitForLog(log, / stdout: \| \d+\n/);
  return {
    agent: Number(/"agent_pid":(\d+)/.exec(text)?.[1]),
    child: Number(/ stdout: \| (\d+)\n/.exec(text)?.[1]),
  };
}
