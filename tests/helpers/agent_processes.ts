/** All that belongs to an agent of the real Codex, as the system's own tables tell it. */
import { readdirSync, readFileSync } from "node:fs";
import { listProcesses, type ProcessEntry } from "./processes.ts";
import { waitFor } from "./wait_for.ts";

/** A command that no other process on this machine has. */
export function uniqueSleep(): string {
  return `sleep ${600 + Math.random()}`;
}

export async function isRunning(command: string): Promise<boolean> {
  return (await listProcesses()).some((entry) => entry.command === command && !entry.isZombie);
}

export async function untilRunning(...commands: readonly string[]): Promise<void> {
  for (const command of commands) await waitFor(() => isRunning(command), { message: command });
}

/** Those of the commands that still run. */
export async function survivors(...commands: readonly string[]): Promise<string[]> {
  const running = (await listProcesses()).filter(({ isZombie }) => !isZombie).map(({ command }) => command);
  return commands.filter((command) => running.includes(command));
}

/** The processes of a task that live: its shim, Codex itself, what descends from them and what is marked as the task's. */
export async function familyOf(taskId: string): Promise<ProcessEntry[]> {
  const living = (await listProcesses()).filter(({ isZombie }) => !isZombie);
  const marked = markedPids(`CODEX_SWARM_TASK_ID=${taskId}`);
  const isRoot = ({ pid, command }: ProcessEntry): boolean =>
    marked.has(pid) || command.includes(`CODEX_SWARM_TASK_ID="${taskId}"`);
  const family = new Map(living.filter(isRoot).map((entry) => [entry.pid, entry]));
  for (let size = 0; size < family.size;) {
    size = family.size;
    for (const entry of living) if (family.has(entry.parent)) family.set(entry.pid, entry);
  }
  return [...family.values()];
}

/** The process of Codex itself, of an agent that works. */
export async function codexOf(taskId: string): Promise<ProcessEntry> {
  const family = await familyOf(taskId);
  const agent = family.find(({ command }) => / exec .*--json/s.test(command) && !/^\S*sh /.test(command));
  if (agent === undefined) throw new Error(`Cannot find the Codex of task ${taskId}: ${JSON.stringify(family)}`);
  return agent;
}

/** What kinds of processes an agent in a sandbox is made of. */
export function kindsOf(family: readonly ProcessEntry[]): Readonly<Record<"host" | "sandbox" | "shell", boolean>> {
  const has = (pattern: RegExp): boolean => family.some(({ command }) => pattern.test(command));
  return { host: has(/codex-code-mode-host /), sandbox: has(/^bwrap /), shell: has(/^\/bin\/bash -lc /) };
}

/** Only Linux shows the environments of others. */
function markedPids(mark: string): ReadonlySet<number> {
  if (Deno.build.os !== "linux") return new Set();
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return new Set(pids.filter((pid) => environmentOf(pid).includes(mark)).map(Number));
}

function environmentOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return [];
  }
}
