/** Calls of clients that declare the extension Tasks. Servers that are killed in between: tests/faults/handles.test.ts. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { STATE_FORMAT } from "../../src/storage/state_directory.ts";
import { EXTENSION, HandleClient } from "../helpers/handles.ts";
import { type ServersYard, serversYard } from "../helpers/servers_yard.ts";
import { waitForStatus } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

const WORKS = "fake:hold(go) fake:say(done)";

/** Lets agents go on that are at `fake:hold(name)`. */
async function release(yard: ServersYard, name = "go"): Promise<void> {
  await Deno.writeTextFile(join(yard.cwd, name), "");
}

/** What is on disk of the only task. */
// deno-lint-ignore no-explicit-any
async function onlyTask(yard: ServersYard): Promise<any> {
  const ids = (await Array.fromAsync(Deno.readDir(join(yard.stateDir, "tasks")))).map(({ name }) => name);
  const [id = "", ...others] = ids.filter((name) => /^[0-9a-f]{8}$/.test(name));
  assert.deepEqual(others, []);
  return JSON.parse(await Deno.readTextFile(join(yard.task(id), "task.json")));
}

async function handles(yard: ServersYard): Promise<string[]> {
  const directory = join(yard.stateDir, "handles");
  return await Array.fromAsync(Deno.readDir(directory), ({ name }) => name).catch(() => []);
}

/** An answer without what differs from run to run. */
function plain(answer: unknown): unknown {
  const text = JSON.stringify(answer).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "THREAD")
    .replaceAll(/"(task_id|started_at|ended_at|elapsed_seconds|lifetime|index)":("[^"]*"|\d+)/g, '"$1":0')
    .replaceAll(/tasks\/[0-9a-f]{8}/g, "tasks/ID").replaceAll(/\/[^"\\ ]*\.(log|md)/g, "FILE").replaceAll(
      /\b[0-9a-f]{8}\b/g,
      "ID",
    );
  return JSON.parse(text);
}

Deno.test("a call of a client that declares the extension is answered at once with a handle, and later with the answer", async () => {
  await using yard = await serversYard();
  await using client = new HandleClient(yard);
  const { result: discovered } = await client.request("server/discover", {});
  assert.deepEqual(discovered.capabilities.extensions, { [EXTENSION]: {} });

  const { _meta, ...handle } = await client.call("codex", { prompt: WORKS, label: "worker" });
  const { taskId, statusMessage, createdAt, ...rest } = handle;
  assert.match(taskId, /^[0-9a-f-]{36}$/);
  assert.match(statusMessage, /^worker: \w+/);
  assert.equal(new Date(createdAt).toISOString(), createdAt);
  assert.deepEqual(rest, {
    resultType: "task",
    content: [],
    status: "working",
    lastUpdatedAt: createdAt,
    ttlMs: null,
    pollIntervalMs: 2000,
  });
  const { mode } = await Deno.stat(join(yard.stateDir, "handles", taskId));
  assert.equal((mode ?? 0) & 0o777, Deno.build.os === "windows" ? 0 : 0o700);
  const task = await onlyTask(yard);
  assert.deepEqual([task.spec.lifetime, task.spec.label], ["detached", "worker"]);
  // In the words of the progress that a plain call reports.
  await waitFor(async () => /^worker: (starting|running|waiting)/.test((await client.get(taskId)).statusMessage), {
    message: "the agent to work",
  });
  assert.deepEqual((await client.request("tasks/update", { taskId, inputResponses: {} })).result.taskId, undefined);
  assert.equal((await client.get(taskId)).status, "working");

  await release(yard);
  const ended = await client.ended(taskId);
  assert.deepEqual([ended.status, ended.statusMessage], ["completed", "Completed"]);
  assert.ok(ended.ttlMs > 86_400_000 && ended.lastUpdatedAt > createdAt);
  assert.match(ended.result.content[0].text, /^done\n\n---\nThread ID: /);
  assert.deepEqual(ended.result.structuredContent.task_id, task.id);
  // It is given again as often as it is asked for, and stays as it is when it is cancelled too late.
  assert.equal((await client.request("tasks/cancel", { taskId })).error, undefined);
  assert.deepEqual(await client.get(taskId), ended);
});

Deno.test("each tool that waits gives with a handle exactly what it gives without one", async () => {
  await using yard = await serversYard();
  await using client = new HandleClient(yard);
  const { structuredContent: { threadId } } = await client.call("codex", { prompt: "fake:say(first)" }, {
    declares: false,
  });
  const calls: readonly (readonly [string, Record<string, unknown>])[] = [
    ["codex", { prompt: "fake:say(hello)" }],
    ["codex", { prompt: "fake:say(half) fake:fail(boom)" }],
    ["codex_reply", { threadId, prompt: "fake:say(more)" }],
    ["codex-reply", { conversationId: threadId, prompt: "fake:say(more)" }],
    ["spawn_agent", { prompt: "fake:say(hello)" }],
    ["spawn_agent", { prompt: "fake:fail(boom)" }],
    ["spawn_agents_parallel", {
      agents: [{ prompt: "fake:say(a)" }, { prompt: 7 }, { prompt: "fake:fail(b)" }],
      max_parallel: 1,
    }],
  ];
  for (const [name, args] of calls) {
    const expected = await client.call(name, args, { declares: false });
    const { result, status } = await client.ended(await client.handle(name, args));
    assert.equal(status, "completed", name);
    const { _meta, ...answer } = expected;
    assert.deepEqual(usageless(plain(result)), usageless(plain(answer)), name);
  }
});

/** A thread's counts grow from turn to turn. */
function usageless(answer: unknown): unknown {
  return JSON.parse(
    JSON.stringify(answer).replaceAll(/"usage":\{"this_task":\{[^}]*\},"thread_total":\{[^}]*\}\}/g, '"usage":0'),
  );
}

