/** What Codex reports, in lines for people to read. Pure. */
import type { CodexEvent, CodexItem, PlanStep, Usage } from "../task/event.ts";

export interface EventLine {
  readonly level: "INFO" | "WARNING" | "ERROR";
  readonly text: string;
}

/** Of a command's output its last lines are shown. */
const MAX_OUTPUT_LINES = 20;
const MAX_OUTPUT_LENGTH = 2_000;
/** Longest command, in characters. */
const MAX_COMMAND = 1_000;

/** Words an event; an agent's message stays whole, each of its lines a line of its own. The same event gives the same lines. */
export function eventLines(event: CodexEvent): EventLine[] {
  switch (event.type) {
    case "run_started":
      return info([`run ${event.run}`]);
    case "thread_started":
      return info([`thread ${event.threadId}`]);
    case "turn_started":
      return [];
    case "item":
      return itemLines(event);
    case "notice":
      return lines("WARNING", [event.message]);
    case "turn_completed":
      return info([`turn completed${usageWords(event.usage)}`]);
    case "turn_failed":
      return lines("ERROR", [`turn failed: ${event.message}`]);
    case "unknown":
      return info([`event ${event.name}`]);
    case "unreadable":
      return lines("WARNING", ["a line that is no event"]);
  }
}

function itemLines({ phase, item }: Extract<CodexEvent, { type: "item" }>): EventLine[] {
  if (item.kind === "plan") return info([`plan: ${item.steps.map(stepWords).join("; ")}`]);
  if (item.kind === "command") return phase === "started" ? info([`$ ${commandOf(item)}`]) : commandEnd(phase, item);
  if (phase !== "completed") return [];
  switch (item.kind) {
    case "agent_message":
      return info([item.text]);
    case "reasoning":
      return info([`thinking: ${item.text}`]);
    case "file_change": {
      const changes = item.changes.map(({ path, kind }) => `${kind} ${path}`);
      return item.status === "completed" ? info(changes) : lines("WARNING", changes.map((text) => `not done: ${text}`));
    }
    case "mcp_tool_call": {
      const call = `tool ${item.server}.${item.tool}`;
      return item.error === null ? info([`${call}: done`]) : lines("WARNING", [`${call}: ${item.error}`]);
    }
    case "sub_agent":
      return info([`sub-agent ${item.tool} ${item.threadIds.join(" ")}`.trimEnd()]);
    case "web_search":
      return info([`web search: ${item.query}`]);
    case "warning":
      return lines("WARNING", [item.message]);
    case "other":
      return info([`item ${item.name}`]);
  }
}

function commandEnd(phase: string, item: Extract<CodexItem, { kind: "command" }>): EventLine[] {
  if (phase !== "completed") return [];
  const { exitCode, output } = item;
  const end = exitCode === null ? "ended" : `exit ${exitCode}`;
  const tail = output.trimEnd().slice(-MAX_OUTPUT_LENGTH).split("\n").slice(-MAX_OUTPUT_LINES);
  const shown = tail.filter((line) => line !== "").map((line) => `| ${line}`);
  return lines(exitCode === 0 ? "INFO" : "WARNING", [...shown, `${end}: ${commandOf(item)}`]);
}

function commandOf({ command }: { readonly command: string }): string {
  return command.length <= MAX_COMMAND ? command : `${command.slice(0, MAX_COMMAND)}…`.toWellFormed();
}

function stepWords({ text, completed }: PlanStep): string {
  return `[${completed ? "x" : " "}] ${text}`;
}

function usageWords(usage: Usage | null): string {
  return usage === null ? "" : `; tokens of the thread: ${usage.inputTokens} in, ${usage.outputTokens} out`;
}

function info(texts: readonly string[]): EventLine[] {
  return lines("INFO", texts);
}

function lines(level: EventLine["level"], texts: readonly string[]): EventLine[] {
  return texts.flatMap((text) => text.split(/\r?\n/).map((line) => ({ level, text: line })));
}
