import assert from "node:assert/strict";
import { join } from "node:path";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { release, startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ECHO = "fake:echo_args";

Deno.test("codex_reply and codex-reply answer with the final message only", async () => {
  await using swarm = await startSwarm();
  const first = await swarm.call("codex", { prompt: "fake:usage(30,3) fake:say(one)" });
  const { threadId } = first.structured;
  const replies = [
    { tool: "codex_reply", id: { threadId } },
    { tool: "codex_reply", id: { thread_id: threadId } },
    { tool: "codex-reply", id: { threadId, conversationId: null } },
    { tool: "codex-reply", id: { conversationId: threadId } },
  ];
  for (const [index, { tool, id }] of replies.entries()) {
    const { text, structured, isError } = await swarm.call(tool, { ...id, prompt: `fake:say(reply ${index})` });
    assert.equal(text, `reply ${index}`);
    assert.deepEqual([structured.threadId, structured.content, structured.status], [threadId, text, "completed"]);
    assert.equal(structured.usage.this_task.input_tokens, 100);
    assert.equal(structured.usage.thread_total.input_tokens, 30 + 100 * (index + 1));
    assert.equal(isError, false);
  }

  const failed = await swarm.call("codex_reply", { threadId, prompt: "fake:fail(boom)" });
  assert.equal(failed.isError, true);
  assert.match(failed.text, /^Codex FAILED \(exit 1\)\nModel: .*\nCause: boom\n/);

  for (
    const [tool, parameters, message] of [
      ["codex_reply", { prompt: "x" }, /^Cannot call codex_reply: threadId: /],
      ["codex_reply", { threadId }, /^Cannot call codex_reply: prompt: /],
      ["codex-reply", { prompt: "x" }, /^Cannot reply: threadId is missing/],
      ["codex_reply", { prompt: "x", threadId: "last" }, /^Cannot find thread "last"/],
      ["codex_reply", { prompt: "x", threadId, model: "m" }, /^Unknown parameter "model" for codex_reply: expected /],
    ] as const
  ) {
    const answer = await swarm.call(tool, parameters);
    assert.match(answer.text, message);
    assert.equal(answer.isError, true);
  }
});

Deno.test("codex_reply keeps what the thread was started with", async () => {
  await using codex = await installFakeCodex();
  await using other = await tempDirectory();
  await Deno.writeTextFile(
    join(codex.home, "config.toml"),
    '[mcp_servers.files]\ncommand = "files"\n[mcp_servers.web]\nurl = "http://127.0.0.1:9/mcp"\n',
  );
  await Deno.writeTextFile(join(codex.home, "careful.config.toml"), 'model_verbosity = "low"\n');
  await using swarm = await startSwarm({ codex });
  await Deno.mkdir(join(swarm.cwd, "sub"));
  const first = await swarm.call("codex", {
    prompt: ECHO,
    cwd: "sub",
    sandbox: "workspace-write",
    model: "gpt-x",
    profile: "careful",
    config: { "tools.web_search": true },
    "add-dirs": [other.path],
    "reasoning-effort": "high",
    "developer-instructions": "Be kind.",
    "base-instructions": "Be brief.",
    "mcp-servers": ["files"],
    env: { FAKE_SETTING: "1" },
    label: "first",
  });
  assert.equal(first.isError, false, first.text);
  const { threadId } = first.structured;
  const reply = await swarm.call("codex_reply", { threadId, prompt: ECHO });
  assert.equal(reply.isError, false, reply.text);

  const plain = (content: string): string[] => {
    const { args }: { readonly args: string[] } = JSON.parse(content);
    return args.map((arg) => arg.replaceAll(/(TASK_ID="|\/tasks\/)[0-9a-f]{8}/g, "$1ID"));
  };
  const network = "sandbox_workspace_write.network_access=false";
  const before = plain(first.structured.content);
  const after = plain(reply.structured.content);
  const place = after.indexOf(network);
  // Whether it had the network is read from Codex's record of the thread.
  assert.equal(after[place - 1], "-c");
  assert.deepEqual(after.toSpliced(place - 1, 2), [...before.slice(0, -1), "resume", threadId, "-"]);
  assert.deepEqual(reply.structured.sandbox, { mode: "workspace-write", source: "thread", network: false });
  assert.deepEqual([reply.structured.label, reply.structured.cwd], ["first", join(swarm.cwd, "sub")]);
  assert.deepEqual(reply.structured.notes, [
    "Variables of the thread's first call are not kept: FAKE_SETTING. Use codex(threadId, env) to pass them again.",
  ]);

  // The call's own words win over what the thread had.
  const changed = await swarm.call("codex", { threadId, prompt: ECHO, sandbox: "read-only", model: "gpt-y" });
  assert.deepEqual(changed.structured.sandbox, { mode: "read-only", source: "call", network: false });
  const args = plain(changed.structured.content);
  assert.deepEqual([args[args.indexOf("-s") + 1], args[args.indexOf("-m") + 1]], ["read-only", "gpt-y"]);
});

Deno.test("codex_reply comes after the turn that still works on the thread", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  const id = await startTask(swarm, "fake:hold(go) fake:say(done)", { sandbox: "workspace-write" });
  const { thread_id: threadId } = await waitForTask(swarm, id, (task) => task.thread_id !== undefined);
  const replies = [1, 2].map((number) => swarm.call("codex_reply", { threadId, prompt: `fake:say(more ${number})` }));
  // Also one that comes after a reply that is itself still queued.
  await waitFor(async () => {
    const { structured } = await swarm.call("codex_status");
    return structured.tasks.filter(({ status }: { readonly status: string }) => status === "queued").length === 2;
  }, { message: "both replies to be queued" });
  await release(swarm, "go");
  const answers = await Promise.all(replies);
  assert.deepEqual(answers.map(({ text, isError }) => [text, isError]), [["more 1", false], ["more 2", false]]);
  assert.deepEqual(answers.map(({ structured }) => structured.sandbox.mode), ["workspace-write", "workspace-write"]);
  assert.match(answers[0]?.structured.notes[0], new RegExp(`^Starts when task ${id} has ended`));
  const runs = codex.ledger().map(({ threadId, exitCode }) => [threadId, exitCode]);
  assert.deepEqual(runs, [[threadId, 0], [threadId, 0], [threadId, 0]]);
});

Deno.test("codex_reply breaks a turn off when it is to be told now, and the task goes on with what it says", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  const id = await startTask(swarm, "fake:say(half) fake:hold(never)", { sandbox: "workspace-write", model: "gpt-x" });
  const { thread_id: threadId } = await waitForTask(swarm, id, (task) => task.answer === "half");
  const { text, isError, structured } = await swarm.call("codex_reply", {
    threadId,
    prompt: "fake:echo_args",
    when: "now",
  });
  assert.deepEqual([isError, structured.task_id, structured.status], [false, id, "completed"]);
  const { args } = JSON.parse(text);
  for (const kept of [["-s", "workspace-write"], ["-m", "gpt-x"], ["-C", swarm.cwd]]) {
    assert.equal(args[args.indexOf(kept[0]) + 1], kept[1]);
  }
  assert.equal(args[args.indexOf("resume") + 1], threadId);
  // Who waits for the task gets what it has come to.
  const { structured: { tasks: [task] } } = await swarm.call("codex_wait", { task_ids: [id] });
  assert.deepEqual([task.status, task.exit_code, task.thread_id], ["completed", 0, threadId]);
  assert.deepEqual(codex.ledger().map(({ prompt, exitCode }) => [prompt, exitCode]), [
    ["fake:say(half) fake:hold(never)", 1],
    ["fake:echo_args", 0],
  ]);
});

Deno.test("codex_reply tells what there is where the prompts before it have gaps", async () => {
  await using swarm = await startSwarm();
  const id = await startTask(swarm, "fake:say(half) fake:hold(never)");
  const { thread_id: threadId } = await waitForTask(swarm, id, (task) => task.answer === "half");
  // Of a writer that was killed where files cannot have two names.
  const directory = join(swarm.stateDir, "tasks", id);
  await Deno.writeTextFile(join(directory, "prompt_1.txt.taken"), "");
  await Deno.writeTextFile(join(directory, "prompt_2.txt"), "fake:say(two)");
  const reply = await swarm.call("codex_reply", { threadId, prompt: "fake:say(three)", when: "now" });
  assert.deepEqual([reply.text, reply.isError, reply.structured.task_id], ["three", false, id]);
});

Deno.test("codex_reply that waits to be told says so, and takes its prompt back when it is cancelled", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  const id = await startTask(swarm, "fake:say(half) fake:usage_limit(3600)");
  const { thread_id: threadId } = await waitForStatus(swarm, id, "waiting");
  const messages: string[] = [];
  const cancelling = new AbortController();
  const calling = swarm.call("codex_reply", { threadId, prompt: "fake:say(never)", when: "now" }, {
    signal: cancelling.signal,
    onProgress: (message) => void messages.push(message),
  });
  const hasPrompt = (): boolean =>
    Array.from(Deno.readDirSync(join(swarm.stateDir, "tasks", id))).some(({ name }) => name === "prompt_1.txt");
  await waitFor(() => hasPrompt() && messages.length > 0, { message: "the prompt to wait" });
  assert.match(messages[0] ?? "", /waiting/);
  cancelling.abort();
  await assert.rejects(calling);
  await waitFor(() => !hasPrompt(), { message: "the prompt to be taken back" });
  assert.equal((await swarm.call("codex_cancel", { task_id: id })).isError, false);
  assert.equal(codex.ledger().length, 1);
});

Deno.test("codex_reply that waits to be told starts nothing on a thread whose task is cancelled", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  const id = await startTask(swarm, "fake:say(half) fake:usage_limit(3600)");
  const { thread_id: threadId } = await waitForStatus(swarm, id, "waiting");
  const calling = swarm.call("codex_reply", { threadId, prompt: "fake:say(never)", when: "now" });
  const directory = join(swarm.stateDir, "tasks", id);
  await waitFor(() => Array.from(Deno.readDirSync(directory)).some(({ name }) => name === "prompt_1.txt"), {
    message: "the prompt to wait",
  });
  await swarm.call("codex_cancel", { task_id: id });
  const { text, isError } = await calling;
  assert.equal(isError, true);
  assert.match(text, new RegExp(`^Cannot tell the agent: task ${id}, .* was cancelled .* call codex_reply again\\.$`));
  assert.deepEqual([(await swarm.resource("tasks")).length, codex.ledger().length], [1, 1]);
});

