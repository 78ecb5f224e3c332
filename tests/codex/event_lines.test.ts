import assert from "node:assert/strict";
import { eventLines } from "../../src/codex/event_lines.ts";
import { parseEvent } from "../../src/codex/parse_events.ts";

function words(event: object): string[] {
  return eventLines(parseEvent(JSON.stringify(event))).map(({ level, text }) => `${level} ${text}`);
}

function item(type: string, fields: object, phase = "completed"): string[] {
  return words({ type: `item.${phase}`, item: { id: "item_0", type, ...fields } });
}

Deno.test("eventLines() words what Codex reports", () => {
  assert.deepEqual(words({ type: "thread.started", thread_id: "t1" }), ["INFO thread t1"]);
  assert.deepEqual(words({ type: "codex_swarm.run", run: 2 }), ["INFO run 2"]);
  assert.deepEqual(words({ type: "turn.started" }), []);
  assert.deepEqual(words({ type: "error", message: "Reconnecting... 1/5" }), ["WARNING Reconnecting... 1/5"]);
  assert.deepEqual(words({ type: "turn.failed", error: { message: "no\nway" } }), [
    "ERROR turn failed: no",
    "ERROR way",
  ]);
  assert.deepEqual(words({ type: "turn.completed", usage: { input_tokens: 5, output_tokens: 2 } }), [
    "INFO turn completed; tokens of the thread: 5 in, 2 out",
  ]);
  assert.deepEqual(words({ type: "thread.renamed" }), ["INFO event thread.renamed"]);
  assert.deepEqual(eventLines(parseEvent("no JSON")).map(({ level }) => level), ["WARNING"]);
  assert.deepEqual(item("agent_message", { text: "one\n\ntwo" }), ["INFO one", "INFO ", "INFO two"]);
  assert.deepEqual(item("agent_message", { text: "one" }, "started"), []);
  assert.deepEqual(item("reasoning", { text: "hm" }), ["INFO thinking: hm"]);
  assert.deepEqual(item("error", { message: "careful" }), ["WARNING careful"]);
  assert.deepEqual(item("web_search", { query: "deno" }), ["INFO web search: deno"]);
  assert.deepEqual(item("hologram", {}), ["INFO item hologram"]);
  assert.deepEqual(item("file_change", { changes: [{ path: "/a", kind: "add" }], status: "completed" }), [
    "INFO add /a",
  ]);
  assert.deepEqual(item("file_change", { changes: [{ path: "/a", kind: "add" }], status: "failed" }), [
    "WARNING not done: add /a",
  ]);
  assert.deepEqual(item("mcp_tool_call", { server: "s", tool: "t", error: null }), ["INFO tool s.t: done"]);
  assert.deepEqual(item("mcp_tool_call", { server: "s", tool: "t", error: { message: "no" } }), [
    "WARNING tool s.t: no",
  ]);
  assert.deepEqual(item("collab_tool_call", { tool: "spawn_agent", receiver_thread_ids: ["t2"] }), [
    "INFO sub-agent spawn_agent t2",
  ]);
  const plan = { items: [{ text: "a", completed: true }, { text: "b", completed: false }] };
  assert.deepEqual(item("todo_list", plan, "updated"), ["INFO plan: [x] a; [ ] b"]);
});

Deno.test("eventLines() shows a command, its exit code and the end of its output", () => {
  const command = "/bin/bash -lc 'make test'";
  assert.deepEqual(item("command_execution", { command }, "started"), [`INFO $ ${command}`]);
  const output = Array.from({ length: 30 }, (_, line) => `line ${line}\n`).join("");
  const lines = item("command_execution", { command, aggregated_output: output, exit_code: 2 });
  assert.equal(lines.length, 21);
  assert.deepEqual([lines[0], lines[19], lines[20]], [
    "WARNING | line 10",
    "WARNING | line 29",
    `WARNING exit 2: ${command}`,
  ]);
  const long = item("command_execution", { command: "x".repeat(5_000), aggregated_output: "", exit_code: 0 });
  assert.equal(long.length, 1);
  assert.ok((long[0] ?? "").length < 1_100);
});