Deno.test("an ended agent counts as unread until its answer is asked for", async () => {
  await using yard = await serversYard();
  await using client = new HandleClient(yard);
  const taskId = await client.handle("codex", { prompt: "fake:say(hello)" });
  await waitFor(async () => (await Deno.stat(join(yard.stateDir, "handles", taskId, "end.json"))).isFile, {
    message: "the end to be written down",
  });
  const unread = async (): Promise<string | undefined> => {
    await using other = new HandleClient(yard);
    const { result } = await other.request("server/discover", {});
    return /(\d+) ended unread/.exec(result.instructions)?.[1];
  };
  assert.equal(await unread(), "1");
  await client.ended(taskId);
  assert.equal(await unread(), "0");
});

Deno.test("tasks/cancel stops the agents of a call, and what is cancelled stays so", async () => {
  await using yard = await serversYard();
  await using client = new HandleClient(yard);
  for (
    const [name, args, count] of [
      ["codex", { prompt: WORKS }, 1],
      ["spawn_agent", { prompt: WORKS }, 1],
      ["spawn_agents_parallel", { agents: [{ prompt: WORKS }, { prompt: WORKS }] }, 2],
    ] as const
  ) {
    const before = yard.codex.ledger().length;
    const taskId = await client.handle(name, args);
    await waitFor(() => yard.codex.ledger().length === before + count, { message: "the agents to work" });
    const { result } = await client.request("tasks/cancel", { taskId });
    assert.deepEqual([result.resultType, "taskId" in result], ["complete", false]);
    const view = await client.get(taskId);
    assert.deepEqual([view.status, view.statusMessage, view.result], [
      "cancelled",
      "Cancelled by the client",
      undefined,
    ]);
    const { structuredContent: { tasks } } = await client.call("codex_status", { all: true });
    assert.deepEqual(new Set(tasks.map(({ status }: { status: string }) => status)), new Set(["cancelled"]), name);
    assert.equal((await client.request("tasks/cancel", { taskId })).error, undefined);
    assert.equal((await client.get(taskId)).status, "cancelled");
  }
});