Deno.test("codex_reply that is to be told now is an ordinary one on a thread that nobody works on", async () => {
  await using swarm = await startSwarm();
  const { structured: { threadId, task_id: first } } = await swarm.call("codex", { prompt: "fake:say(one)" });
  const reply = await swarm.call("codex_reply", { threadId, prompt: "fake:say(two)", when: "now" });
  assert.deepEqual([reply.text, reply.structured.threadId], ["two", threadId]);
  assert.notEqual(reply.structured.task_id, first);
});

Deno.test("codex_reply is refused with the reason on a server that keeps no threads", async () => {
  await using swarm = await startSwarm({ args: ["--ephemeral"] });
  const { structured: { threadId, content } } = await swarm.call("codex", { prompt: ECHO });
  assert.ok(JSON.parse(content).args.includes("--ephemeral"));
  const { text, isError } = await swarm.call("codex_reply", { threadId, prompt: "more" });
  assert.equal(
    text,
    `Cannot continue thread ${threadId}: this server was started with --ephemeral, so Codex kept no record of it. ` +
      "Start the server without --ephemeral to be able to continue threads.",
  );
  assert.equal(isError, true);
});

Deno.test("a server that keeps no threads goes on with those that another one kept", async () => {
  await using codex = await installFakeCodex();
  await using stateDir = await tempDirectory();
  await using keeping = await startSwarm({ codex, stateDir: stateDir.path });
  const { structured: { threadId } } = await keeping.call("codex", { prompt: "fake:say(one)" });
  await using swarm = await startSwarm({ codex, cwd: keeping.cwd, stateDir: stateDir.path, args: ["--ephemeral"] });
  const { text, structured, isError } = await swarm.call("codex_reply", { threadId, prompt: "fake:say(two)" });
  assert.equal(isError, false, text);
  assert.equal(structured.threadId, threadId);
  assert.match(structured.notes.join("\n"), /^Codex may not record this turn: .* --ephemeral\.$/m);
});

