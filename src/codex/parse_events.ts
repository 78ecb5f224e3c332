/** Reads one line of `codex exec --json`. Codex grows faster than this program, so nothing here refuses what it does not know. */
import type { CodexEvent, CodexItem, FileChange, ItemStatus, PlanStep, Usage } from "../task/event.ts";
import { isObject, type JsonObject, listAt, numberAt, objectAt, parseObject, textAt, textsAt } from "./json_object.ts";

/** Turns one line into an event; never throws. Of a duplicate key the last value counts, as in `JSON.parse`. */
export function parseEvent(line: string): CodexEvent {
  const event = parseObject(line);
  if (event === null) return { type: "unreadable" };
  const type = textOf(event, "type");
  switch (type) {
    case "thread.started": {
      const threadId = textOf(event, "thread_id");
      return threadId === "" ? { type: "unknown", name: type } : { type: "thread_started", threadId };
    }
    case "codex_swarm.run":
      return { type: "run_started", run: numberAt(event, "run") ?? 0 };
    case "turn.started":
      return { type: "turn_started" };
    case "turn.completed":
      return { type: "turn_completed", usage: parseUsage(event["usage"]) };
    case "turn.failed":
      return { type: "turn_failed", message: textOf(objectAt(event, "error"), "message") || textOf(event, "message") };
    case "error":
      return { type: "notice", message: textOf(event, "message") };
    case "item.started":
      return { type: "item", phase: "started", item: parseItem(objectAt(event, "item")) };
    case "item.updated":
      return { type: "item", phase: "updated", item: parseItem(objectAt(event, "item")) };
    case "item.completed":
      return { type: "item", phase: "completed", item: parseItem(objectAt(event, "item")) };
    default:
      return { type: "unknown", name: type };
  }
}

/** Reads Codex's token counts; `null` when there are none. */
export function parseUsage(value: unknown): Usage | null {
  if (!isObject(value)) return null;
  return {
    inputTokens: numberAt(value, "input_tokens") ?? 0,
    cachedInputTokens: numberAt(value, "cached_input_tokens") ?? 0,
    outputTokens: numberAt(value, "output_tokens") ?? 0,
    reasoningOutputTokens: numberAt(value, "reasoning_output_tokens") ?? 0,
  };
}

function parseItem(item: JsonObject): CodexItem {
  // A `web_search` item carries its id twice: Codex's `item_N` first, the search's own id last.
  const id = textOf(item, "id");
  const name = textOf(item, "type");
  switch (name) {
    case "agent_message":
      return { kind: "agent_message", id, text: textOf(item, "text") };
    case "reasoning":
      return { kind: "reasoning", id, text: textOf(item, "text") };
    case "command_execution":
      return {
        kind: "command",
        id,
        command: textOf(item, "command"),
        output: textOf(item, "aggregated_output"),
        exitCode: numberAt(item, "exit_code"),
        status: statusOf(item),
      };
    case "file_change":
      return { kind: "file_change", id, changes: parseChanges(listAt(item, "changes")), status: statusOf(item) };
    case "mcp_tool_call":
      return {
        kind: "mcp_tool_call",
        id,
        server: textOf(item, "server"),
        tool: textOf(item, "tool"),
        error: isObject(item["error"]) ? textOf(item["error"], "message") : null,
        status: statusOf(item),
      };
    case "collab_tool_call":
      return {
        kind: "sub_agent",
        id,
        tool: textOf(item, "tool"),
        threadIds: textsAt(item, "receiver_thread_ids"),
        status: statusOf(item),
      };
    case "web_search":
      return { kind: "web_search", id, query: textOf(item, "query") };
    case "todo_list":
      return { kind: "plan", id, steps: parseSteps(listAt(item, "items")) };
    case "error":
      return { kind: "warning", id, message: textOf(item, "message") };
    default:
      return { kind: "other", id, name };
  }
}

function parseChanges(values: readonly unknown[]): readonly FileChange[] {
  const changes: FileChange[] = [];
  for (const change of values) {
    if (!isObject(change)) continue;
    const path = textOf(change, "path");
    if (path === "") continue;
    const kind = textOf(change, "kind");
    changes.push({ path, kind: kind === "add" || kind === "delete" ? kind : "update" });
  }
  return changes;
}

function parseSteps(values: readonly unknown[]): readonly PlanStep[] {
  return values.filter(isObject).map((step) => ({
    text: textOf(step, "text"),
    completed: step["completed"] === true,
  }));
}

/** An item without a known status has none that would end it. */
function statusOf(item: JsonObject): ItemStatus {
  const status = textOf(item, "status");
  switch (status) {
    case "completed":
    case "failed":
    case "declined":
      return status;
    default:
      return "in_progress";
  }
}

function textOf(object: JsonObject, key: string): string {
  return textAt(object, key) ?? "";
}
