import assert from "node:assert/strict";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { isAlive } from "../helpers/processes.ts";
import { waitForStatus } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { wrapCodex } from "../helpers/wrap_codex.ts";

Deno.test("codex answers with the final message and the thread id, and with all data", async () => {
  await using swarm = await startSwarm();
  const prompt = "fake:command(make) fake:say(first) fake:usage(7,3) fake:say(hello)";
  const { text, structured, isError } = await swarm.call("codex", { prompt, label: "greeting", model: "gpt-x" });
  const { threadId, task_id, elapsed_seconds, started_at, ended_at } = structured;
  assert.equal(
    text,
    `hello\n\n---\nThread ID: ${threadId}\nUse codex_reply(threadId="${threadId}", prompt="...") to continue this session.`,
  );
  assert.equal(isError, false);
  const directory = `${swarm.stateDir}/tasks/${task_id}`;
  const usage = { input_tokens: 7, cached_input_tokens: 0, output_tokens: 3, reasoning_output_tokens: 0 };
  assert.deepEqual(structured, {
    threadId,
    content: "hello",
    task_id,
    status: "completed",
    label: "greeting",
    thread_id: threadId,
    elapsed_seconds,
    answer_file: `${directory}/answer.md`,
    exit_code: 0,
    last_command: { command: "/bin/bash -lc make", exit_code: 0 },
    tools_called: 1,
    usage: { this_task: usage, thread_total: usage },
    cwd: swarm.cwd,
    model: "gpt-x",
    sandbox: { mode: "read-only", source: "Codex default", network: false },
    lifetime: "server-bound",
    notes: ['The agent cannot edit files: pass sandbox="workspace-write" to allow it.'],
    started_at,
    ended_at,
    events_file: `${directory}/events.jsonl`,
  });
  assert.match(task_id, /^[0-9a-f]{8}$/);
  assert.ok(new Date(started_at) <= new Date(ended_at));
  assert.equal(await Deno.readTextFile(structured.answer_file), "hello");

  const silent = await swarm.call("codex", { prompt: "fake:command(make)" });
  assert.ok(silent.text.startsWith("No output from Codex\n\n---\nThread ID: "), silent.text);
  assert.deepEqual([silent.structured.content, silent.structured.answer_file], ["No output from Codex", undefined]);
  assert.equal(silent.isError, false);
});

Deno.test("codex fails with codex-mcp-swarm's failure block when its agent fails", async () => {
  await using swarm = await startSwarm();
  const failed = await swarm.call("codex", { prompt: "fake:say(half) fake:fail(boom)", model: "gpt-x" });
  assert.equal(failed.isError, true);
  assert.deepEqual(failed.text.split("\n"), [
    "Codex FAILED (exit 1)",
    "Model: gpt-x",
    "Cause: boom",
    "Category: unknown",
    "Retryable: no (informational only; the wrapper did not retry)",
    "Action: Read the message and the task's stderr.log before another try.",
    `Thread ID: ${failed.structured.threadId}`,
    "Partial output (before failure): half",
  ]);
  const { status, content, exit_code, failure } = failed.structured;
  assert.deepEqual({ status, content, exit_code, failure }, {
    status: "failed",
    content: "half",
    exit_code: 1,
    failure: {
      class: "unknown",
      category: "unknown",
      message: "boom",
      retryable: false,
      action: "Read the message and the task's stderr.log before another try.",
    },
  });

  const refused = await swarm.call("codex", { prompt: "fake:fail_first(1,Error: no such model)" });
  assert.equal(refused.isError, true);
  assert.ok(refused.text.startsWith("Codex FAILED (exit 1)\nCause: "), refused.text);
  assert.equal(refused.structured.threadId, null);
  assert.ok(refused.structured.content.includes("no such model"));

  assert.match(refused.text, /^stderr: Error: no such model$/m);

  // The agent was stopped at the call's own limit.
  const { text, structured, isError } = await swarm.call("codex", { prompt: "fake:sleep(60)", timeout: 0.2 });
  assert.equal(isError, true);
  assert.deepEqual(text.split("\n").slice(0, 2), [
    "Error: Codex execution timed out",
    "Cause: The run was stopped at its time limit.",
  ]);
  assert.deepEqual([structured.status, structured.stop_reason, structured.failure.class], [
    "timed_out",
    "timeout",
    "timeout",
  ]);
  const { text: words } = await swarm.call("codex_status", { task_ids: [structured.task_id] });
  assert.match(words, /^=== Task [0-9a-f]{8} \(TIMED OUT after \d+s\) ===\n/);
});