Deno.test("the config of a call wins over what the thread had", async () => {
  await using swarm = await startSwarm();
  const { structured: { threadId } } = await swarm.call("codex", {
    prompt: ECHO,
    sandbox: "workspace-write",
    model: "gpt-x",
    "reasoning-effort": "high",
  });
  const { structured } = await swarm.call("codex", {
    threadId,
    prompt: ECHO,
    config: { model: "gpt-y", model_reasoning_effort: "low", sandbox_workspace_write: { network_access: true } },
  });
  const { args }: { readonly args: string[] } = JSON.parse(structured.content);
  assert.deepEqual([structured.sandbox.network, args.includes("-m")], [true, false]);
  const said = args.filter((arg) => /^(model|sandbox_workspace_write)/.test(arg));
  assert.deepEqual(said, [
    'model="gpt-y"',
    'model_reasoning_effort="low"',
    "sandbox_workspace_write.network_access=true",
  ]);
});

Deno.test("codex-reply refuses two different threads", async () => {
  await using swarm = await startSwarm();
  const { structured: { threadId } } = await swarm.call("codex", { prompt: "fake:say(one)" });
  const prompt = "fake:say(two)";
  const mixed = { threadId, conversationId: "00000000-0000-7000-8000-000000000000", prompt };
  const refused = await swarm.call("codex-reply", mixed);
  assert.equal(refused.isError, true);
  assert.match(refused.text, /^Cannot reply: threadId and conversationId, its old name, name different threads\./);
  const same = await swarm.call("codex-reply", { threadId, conversationId: threadId, prompt });
  assert.equal(same.structured.content, "two");
});

Deno.test("codex_reply to a thread that is being worked on goes on in the CODEX_HOME of that thread, or is refused at once", async () => {
  await using codex = await installFakeCodex();
  await using other = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  await using elsewhere = await startSwarm({ codex: other, stateDir: swarm.stateDir, cwd: swarm.cwd });
  const id = await startTask(swarm, "fake:say(half) fake:hold(go)");
  const { thread_id: threadId } = await waitForTask(swarm, id, (task) => task.answer === "half");
  const prompt = "fake:say(more)";
  const refused = await elsewhere.call("codex", { threadId, prompt, env: { CODEX_HOME: other.home } });
  assert.equal(refused.isError, true);
  assert.match(refused.text, /^Cannot find thread .* codex\(threadId, env\)\.$/);
  const reply = elsewhere.call("codex_reply", { threadId, prompt });
  await waitFor(async () => (await swarm.call("codex_status")).structured.tasks.length === 2, {
    message: "the reply to be queued",
  });
  await release(swarm, "go");
  const { text, structured } = await reply;
  assert.deepEqual([text, structured.threadId], ["more", threadId]);
  // Each fake has its own ledger: it was the other server's Codex that went on.
  assert.deepEqual(other.ledger().map((run) => run.threadId), [threadId]);
});
