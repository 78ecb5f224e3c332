import assert from "node:assert/strict";
import {
  addEvent,
  emptyProgress,
  MAX_FILES_CHANGED,
  MAX_PATH_LENGTH,
  MAX_PLAN_STEPS,
  MAX_STEP_LENGTH,
  MAX_TEXT_LENGTH,
  MAX_WARNING_LENGTH,
  MAX_WARNINGS,
} from "../../src/task/progress.ts";
import type { CodexEvent, CodexItem, FileChange } from "../../src/task/event.ts";
import type { Progress } from "../../src/task/task.ts";

function fold(events: readonly CodexEvent[]): Progress {
  return events.reduce(addEvent, emptyProgress());
}

function completed(item: CodexItem): CodexEvent {
  return { type: "item", phase: "completed", item };
}

function command(phase: "started" | "completed", text: string): CodexEvent {
  return {
    type: "item",
    phase,
    item: {
      kind: "command",
      id: text,
      command: text,
      output: "x".repeat(10_000),
      exitCode: phase === "completed" ? 3 : null,
      status: phase === "completed" ? "failed" : "in_progress",
    },
  };
}

const usage = { inputTokens: 4, cachedInputTokens: 3, outputTokens: 2, reasoningOutputTokens: 1 };

Deno.test("addEvent() folds a whole turn", () => {
  const progress = fold([
    { type: "thread_started", threadId: "t" },
    { type: "turn_started" },
    completed({ kind: "reasoning", id: "r", text: "hm" }),
    command("started", "ls"),
    command("completed", "ls"),
    completed({ kind: "mcp_tool_call", id: "m", server: "s", tool: "t", error: null, status: "completed" }),
    completed({ kind: "web_search", id: "w", query: "q" }),
    completed({ kind: "sub_agent", id: "a", tool: "spawn_agent", threadIds: ["u"], status: "completed" }),
    completed({ kind: "sub_agent", id: "b", tool: "wait", threadIds: ["u"], status: "completed" }),
    completed({ kind: "plan", id: "p", steps: [{ text: "look", completed: true }] }),
    completed({ kind: "file_change", id: "f", changes: [{ path: "/a", kind: "add" }], status: "completed" }),
    completed({ kind: "file_change", id: "g", changes: [{ path: "/b", kind: "add" }], status: "failed" }),
    completed({ kind: "warning", id: "e", message: "careful" }),
    completed({ kind: "agent_message", id: "1", text: "first" }),
    completed({ kind: "agent_message", id: "2", text: "done" }),
    { type: "unknown", name: "x" },
    { type: "unreadable" },
    { type: "turn_completed", usage },
  ]);
  assert.deepEqual(progress, {
    threadId: "t",
    earlierThreadId: null,
    turnStarted: true,
    lastMessage: "done",
    lastReasoning: "hm",
    currentCommand: null,
    lastCommand: { command: "ls", exitCode: 3 },
    plan: [{ text: "look", completed: true }],
    filesChanged: [{ path: "/a", kind: "add" }],
    filesChangedBeyond: 0,
    commands: 1,
    mcpToolCalls: 1,
    webSearches: 1,
    subAgents: 1,
    usage,
    warnings: ["careful"],
    waitingForNetwork: null,
    lastError: null,
    turnCompleted: true,
    turnFailed: null,
    events: 18,
    eventsOfRun: 18,
    hasModelAnswered: true,
    unreadableEvents: 1,
    unknownEvents: 1,
    droppedBytes: 0,
  });
});

Deno.test("addEvent() begins a further run with what the thread has come to, and forgets how its last turn ended", () => {
  const first = fold([
    { type: "thread_started", threadId: "t" },
    { type: "turn_started" },
    command("started", "ls"),
    completed({ kind: "agent_message", id: "1", text: "half" }),
    { type: "notice", message: "limit" },
    { type: "turn_failed", message: "limit" },
  ]);
  const next = addEvent(first, { type: "run_started", run: 2 });
  assert.deepEqual(next, {
    ...first,
    earlierThreadId: "t",
    turnStarted: false,
    turnFailed: null,
    lastError: null,
    eventsOfRun: 0,
    hasModelAnswered: false,
  });
  assert.deepEqual([first.turnFailed, first.lastError, first.eventsOfRun], ["limit", "limit", 6]);
});