Deno.test("tasks/cancel on a wait ends the wait and no agent", async () => {
  await using yard = await serversYard();
  await using client = new HandleClient(yard);
  const { structuredContent: { task_id } } = await client.call("codex_async", { prompt: WORKS });
  const taskId = await client.handle("codex_wait", { task_ids: [task_id] });
  await waitFor(async () => (await client.get(taskId)).statusMessage.startsWith("0/1 done; "), {
    message: "words about the wait",
  });
  await client.request("tasks/cancel", { taskId });
  assert.equal((await client.get(taskId)).status, "cancelled");
  const again = await client.handle("codex_wait", { task_ids: [task_id] });
  await release(yard);
  const { result } = await client.ended(again);
  assert.equal(result.structuredContent.tasks[0].answer, "done");
  // Who has nothing to wait for is told at once.
  const { resultType, structuredContent } = await client.call("codex_wait", { task_ids: [task_id, "00000000"] });
  assert.deepEqual([resultType, structuredContent.tasks.length], ["complete", 2]);
});

Deno.test("codex_wait with a handle ends at the first end, or when its own time is over", async () => {
  await using yard = await serversYard();
  await using client = new HandleClient(yard, { env: { CODEX_SWARM_MIN_WAIT: "0" } });
  const ids: string[] = [];
  for (const name of ["a", "b"]) {
    const { structuredContent } = await client.call("codex_async", { prompt: `fake:hold(${name}) fake:say(${name})` });
    ids.push(structuredContent.task_id);
  }
  const any = await client.handle("codex_wait", { task_ids: ids, until: "any" });
  await release(yard, "b");
  const { result } = await client.ended(any);
  assert.deepEqual(result.structuredContent.running, ids.slice(0, 1));
  assert.deepEqual(result.structuredContent.cursor, ids[1]);
  // The end that was told is no end to wait for.
  const rest = await client.handle("codex_wait", { task_ids: ids, until: "any", cursor: ids[1], timeout: 0.2 });
  const over = await client.ended(rest);
  assert.match(over.result.structuredContent.next, /^STILL RUNNING/);
  assert.match(over.result.content[0].text, /STILL RUNNING/);
});

Deno.test("codex_reply that tells a running agent more gives a handle whose end stops no agent", async () => {
  await using yard = await serversYard();
  await using client = new HandleClient(yard);
  const started = await client.handle("codex", { prompt: "fake:say(first) fake:hold(go)" });
  const { id } = await onlyTask(yard);
  const threadId = await waitFor(async () => {
    const { structuredContent: { tasks: [task] } } = await client.call("codex_status", { task_ids: [id] });
    return task.thread_id ?? null;
  }, { message: "a thread" });
  const told = await client.handle("codex_reply", { threadId, prompt: "fake:hold(more) fake:say(told)", when: "now" });
  await client.request("tasks/cancel", { taskId: told });
  assert.equal((await client.get(told)).status, "cancelled");
  await release(yard, "more");
  const { result } = await client.ended(started);
  assert.deepEqual([result.isError, result.structuredContent.content], [undefined, "told"]);
});

