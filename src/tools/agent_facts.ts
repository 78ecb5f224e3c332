/** A task in the words of codex-as-mcp. */
import { agentIdOf } from "../task/agent_id.ts";
import { isFinished, type Task } from "../task/task.ts";
import { takeFitting } from "./bounded_text.ts";
import { boundedTask } from "./present_task.ts";
import type { ToolCall } from "./tool.ts";
import type { ViewedTask } from "./viewed_task.ts";

export type AgentStatus = "running" | "completed" | "failed" | "killed";

/** Parts of an answer that a list, or an agent's own words, may take; indented, as text, they are longer than as data. */
export const LIST_SHARE = 0.7;
const WORDS_SHARE = 0.75;

/** Fields of ours that codex-as-mcp has under other names, or tells in a form of its own. */
const TOLD_OTHERWISE: ReadonlySet<string> = new Set(["answer_file", "failure", "ended_at"]);

/** Queued and waiting agents are running to those who knew no queue. */
export function agentStatus({ state }: Task): AgentStatus {
  switch (state.status) {
    case "queued":
    case "running":
    case "waiting":
      return "running";
    case "completed":
      return "completed";
    case "cancelled":
      return "killed";
    case "failed":
    case "timed_out":
    case "interrupted":
      return "failed";
  }
}

/** Tells whether the agent was started to be asked about later, not waited for. */
export function isAsync({ spec }: Task): boolean {
  return spec.startedBy === "spawn_agent_async";
}

/** Seconds since the agent was asked for, up to its end. */
export function agentSeconds(task: Task, now: Date): number {
  const to = isFinished(task) ? task.state.endedAt : now;
  return Math.max(0, Math.round((to.getTime() - task.createdAt.getTime()) / 1000));
}

/** `task_id`, `status`, `started_at` and `log_file`, in the order of `get_agent_status`. */
export function agentFields(task: Task): Record<string, unknown> {
  return {
    task_id: agentIdOf(task),
    status: agentStatus(task),
    log_file: task.spec.agentLog ?? null,
    started_at: task.createdAt.toISOString(),
  };
}

/** What we tell of a task beside the fields of codex-as-mcp, at most `maxLength` characters of JSON. */
export function ownFields(
  view: ViewedTask,
  { maxLength, without }: { readonly maxLength: number; readonly without: Readonly<Record<string, unknown>> },
): Record<string, unknown> {
  const data = boundedTask(view, { now: new Date(), maxLength });
  const kept = Object.entries(data).filter(([name]) => !(name in without) && !TOLD_OTHERWISE.has(name));
  const { answer_file: output_file } = data;
  const own = [...(output_file === undefined ? [] : [["output_file", output_file] as const]), ...kept];
  return Object.fromEntries(takeFitting(own, maxLength).shown);
}

/** How much of an answer the agent's own words may take: a part of it, and what is left beside `fields`. */
export function wordsRoom(call: ToolCall, fields: Readonly<Record<string, unknown>>): number {
  return Math.min(call.answerChars * WORDS_SHARE, roomBeside(call, fields));
}

/** How much is left of an answer beside what has to stand in it. */
export function roomBeside({ answerChars }: ToolCall, data: Readonly<Record<string, unknown>>): number {
  return Math.max(0, answerChars - JSON.stringify(data).length - 50);
}

/** `1.5 KB` below a MiB, `1.5 MB` from there on. */
export function sizeWords(bytes: number): string {
  const isSmall = bytes < 1_024 * 1_024;
  return `${(bytes / (isSmall ? 1_024 : 1_024 * 1_024)).toFixed(1)} ${isSmall ? "KB" : "MB"}`;
}