Deno.test("codex tells the end of what a failed agent wrote to stderr", async () => {
  await using swarm = await startSwarm({ clientName: "codex-mcp-client" });
  const words = `${"x".repeat(2_000)} the end`;
  const tail = `…${"x".repeat(491)} the end`;
  const failed = await swarm.call("codex", { prompt: `fake:stderr(${words}) fake:fail(boom)` });
  assert.equal(failed.structured.failure.stderr_tail, tail);
  assert.equal(tail.length, 500);
  assert.ok(failed.text.includes(`\nstderr: ${tail}\nThread ID: `), failed.text);
  const { task_id } = failed.structured;
  const { text, structured } = await swarm.call("codex_wait", { task_ids: [task_id] });
  assert.ok(text.includes(`\nstderr: ${tail}`), text);
  assert.equal(structured.tasks[0].failure.stderr_tail, tail);
  const done = await swarm.call("codex", { prompt: "fake:stderr(noise) fake:say(fine)" });
  assert.ok(!done.text.includes("stderr") && !JSON.stringify(done.structured).includes("stderr_tail"));
});

Deno.test({ name: "codex names no thread where there is none", ignore: Deno.build.os === "windows" }, async () => {
  await using codex = await installFakeCodex();
  const events = [
    { type: "turn.started" },
    { type: "item.completed", item: { id: "item_0", type: "agent_message", text: "hello" } },
    { type: "turn.completed", usage: { input_tokens: 1, cached_input_tokens: 0, output_tokens: 1 } },
  ];
  const lines = events.map((event) => `echo '${JSON.stringify(event)}'`);
  await using swarm = await startSwarm({ codex: wrapCodex(codex, [...lines, "exit 0"].join("\n")) });
  const { text, structured, isError } = await swarm.call("codex", { prompt: "hi" });
  assert.deepEqual([text, structured.threadId, isError], ["hello", null, false]);
});

Deno.test("codex continues a thread and tells this run's share of its tokens", async () => {
  await using swarm = await startSwarm();
  const first = await swarm.call("codex", { prompt: "fake:usage(100,10) fake:say(one)" });
  const { threadId } = first.structured;
  const second = await swarm.call("codex", { prompt: "fake:usage(50,5) fake:say(two)", threadId });
  assert.deepEqual([second.structured.threadId, second.structured.content], [threadId, "two"]);
  const rest = { cached_input_tokens: 0, reasoning_output_tokens: 0 };
  assert.deepEqual(second.structured.usage, {
    this_task: { input_tokens: 50, output_tokens: 5, ...rest },
    thread_total: { input_tokens: 150, output_tokens: 15, ...rest },
  });
  const { text } = await swarm.call("codex_status", { task_ids: [second.structured.task_id] });
  assert.match(text, /^Tokens: 50 in, 5 out$/m);
});

Deno.test("codex stops its agent when the client cancels the call", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  const cancelling = new AbortController();
  const call = swarm.call("codex", { prompt: "fake:hold(never)" }, { signal: cancelling.signal });
  const { pid } = await waitFor(() => codex.ledger()[0], { message: "the agent to start" });
  cancelling.abort();
  await assert.rejects(call);
  await waitFor(async () => !await isAlive(pid), { message: "the agent to end" });
  const { structured } = await swarm.call("codex_status");
  const ids: string[] = structured.tasks.map((task: { task_id: string }) => task.task_id);
  assert.equal(ids.length, 1);
  await waitForStatus(swarm, ids[0] ?? "", "cancelled");
});