Deno.test("codex_reply that is to tell a running agent gives its handle before that is done", async () => {
  await using yard = await serversYard();
  await using client = new HandleClient(yard);
  const { structuredContent: { task_id: id } } = await client.call("codex_async", {
    prompt: "fake:say(half) fake:usage_limit(3600)",
  });
  const threadId = await waitFor(async () => {
    const { structuredContent: { tasks: [task] } } = await client.call("codex_status", { task_ids: [id] });
    return task.status === "waiting" ? task.thread_id : null;
  }, { message: "the task to wait" });
  const reply = { threadId, prompt: "fake:say(never)", when: "now", "request-key": "mine" };
  const [first, second] = [await client.handle("codex_reply", reply), await client.handle("codex_reply", reply)];
  const prompts = (): string[] =>
    Array.from(Deno.readDirSync(yard.task(id)), ({ name }) => name).filter((name) => /^prompt_\d+\.txt$/.test(name));
  assert.deepEqual(prompts(), ["prompt_1.txt"]);
  await waitFor(async () => /waiting/.test((await client.get(first)).statusMessage), { message: "its words" });
  await client.request("tasks/cancel", { taskId: first });
  await waitFor(() => prompts().length === 0, { message: "the prompt to be taken back" });
  const { result: back } = await client.ended(second);
  assert.equal(back.isError, true);
  assert.match(
    back.content[0].text,
    /the same call was cancelled before the agent of task [0-9a-f]{8} could be told\./,
  );
  // What fails later is the handle's result.
  const third = await client.handle("codex_reply", reply);
  assert.equal((await client.get(third)).status, "working");
  await client.call("codex_cancel", { task_id: id });
  const { result } = await client.ended(third);
  assert.equal(result.isError, true);
  assert.match(result.content[0].text, /^Cannot tell the agent: task [^]* was cancelled before it could be told\./);
  assert.deepEqual([prompts(), yard.codex.ledger().length], [[], 1]);
});

Deno.test({
  name: "what an agent cannot be told any more is asked of another one, once for all handles of a call",
  ignore: Deno.build.os === "windows",
}, async () => {
  await using yard = await serversYard();
  await using owner = await yard.start();
  // Ends with its server.
  const { structured: { task_id: agent } } = await owner.call("spawn_agent_async", {
    prompt: "fake:say(half) fake:usage_limit(3600)",
  });
  const id = agent.slice(-8);
  const { thread_id: threadId } = await waitForStatus(owner, id, "waiting");
  // Of another account, which has no limit.
  const env = { CODEX_API_KEY: "another" };
  await using client = new HandleClient(yard, { env });
  await using other = new HandleClient(yard, { env });
  const reply = { threadId, prompt: WORKS, when: "now", "request-key": "mine" };
  const [first, second] = [await client.handle("codex_reply", reply), await other.handle("codex_reply", reply)];
  await Deno.remove(join(yard.codex.home, "limited_until"));
  await owner.process.closeInput();
  await owner.process.ended;
  await waitFor(() => yard.codex.ledger().length === 2, { message: "the other agent to work" });
  const third = await client.handle("codex_reply", reply);
  await other.kill();
  await release(yard);
  const ends = await Promise.all([first, second, third].map((handle) => client.ended(handle)));
  for (const { result } of ends) {
    assert.deepEqual([result.isError, result.structuredContent.content], [undefined, "done"]);
    assert.equal(result.structuredContent.task_id, ends[0]?.result.structuredContent.task_id);
    assert.equal(result.structuredContent.lifetime, "detached");
  }
  assert.notEqual(ends[0]?.result.structuredContent.task_id, id);
  assert.equal(yard.codex.ledger().length, 2);
});

Deno.test("a handle over agents of an earlier call that end with their server says so", async () => {
  await using yard = await serversYard();
  await using client = new HandleClient(yard);
  for (
    const [name, args, words] of [
      ["codex", { prompt: WORKS }, /; server-bound: it is stopped when its server ends \(\d+s elapsed\)$/],
      [
        "spawn_agents_parallel",
        { agents: [{ prompt: WORKS }] },
        /^0\/1 done; 1 server-bound: stopped when their server/,
      ],
    ] as const
  ) {
    const before = yard.codex.ledger().length;
    const call = { name, arguments: { ...args, "request-key": "mine" } };
    const plain = await client.send("tools/call", call, { declares: false });
    await waitFor(() => yard.codex.ledger().length === before + 1, { message: "the agent to work" });
    const joined = await client.handle(name, call.arguments);
    const own = await client.handle(name, args);
    await waitFor(async () => words.test((await client.get(joined)).statusMessage), { message: "the words" });
    // One of its own is detached (control).
    const { statusMessage } = await waitFor(async () => {
      const view = await client.get(own);
      return /running|done/.test(view.statusMessage) ? view : null;
    }, { message: "the other agent to work" });
    assert.doesNotMatch(statusMessage, /bound/);
    await release(yard);
    assert.equal((await client.answer(plain)).error, undefined);
    await Promise.all([client.ended(joined), client.ended(own)]);
    await Deno.remove(join(yard.cwd, "go"));
  }
});

