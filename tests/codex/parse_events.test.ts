import assert from "node:assert/strict";
import { join } from "node:path";
import { parseEvent } from "../../src/codex/parse_events.ts";
import type { CodexEvent } from "../../src/task/event.ts";

const RECORDINGS = join(import.meta.dirname ?? "", "../fixtures/events");

interface Recording {
  readonly name: string;
  readonly lines: readonly string[];
}

function readRecordings(): readonly Recording[] {
  const recordings: Recording[] = [];
  for (const version of Deno.readDirSync(RECORDINGS)) {
    if (!version.isDirectory) continue;
    for (const file of Deno.readDirSync(join(RECORDINGS, version.name))) {
      if (!file.name.endsWith(".jsonl")) continue;
      const text = Deno.readTextFileSync(join(RECORDINGS, version.name, file.name));
      recordings.push({ name: `${version.name}/${file.name}`, lines: text.split("\n").filter((line) => line !== "") });
    }
  }
  return recordings;
}

Deno.test("parseEvent() knows every line that Codex 0.128 to 0.169 wrote", () => {
  const recordings = readRecordings();
  assert.ok(recordings.length > 80, `${recordings.length} recordings`);
  for (const { name, lines } of recordings) {
    if (name.endsWith("_truncated.jsonl")) continue;
    for (const line of lines) {
      const event = parseEvent(line);
      assert.ok(event.type !== "unknown" && event.type !== "unreadable", `${name}: ${line.slice(0, 200)}`);
      assert.ok(event.type !== "item" || event.item.kind !== "other", `${name}: ${line.slice(0, 200)}`);
    }
  }
});

Deno.test("parseEvent() keeps the lines round a torn one", () => {
  const torn = readRecordings().find(({ name }) => name === "0.169.0/hugeshell_truncated.jsonl");
  const types = torn?.lines.map((line) => parseEvent(line).type);
  assert.deepEqual(types, ["thread_started", "turn_started", "item", "unreadable", "item", "turn_completed"]);
});

Deno.test("parseEvent() never throws on a torn line", () => {
  for (const { lines } of readRecordings()) {
    for (const line of lines.map((whole) => whole.slice(0, 2_000))) {
      for (let length = 0; length < line.length; length += 7) parseEvent(line.slice(0, length));
    }
  }
});

Deno.test("parseEvent() never throws on wrong types anywhere", () => {
  const wrong: readonly unknown[] = [null, 7, "x", true, [], [null], {}, [[1]], { a: null }, "\u0000", "\ud800"];
  const types = ["thread.started", "turn.completed", "turn.failed", "error", "item.started", "item.completed"];
  const items = [
    "agent_message",
    "command_execution",
    "file_change",
    "mcp_tool_call",
    "collab_tool_call",
    "web_search",
    "todo_list",
    "error",
  ];
  const keys = ["id", "type", "text", "command", "changes", "error", "items", "receiver_thread_ids", "exit_code"];
  for (const type of [...types, ...wrong]) {
    for (const value of wrong) {
      parseEvent(JSON.stringify({ type, thread_id: value, usage: value, error: value, message: value, item: value }));
      for (const item of items) {
        for (const key of keys) parseEvent(JSON.stringify({ type, item: { type: item, [key]: value } }));
      }
    }
  }
});

