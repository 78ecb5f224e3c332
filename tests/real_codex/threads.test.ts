/** Threads of the real Codex, continued through the server. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { startRealSwarm, turnContexts } from "../helpers/real_swarm.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const UNKNOWN_THREAD = "01a1f744-634e-71b1-a39a-93788d7eea39";

Deno.test("codex_reply goes on in the same thread and knows what was said", async () => {
  await using swarm = await startRealSwarm();
  const { structured: { threadId } } = await swarm.call("codex", { prompt: "mock:say(first)" });
  const reply = await swarm.call("codex_reply", { threadId, prompt: "mock:say(second)" });
  assert.deepEqual([reply.text, reply.structured.threadId, reply.structured.status], ["second", threadId, "completed"]);
  const alias = await swarm.call("codex-reply", { conversationId: threadId, prompt: "mock:say(third)" });
  assert.deepEqual([alias.structured.content, alias.structured.threadId], ["third", threadId]);
  const history = JSON.stringify(swarm.model.requests.at(-1)?.body.input);
  for (const said of ["mock:say(first)", "first", "mock:say(second)", "second"]) {
    assert.ok(history.includes(said), said);
  }
});

Deno.test("codex_reply keeps sandbox, model, effort, cwd and added directories", async () => {
  await using added = await tempDirectory();
  await using swarm = await startRealSwarm();
  const inner = join(swarm.cwd, "inner");
  await Deno.mkdir(inner);
  const first = await swarm.call("codex", {
    prompt: "mock:hello",
    sandbox: "workspace-write",
    model: "gpt-5.5",
    "reasoning-effort": "high",
    cwd: "inner",
    "add-dirs": [added.path],
    "developer-instructions": "Speak softly.",
  });
  const { threadId } = first.structured;
  const reply = await swarm.call("codex_reply", { threadId, prompt: `mock:shell(echo x > ${added.path}/made)` });
  const { sandbox, model, cwd, last_command } = reply.structured;
  assert.deepEqual({ mode: sandbox.mode, source: sandbox.source, model, cwd, exitCode: last_command.exit_code }, {
    mode: "workspace-write",
    source: "thread",
    model: "gpt-5.5",
    cwd: inner,
    exitCode: 0,
  });
  assert.equal(await Deno.readTextFile(join(added.path, "made")), "x\n");
  const recorded = turnContexts(swarm.home, threadId).map(({ cwd, model, sandbox_policy }) => ({
    cwd,
    model,
    sandbox: sandbox_policy.type,
    roots: sandbox_policy.writable_roots,
  }));
  const expected = { cwd: inner, model: "gpt-5.5", sandbox: "workspace-write", roots: [added.path] };
  assert.deepEqual(recorded, [expected, expected]);
  assert.deepEqual(swarm.model.requests.map(({ model, effort }) => [model, effort]), [
    ["gpt-5.5", "high"],
    ["gpt-5.5", "high"],
    ["gpt-5.5", "high"],
  ]);
});

Deno.test("codex_reply leaves a read-only thread read-only whatever the server's -c says", async () => {
  await using swarm = await startRealSwarm({ args: ["-c", "sandbox_mode=danger-full-access"] });
  const first = await swarm.call("codex", { prompt: "mock:hello", sandbox: "read-only" });
  const { threadId } = first.structured;
  const reply = await swarm.call("codex_reply", { threadId, prompt: "mock:shell(touch made)" });
  assert.deepEqual([reply.structured.sandbox.mode, reply.structured.sandbox.source], ["read-only", "thread"]);
  // Codex tells its client nothing of a command that its sandbox denied at once; the model hears of it.
  assert.match(JSON.stringify(swarm.model.requests.at(-1)?.body.input), /cannot touch 'made': Read-only file system/);
  assert.deepEqual(turnContexts(swarm.home, threadId).map(({ sandbox_policy }) => sandbox_policy.type), [
    "read-only",
    "read-only",
  ]);
});

Deno.test("codex continues a thread with what the call changes", async () => {
  await using swarm = await startRealSwarm();
  const { structured: { threadId } } = await swarm.call("codex", { prompt: "mock:hello" });
  const next = await swarm.call("codex", {
    threadId,
    prompt: "mock:patch(made.txt)",
    sandbox: "workspace-write",
    model: "gpt-5.5",
  });
  assert.deepEqual([next.structured.threadId, next.structured.files_changed.length], [threadId, 1]);
  assert.deepEqual(
    turnContexts(swarm.home, threadId).map(({ model, sandbox_policy }) => [model, sandbox_policy.type]),
    [
      ["gpt-6.1-sol", "read-only"],
      ["gpt-5.5", "workspace-write"],
    ],
  );
});

Deno.test("codex narrows a thread without a sandbox to one without the network", async () => {
  await using swarm = await startRealSwarm();
  const first = await swarm.call("codex", { prompt: "mock:hello", sandbox: "danger-full-access" });
  const { threadId } = first.structured;
  const next = await swarm.call("codex", { threadId, prompt: "mock:hello", sandbox: "workspace-write" });
  assert.notEqual(next.structured.sandbox.network, true);
  const policies = turnContexts(swarm.home, threadId).map(({ sandbox_policy }) => sandbox_policy);
  assert.deepEqual(policies.map(({ type, network_access }) => [type, network_access]), [
    ["danger-full-access", undefined],
    ["workspace-write", false],
  ]);
});

Deno.test("codex_reply continues a thread that this server did not start", async () => {
  await using swarm = await startRealSwarm();
  const { structured: { threadId } } = await swarm.call("codex", {
    prompt: "mock:say(one)",
    sandbox: "workspace-write",
  });
  await using other = await startRealSwarm({ model: swarm.model, home: swarm.home, cwd: swarm.cwd });
  const { structured } = await other.call("codex_reply", { threadId, prompt: "mock:say(two)" });
  assert.deepEqual([structured.content, structured.threadId, structured.sandbox.mode], [
    "two",
    threadId,
    "workspace-write",
  ]);
});

Deno.test("codex_reply tells the thread's tokens and this task's share of them", async () => {
  await using swarm = await startRealSwarm();
  const tokens = (input: number, cached: number, output: number, reasoning: number): object => ({
    input_tokens: input,
    cached_input_tokens: cached,
    output_tokens: output,
    reasoning_output_tokens: reasoning,
  });
  const { structured: { threadId } } = await swarm.call("codex", { prompt: "mock:usage(5000)" });
  const reply = await swarm.call("codex_reply", { threadId, prompt: "mock:hello" });
  assert.deepEqual(reply.structured.usage, {
    this_task: tokens(100, 0, 10, 0),
    thread_total: tokens(5100, 2345, 688, 90),
  });
});

Deno.test("codex_reply refuses a thread that nobody knows and starts nothing", async () => {
  await using swarm = await startRealSwarm();
  for (const threadId of [UNKNOWN_THREAD, "my-thread", "--last"]) {
    const { text, isError } = await swarm.call("codex_reply", { threadId, prompt: "mock:hello" });
    assert.deepEqual([isError, text.includes(`Cannot find thread "${threadId}"`)], [true, true], text);
  }
  assert.deepEqual([swarm.model.requests.length, await swarm.resource("tasks")], [0, []]);
});

Deno.test("codex_reply refuses a thread of an --ephemeral run", async () => {
  await using swarm = await startRealSwarm({ args: ["--ephemeral"] });
  const { structured: { threadId, content } } = await swarm.call("codex", { prompt: "mock:hello" });
  assert.equal(content, "hello from the mock");
  assert.throws(() => turnContexts(swarm.home, threadId));
  const { text, isError } = await swarm.call("codex_reply", { threadId, prompt: "mock:hello" });
  assert.equal(isError, true);
  assert.match(text, /started with --ephemeral, so Codex kept no record of it/);
});