Deno.test("a call that is refused is answered so at once, and makes no handle", async () => {
  await using yard = await serversYard();
  await using client = new HandleClient(yard);
  for (
    const [name, args, message] of [
      ["codex", { prompt: 7 }, /^Cannot call codex: prompt: /],
      ["codex", { prompt: "x", colour: "red" }, /^Unknown parameter "colour" for codex/],
      ["codex", { prompt: "x", cwd: "/nowhere" }, /there is no such directory/],
      ["codex_reply", { threadId: "00000000-0000-0000-0000-000000000000", prompt: "x" }, /thread/],
      ["codex-reply", { prompt: "x" }, /^Cannot reply: threadId is missing/],
      ["codex_wait", { task_ids: [] }, /^Cannot call codex_wait: task_ids/],
      ["spawn_agent", { prompt: " " }, /"code":"empty_prompt"/],
      ["spawn_agents_parallel", { agents: [] }, /"code":"agents_empty"/],
    ] as const
  ) {
    const result = await client.call(name, args);
    assert.deepEqual([result.resultType, result.isError], ["complete", true], name);
    assert.match(result.content[0].text, message);
    assert.deepEqual(result.content, (await client.call(name, args, { declares: false })).content);
  }
  const { resultType, structuredContent } = await client.call("spawn_agents_parallel", { agents: [{ prompt: 7 }] });
  assert.deepEqual([resultType, structuredContent.result[0].error.code], ["complete", "invalid_prompt_type"]);
  assert.deepEqual(await handles(yard), []);
  assert.deepEqual(yard.codex.ledger(), []);
});

Deno.test("agents that nobody waits for are bound to the server as ever, and have no handle", async () => {
  await using yard = await serversYard();
  await using client = new HandleClient(yard);
  const result = await client.call("spawn_agents_parallel", { agents: [{ prompt: WORKS }], wait: false });
  assert.equal(result.resultType, "complete");
  assert.equal((await onlyTask(yard)).spec.lifetime, "server-bound");
  assert.deepEqual(await handles(yard), []);
});

Deno.test("a client that does not declare the extension is served plainly, and told what it lacks", async () => {
  await using yard = await serversYard();
  await using client = new HandleClient(yard);
  const plainly = { declares: false };
  const answer = await client.call("codex", { prompt: "fake:say(hello)" }, plainly);
  assert.deepEqual([answer.resultType, answer.structuredContent.content], ["complete", "hello"]);
  assert.equal((await onlyTask(yard)).spec.lifetime, "server-bound");
  const taskId = await client.handle("codex", { prompt: WORKS });
  for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
    const { error } = await client.request(method, { taskId }, plainly);
    assert.deepEqual([error.code, error.data], [-32021, { requiredCapabilities: { extensions: { [EXTENSION]: {} } } }]);
  }
  assert.equal((await client.get(taskId)).status, "working");
});

Deno.test("an id that no call was answered with is refused with the way out, whatever it looks like", async () => {
  await using yard = await serversYard();
  await using client = new HandleClient(yard);
  const taskId = await client.handle("codex", { prompt: WORKS });
  const { id } = await onlyTask(yard);
  await Deno.writeTextFile(
    join(yard.stateDir, "call.json"),
    await Deno.readTextFile(join(yard.stateDir, "handles", taskId, "call.json")),
  );
  const odd = [
    crypto.randomUUID(),
    "",
    "..",
    `../handles/${taskId}`,
    `${taskId}/../${taskId}`,
    `${taskId}\0`,
    taskId.toUpperCase(),
    id,
    "x".repeat(5_000),
  ];
  for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
    for (const taskId of odd) {
      const { error } = await client.request(method, { taskId });
      assert.equal(error.code, -32602, `${method} ${taskId.slice(0, 50)}`);
      assert.match(error.message, /^Cannot find task "[^]*Call the tool again; .* codex_status tells\.$/);
      assert.ok(error.message.length < 400);
    }
    const { error } = await client.request(method, { taskId: 7 });
    assert.equal(error.code, -32602);
  }
  assert.deepEqual(client.process.stderr, "");
});