const table: readonly { readonly name: string; readonly line: string; readonly event: CodexEvent }[] = [
  { name: "an empty line", line: "", event: { type: "unreadable" } },
  { name: "text", line: "Reading additional input from stdin...", event: { type: "unreadable" } },
  { name: "NUL bytes", line: "\u0000\u0000", event: { type: "unreadable" } },
  { name: "an array", line: "[]", event: { type: "unreadable" } },
  { name: "null", line: "null", event: { type: "unreadable" } },
  { name: "an object without a type", line: "{}", event: { type: "unknown", name: "" } },
  { name: "a type of tomorrow", line: '{"type":"turn.paused"}', event: { type: "unknown", name: "turn.paused" } },
  {
    name: "a thread without an id",
    line: '{"type":"thread.started"}',
    event: { type: "unknown", name: "thread.started" },
  },
  {
    name: "a thread",
    line: '{"type":"thread.started","thread_id":"t"}',
    event: { type: "thread_started", threadId: "t" },
  },
  { name: "a carriage return", line: '{"type":"turn.started"}\r', event: { type: "turn_started" } },
  {
    name: "usage without cache writes, as up to 0.144",
    line: '{"type":"turn.completed","usage":{"input_tokens":3,"cached_input_tokens":2,"output_tokens":1}}',
    event: {
      type: "turn_completed",
      usage: { inputTokens: 3, cachedInputTokens: 2, outputTokens: 1, reasoningOutputTokens: 0 },
    },
  },
  { name: "no usage", line: '{"type":"turn.completed"}', event: { type: "turn_completed", usage: null } },
  {
    name: "a failed turn",
    line: '{"type":"turn.failed","error":{"message":"no"}}',
    event: { type: "turn_failed", message: "no" },
  },
  {
    name: "a failed turn without a message",
    line: '{"type":"turn.failed"}',
    event: { type: "turn_failed", message: "" },
  },
  { name: "a notice", line: '{"type":"error","message":"m"}', event: { type: "notice", message: "m" } },
  {
    name: "an item of tomorrow",
    line: '{"type":"item.updated","item":{"id":"item_0","type":"hologram","x":1}}',
    event: { type: "item", phase: "updated", item: { kind: "other", id: "item_0", name: "hologram" } },
  },
  {
    name: "no item",
    line: '{"type":"item.completed"}',
    event: { type: "item", phase: "completed", item: { kind: "other", id: "", name: "" } },
  },
  {
    name: "a duplicate id",
    line:
      '{"type":"item.started","item":{"id":"item_1","type":"web_search","id":"s","query":"q","action":{"type":"search"}}}',
    event: { type: "item", phase: "started", item: { kind: "web_search", id: "s", query: "q" } },
  },
  {
    name: "a declined command",
    line:
      '{"type":"item.completed","item":{"id":"i","type":"command_execution","command":"ls","aggregated_output":"o","exit_code":null,"status":"declined"}}',
    event: {
      type: "item",
      phase: "completed",
      item: { kind: "command", id: "i", command: "ls", output: "o", exitCode: null, status: "declined" },
    },
  },
  {
    name: "file changes, the broken ones left out",
    line:
      '{"type":"item.completed","item":{"id":"i","type":"file_change","changes":[{"path":"/a","kind":"add"},{"kind":"add"},7,{"path":"/b","kind":"rename"}],"status":"completed"}}',
    event: {
      type: "item",
      phase: "completed",
      item: {
        kind: "file_change",
        id: "i",
        changes: [{ path: "/a", kind: "add" }, { path: "/b", kind: "update" }],
        status: "completed",
      },
    },
  },
  {
    name: "a refused MCP call",
    line:
      '{"type":"item.completed","item":{"id":"i","type":"mcp_tool_call","server":"s","tool":"t","result":null,"error":{"message":"no"},"status":"failed"}}',
    event: {
      type: "item",
      phase: "completed",
      item: { kind: "mcp_tool_call", id: "i", server: "s", tool: "t", error: "no", status: "failed" },
    },
  },
  {
    name: "sub-agents",
    line:
      '{"type":"item.started","item":{"id":"i","type":"collab_tool_call","tool":"spawn_agent","receiver_thread_ids":["a",1,"b"],"status":"in_progress"}}',
    event: {
      type: "item",
      phase: "started",
      item: { kind: "sub_agent", id: "i", tool: "spawn_agent", threadIds: ["a", "b"], status: "in_progress" },
    },
  },
  {
    name: "a plan",
    line: '{"type":"item.updated","item":{"id":"i","type":"todo_list","items":[{"text":"a","completed":true},{},"x"]}}',
    event: {
      type: "item",
      phase: "updated",
      item: { kind: "plan", id: "i", steps: [{ text: "a", completed: true }, { text: "", completed: false }] },
    },
  },
];

for (const { name, line, event } of table) {
  Deno.test(`parseEvent() reads ${name}`, () => assert.deepEqual(parseEvent(line), event));
}
