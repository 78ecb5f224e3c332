/** What an agent does and says comes back through the server. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { scripted } from "../helpers/mock_model.ts";
import { joinGathering, startRealSwarm } from "../helpers/real_swarm.ts";
import { waitFor } from "../helpers/wait_for.ts";

Deno.test("codex answers with what the model said", async () => {
  await using swarm = await startRealSwarm();
  const { text, structured, isError } = await swarm.call("codex", { prompt: "mock:hello" });
  const { threadId, status, content, exit_code, usage } = structured;
  assert.equal(
    text,
    `hello from the mock\n\n---\nThread ID: ${threadId}\n` +
      `Use codex_reply(threadId="${threadId}", prompt="...") to continue this session.`,
  );
  const tokens = { input_tokens: 100, cached_input_tokens: 0, output_tokens: 10, reasoning_output_tokens: 0 };
  assert.deepEqual({ status, content, exit_code, usage, isError }, {
    status: "completed",
    content: "hello from the mock",
    exit_code: 0,
    usage: { this_task: tokens, thread_total: tokens },
    isError: false,
  });
  assert.deepEqual(swarm.model.requests.map(({ prompt }) => prompt), ["mock:hello"]);
  assert.deepEqual(swarm.process.strayLines, []);
});

Deno.test("codex passes a prompt on as it is", async () => {
  await using swarm = await startRealSwarm();
  const prompt = `--model '"\`$(touch it)\` é 漢 🐝\n\n\tmock:hello ${"long ".repeat(40_000)}end`;
  const { structured } = await swarm.call("codex", { prompt });
  assert.equal(structured.content, "hello from the mock");
  assert.deepEqual(swarm.model.requests.map((request) => request.prompt), [prompt]);
});

Deno.test("codex counts commands and tells the last one", async () => {
  await using swarm = await startRealSwarm();
  const { structured } = await swarm.call("codex", { prompt: "mock:tools" });
  assert.deepEqual([structured.status, structured.content, structured.tools_called, structured.last_command], [
    "completed",
    "all tools done",
    4,
    { command: "/bin/bash -lc 'echo two'", exit_code: 0 },
  ]);
  const failing = await swarm.call("codex", { prompt: "mock:shell(exit 3)" });
  assert.deepEqual([failing.structured.status, failing.structured.last_command.exit_code], ["completed", 3]);
});

Deno.test("codex names the files that were changed", async () => {
  await using swarm = await startRealSwarm();
  const { structured } = await swarm.call("codex", { prompt: "mock:patch(made.txt)", sandbox: "workspace-write" });
  const path = join(swarm.cwd, "made.txt");
  assert.deepEqual(structured.files_changed, [{ path, kind: "add" }]);
  assert.equal(await Deno.readTextFile(path), "written by the mock\n");
});

Deno.test("codex says how to allow edits when the sandbox is read-only", async () => {
  await using swarm = await startRealSwarm();
  const { structured } = await swarm.call("codex", { prompt: "mock:patch(made.txt)" });
  assert.deepEqual([structured.sandbox.mode, structured.files_changed], ["read-only", undefined]);
  assert.match(structured.notes.join("\n"), /cannot edit files: pass sandbox="workspace-write"/);
  await assert.rejects(Deno.stat(join(swarm.cwd, "made.txt")), Deno.errors.NotFound);
});

Deno.test("codex_status shows plan, reasoning, command and searches while the agent works", async () => {
  await using swarm = await startRealSwarm();
  const id = await swarm.begin(scripted(
    { plan: [["look", "completed"], ["act", "in_progress"]] },
    { reason: "**Thinking**\n\nabout it", search: "mock query", shell: "echo done; test -e go" },
    { gather: 2, say: "ended" },
  ));
  const seen = await waitFor(async () => {
    const task = await swarm.look(id);
    return task.last_command !== undefined && task;
  }, { message: "the command", timeoutMs: 20_000 });
  assert.deepEqual([seen.status, seen.phase, seen.plan, seen.last_command, seen.tools_called], [
    "running",
    "running",
    [{ text: "look", completed: true }, { text: "act", completed: false }],
    { command: "/bin/bash -lc 'echo done; test -e go'", exit_code: 1 },
    2,
  ]);
  assert.equal(seen.last_reasoning, "**Thinking** about it");
  const { text } = await swarm.call("codex_status", { task_ids: [id] });
  assert.match(text, /Plan: \[x\] look; \[ \] act/);
  assert.match(text, /Thinking: \*\*Thinking\*\* about it/);
  await joinGathering(swarm.model);
  assert.deepEqual((await swarm.ends(id)).map(({ answer }) => answer), ["ended"]);
});

Deno.test("codex cuts an answer of 3 MB in the middle and keeps it whole in a file", async () => {
  await using swarm = await startRealSwarm();
  const { text, structured } = await swarm.call("codex", { prompt: "mock:huge(3000000)" });
  assert.ok(text.length <= 20_000, String(text.length));
  // Escapes are counted on average.
  const length = JSON.stringify(structured).length;
  assert.ok(length <= 20_050, String(length));
  assert.ok(structured.content.includes(structured.answer_file));
  assert.equal(await Deno.readTextFile(structured.answer_file), "0123456789abcdef".repeat(187_500));
});

Deno.test("codex survives a command that prints 3 MB", async () => {
  await using swarm = await startRealSwarm();
  const { structured } = await swarm.call("codex", { prompt: "mock:hugeshell(3000000)" });
  assert.deepEqual([structured.status, structured.content, structured.last_command.exit_code], [
    "completed",
    "huge shell output done",
    0,
  ]);
  assert.equal(structured.unreadable_events, undefined);
});

Deno.test("codex holds an answer against its output schema", async () => {
  await using swarm = await startRealSwarm();
  const schema = {
    type: "object",
    properties: { answer: { type: "number" } },
    required: ["answer"],
    additionalProperties: false,
  };
  const ask = (prompt: string): ReturnType<typeof swarm.call> =>
    swarm.call("codex", { prompt, "output-schema": schema });
  const right = await ask("mock:json");
  assert.deepEqual(right.structured.output_schema_verdict, { valid: true, errors: [] });
  const wrong = await ask('mock:json({"answer":"much"})');
  assert.equal(wrong.structured.output_schema_verdict.valid, false);
  assert.match(wrong.text, /Output schema: INVALID/);
  const no = await ask("mock:hello");
  assert.deepEqual(no.structured.output_schema_verdict, { valid: false, errors: ["the answer is not JSON"] });
  const { format } = z.object({ format: z.unknown() }).parse(swarm.model.requests[0]?.body["text"]);
  assert.deepEqual(format, { type: "json_schema", strict: true, name: "codex_output_schema", schema });
});