Deno.test("a server cancels no call of a tool that it does not offer, but tells how it stands", async () => {
  await using yard = await serversYard();
  await using client = new HandleClient(yard);
  await using reader = new HandleClient(yard, { args: ["--read-only"] });
  const taskId = await client.handle("codex", { prompt: WORKS });
  const { error } = await reader.request("tasks/cancel", { taskId });
  assert.deepEqual([error.code, error.message], [
    -32603,
    "Cannot cancel a call of codex: this server does not offer it. Use one that does.",
  ]);
  assert.equal((await reader.get(taskId)).status, "working");
  await release(yard);
  assert.equal((await reader.ended(taskId)).result.structuredContent.content, "done");
});

Deno.test("a handle that cannot be read is told as a fault, and keeps nobody from others", async () => {
  await using yard = await serversYard();
  await using client = new HandleClient(yard);
  const [taskId, other] = [
    await client.handle("codex", { prompt: WORKS }),
    await client.handle("codex", { prompt: WORKS }),
  ];
  await Deno.writeTextFile(join(yard.stateDir, "handles", taskId, "call.json"), "{");
  for (const method of ["tasks/get", "tasks/cancel"]) {
    const { error } = await client.request(method, { taskId });
    assert.equal(error.code, -32603);
    assert.match(
      error.message,
      /^Cannot answer tasks\/\w+: .*\. This is a fault of codex-swarm; its log file says more\.$/,
    );
  }
  assert.match(client.process.stderr, /a question about a handle could not be answered/);
  assert.equal((await client.get(other)).status, "working");
});

Deno.test("clients of the 2025 era know nothing of handles", async () => {
  await using yard = await serversYard();
  await using swarm = await yard.start();
  assert.equal(swarm.client.getServerCapabilities()?.extensions, undefined);
  const id = 4711;
  await swarm.process.send({ jsonrpc: "2.0", id, method: "tasks/get", params: { taskId: crypto.randomUUID() } });
  const answer = await waitFor(() => swarm.process.received.find((message) => message["id"] === id), { message: "it" });
  assert.deepEqual(answer["error"], { code: -32601, message: "Method not found" });
});

Deno.test("where no handle can be written a call waits as it does without", async () => {
  await using yard = await serversYard();
  await using client = new HandleClient(yard);
  await Deno.writeTextFile(join(yard.stateDir, "handles"), "in the way");
  const { resultType, structuredContent } = await client.call("codex", { prompt: "fake:say(hello)" });
  assert.deepEqual([resultType, structuredContent.content], ["complete", "hello"]);
  assert.match(client.process.stderr, /a handle could not be written down/);
});

Deno.test("in a newer program's state directory handles are looked at, and none is made or cancelled", async () => {
  await using yard = await serversYard();
  await using client = new HandleClient(yard);
  const { structuredContent: { task_id } } = await client.call("codex_async", { prompt: WORKS });
  const taskId = await client.handle("codex_wait", { task_ids: [task_id] });
  await client.process.close();
  await Deno.writeTextFile(join(yard.stateDir, "format"), `${STATE_FORMAT + 1}\n`);
  await using next = new HandleClient(yard, { args: ["--max-wait", "1"] });
  assert.equal((await next.get(taskId)).status, "working");
  const { error } = await next.request("tasks/cancel", { taskId });
  assert.match(error.message, /written by a newer codex-swarm/);
  const { resultType, structuredContent } = await next.call("codex_wait", { task_ids: [task_id] });
  assert.deepEqual([resultType, structuredContent.running], ["complete", [task_id]]);
  assert.deepEqual(await handles(yard), [taskId]);
});