Deno.test("addEvent() shows the command that runs, and another's end does not hide it", () => {
  assert.equal(fold([command("started", "a")]).currentCommand, "a");
  assert.equal(fold([command("started", "a"), command("started", "b"), command("completed", "a")]).currentCommand, "b");
  assert.equal(fold([command("started", "a"), { type: "turn_failed", message: "" }]).currentCommand, null);
});

Deno.test("addEvent() waits for the network until something else than a warning comes", () => {
  const reconnecting: CodexEvent = { type: "notice", message: "Reconnecting... waiting for network (x)" };
  const warning = completed({ kind: "warning", id: "w", message: "Falling back from WebSockets to HTTPS transport." });
  const message = completed({ kind: "agent_message", id: "m", text: "back" });
  assert.equal(fold([reconnecting]).waitingForNetwork, "Reconnecting... waiting for network (x)");
  assert.equal(fold([reconnecting, warning]).waitingForNetwork, "Reconnecting... waiting for network (x)");
  assert.equal(fold([reconnecting, message]).waitingForNetwork, null);
  assert.equal(fold([reconnecting, { type: "turn_failed", message: "x" }]).waitingForNetwork, null);
  assert.equal(fold([reconnecting, { type: "turn_completed", usage: null }]).waitingForNetwork, null);
});

Deno.test("addEvent() keeps an error that is no reconnection, which is never terminal", () => {
  const progress = fold([{ type: "notice", message: "bad prompt" }]);
  assert.equal(progress.lastError, "bad prompt");
  assert.equal(progress.waitingForNetwork, null);
  assert.equal(progress.turnFailed, null);
});

Deno.test("addEvent() lets the last kind of a file win, an added one stay added", () => {
  const change = (kind: "add" | "update" | "delete"): CodexEvent =>
    completed({ kind: "file_change", id: "f", changes: [{ path: "/a", kind }], status: "completed" });
  assert.deepEqual(fold([change("add"), change("update")]).filesChanged, [{ path: "/a", kind: "add" }]);
  assert.deepEqual(fold([change("update"), change("delete")]).filesChanged, [{ path: "/a", kind: "delete" }]);
  assert.deepEqual(fold([change("delete"), change("add")]).filesChanged, [{ path: "/a", kind: "add" }]);
});

Deno.test("addEvent() stays bounded", () => {
  const long = "y".repeat(50_000);
  const changes = Array.from(
    { length: MAX_FILES_CHANGED + 5 },
    (_, index) => ({ path: `/${index}`, kind: "add" } satisfies FileChange),
  );
  const progress = fold([
    completed({ kind: "reasoning", id: "r", text: `${long}end` }),
    command("started", `start${long}`),
    completed({
      kind: "plan",
      id: "p",
      steps: Array.from({ length: 5_000 }, () => ({ text: long, completed: false })),
    }),
    ...Array.from({ length: 50 }, (_, index) => completed({ kind: "warning", id: "w", message: `${index}${long}` })),
    completed({ kind: "file_change", id: "f", changes, status: "completed" }),
    completed({ kind: "agent_message", id: "m", text: long }),
  ]);
  const endless = [{ path: "p".repeat(MAX_PATH_LENGTH + 1), kind: "add" } satisfies FileChange];
  const { filesChanged, filesChangedBeyond } = fold([
    completed({ kind: "file_change", id: "f", changes: endless, status: "completed" }),
  ]);
  assert.deepEqual([filesChanged, filesChangedBeyond], [[], 1]);
  assert.equal(progress.lastReasoning?.length, MAX_TEXT_LENGTH);
  assert.ok(progress.lastReasoning.endsWith("end"));
  assert.equal(progress.currentCommand?.length, MAX_TEXT_LENGTH);
  assert.ok(progress.currentCommand.startsWith("start"));
  assert.equal(progress.plan.length, MAX_PLAN_STEPS);
  assert.equal(progress.plan[0]?.text.length, MAX_STEP_LENGTH);
  assert.equal(progress.warnings.length, MAX_WARNINGS);
  assert.equal(progress.warnings[0]?.length, MAX_WARNING_LENGTH);
  assert.ok(progress.warnings.at(-1)?.startsWith("49"));
  assert.equal(progress.filesChanged.length, MAX_FILES_CHANGED);
  assert.equal(progress.filesChangedBeyond, 5);
  assert.equal(progress.lastMessage, long, "the answer is kept whole");
});

Deno.test("addEvent() leaves what it was given unchanged", () => {
  const before = emptyProgress();
  addEvent(before, { type: "turn_started" });
  assert.deepEqual(before, emptyProgress());
});
