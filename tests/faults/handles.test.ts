/** Servers that end or are killed under calls that were answered with handles: any other server goes on with them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { HandleClient, requestOverHttp } from "../helpers/handles.ts";
import { type HttpServerProcess, startHttpServer } from "../helpers/http_server.ts";
import { isAlive } from "../helpers/processes.ts";
import { type ServersYard, serversYard } from "../helpers/servers_yard.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";
const WORKS = "fake:hold(go) fake:say(done)";

async function release(yard: ServersYard, name = "go"): Promise<void> {
  await Deno.writeTextFile(join(yard.cwd, name), "");
}

async function untilWorking(yard: ServersYard, count: number): Promise<void> {
  await waitFor(() => yard.codex.ledger().length === count, { message: `${count} agents to work` });
}

/** The ways in which a server goes. */
const WAYS: readonly (readonly [string, (client: HandleClient) => Promise<void>])[] = [
  ["is killed", (client) => client.kill()],
  ["ends", (client) => client.process.close()],
];

for (const [way, end] of WAYS) {
  Deno.test({
    name: `agents of calls with handles outlive a server that ${way}, and the next one gives their answers`,
    ignore,
  }, async () => {
    await using yard = await serversYard();
    // Whatever is bound to the server ends with it at once.
    const args = ["--orphan-grace", "0"];
    await using client = new HandleClient(yard, { args });
    const calls = [
      ["codex", { prompt: WORKS }],
      ["spawn_agent", { prompt: WORKS }],
      ["spawn_agents_parallel", { agents: [{ prompt: WORKS }, { prompt: 7 }] }],
      ["codex", { prompt: "fake:hold(go) fake:fail(boom)" }],
    ] as const;
    const taskIds = await Promise.all(calls.map(([name, given]) => client.handle(name, given)));
    await untilWorking(yard, 4);
    await client.send("tools/call", { name: "codex", arguments: { prompt: WORKS } }, { declares: false });
    await untilWorking(yard, 5);
    await end(client);
    const [bound] = yard.codex.ledger().slice(4);
    // One of a plain call goes with it (control).
    await waitFor(async () => !await isAlive(bound?.pid ?? 0), { message: "the bound agent to end" });

    await using next = new HandleClient(yard, { args });
    for (const taskId of taskIds) {
      const view = await next.get(taskId);
      assert.equal(view.status, "working");
      await waitFor(async () => (await next.get(taskId)).statusMessage.includes("running"), { message: "words" });
    }
    await release(yard);
    const [codex, agent, batch, failed] = await Promise.all(taskIds.map((taskId) => next.ended(taskId)));
    assert.deepEqual([codex.status, codex.result.structuredContent.content], ["completed", "done"]);
    assert.match(agent.result.content[0].text, /^done\nLog file: /);
    const [first, second] = batch.result.structuredContent.result;
    assert.match(first.output, /^done/);
    assert.equal(second.error.code, "invalid_prompt_type");
    // An agent that fails is no error of the protocol.
    assert.deepEqual([failed.status, failed.result.isError], ["completed", true]);
    assert.match(failed.result.content[0].text, /boom/);
    assert.equal(yard.codex.ledger().length, 5);
  });
}

Deno.test({ name: "what ended while no server was there is told by the next one at once", ignore }, async () => {
  await using yard = await serversYard();
  await using client = new HandleClient(yard);
  const taskId = await client.handle("codex", { prompt: WORKS });
  await untilWorking(yard, 1);
  await client.kill();
  await release(yard);
  const [agent] = yard.codex.ledger();
  await waitFor(async () => !await isAlive(agent?.pid ?? 0), { message: "the agent to end" });
  const call = JSON.parse(await Deno.readTextFile(join(yard.stateDir, "handles", taskId, "call.json")));
  await waitFor(async () => (await Deno.readTextFile(join(yard.task(call.taskIds[0]), "exit"))).endsWith("\n"), {
    message: "its exit to be noted",
  });
  await using next = new HandleClient(yard);
  const { status, result } = await next.get(taskId);
  assert.deepEqual([status, result?.structuredContent.content], ["completed", "done"]);
});

Deno.test(
  { name: "a wait goes on after its server was killed: for the first end, or to its own time", ignore },
  async () => {
    await using yard = await serversYard();
    const options = { env: { CODEX_SWARM_MIN_WAIT: "0" } };
    await using client = new HandleClient(yard, options);
    const ids: string[] = [];
    for (const name of ["a", "b"]) {
      const { structuredContent } = await client.call("codex_async", {
        prompt: `fake:hold(${name}) fake:say(${name})`,
      });
      ids.push(structuredContent.task_id);
    }
    const any = await client.handle("codex_wait", { task_ids: ids, until: "any" });
    const timed = await client.handle("codex_wait", { task_ids: ids, timeout: 3 });
    const long = await client.handle("codex_wait", { task_ids: ids, timeout: null });
    const { kept: { ends_at } } = JSON.parse(
      await Deno.readTextFile(join(yard.stateDir, "handles", timed, "call.json")),
    );
    await client.kill();

    await using next = new HandleClient(yard, options);
    for (const taskId of [any, long]) assert.equal((await next.get(taskId)).status, "working");
    await release(yard, "a");
    const first = await next.ended(any);
    assert.deepEqual([first.result.structuredContent.cursor, first.result.structuredContent.running], [
      ids[0],
      ids.slice(1),
    ]);
    const over = await next.ended(timed);
    assert.match(over.result.structuredContent.next, /^STILL RUNNING/);
    assert.ok(Date.parse(over.lastUpdatedAt) >= ends_at);
    await next.kill();
    await using last = new HandleClient(yard, options);
    assert.deepEqual(await last.get(timed), over);
    assert.equal((await last.get(long)).status, "working");
    await release(yard, "b");
    assert.deepEqual((await last.ended(long)).result.structuredContent.running, []);
  },
);

Deno.test({ name: "a handle is cancelled through another server, and stays so after a kill", ignore }, async () => {
  await using yard = await serversYard();
  await using one = new HandleClient(yard);
  await using two = new HandleClient(yard);
  const taskId = await one.handle("codex", { prompt: WORKS });
  await untilWorking(yard, 1);
  assert.equal((await two.get(taskId)).status, "working");
  await two.request("tasks/cancel", { taskId });
  const [agent] = yard.codex.ledger();
  await waitFor(async () => !await isAlive(agent?.pid ?? 0), { message: "the agent to end" });
  await two.kill();
  await using three = new HandleClient(yard);
  for (const client of [one, three]) assert.equal((await client.get(taskId)).status, "cancelled");
  const { structuredContent: { tasks } } = await three.call("codex_status", { all: true });
  assert.deepEqual(tasks.map(({ status }: { status: string }) => status), ["cancelled"]);
});

/** Leaves calls as a server does that is killed when it has noted that they are cancelled, and has stopped nothing. */
async function leaveCancelled(yard: ServersYard, client: HandleClient, taskIds: readonly string[]): Promise<void> {
  await client.kill();
  const end = { status: "cancelled", endedAt: new Date() };
  for (const taskId of taskIds) {
    await Deno.writeTextFile(join(yard.stateDir, "handles", taskId, "end.json"), JSON.stringify(end));
  }
}

async function untilGone(yard: ServersYard): Promise<void> {
  const agents = yard.codex.ledger();
  await waitFor(async () => !(await Promise.all(agents.map(({ pid }) => isAlive(pid)))).includes(true), {
    message: "the agents to end",
  });
}

Deno.test(
  { name: "the next server stops the agents of calls whose server was killed before it had stopped them", ignore },
  async () => {
    await using yard = await serversYard();
    await using client = new HandleClient(yard);
    const cancelled = [
      await client.handle("codex", { prompt: WORKS }),
      await client.handle("spawn_agents_parallel", { agents: [{ prompt: WORKS }, { prompt: WORKS }] }),
    ];
    await untilWorking(yard, 3);
    await leaveCancelled(yard, client, cancelled);
    await using next = new HandleClient(yard);
    await next.request("server/discover", {});
    // Nobody asks for them.
    await untilGone(yard);
    await waitFor(async () => {
      const { structuredContent: { tasks } } = await next.call("codex_status", { all: true });
      return tasks.every(({ status }: { status: string }) => status === "cancelled");
    }, { message: "the tasks to be cancelled" });
    assert.equal(next.process.stderr, "");
  },
);

Deno.test(
  {
    name: "a server that lives stops the agents of cancelled calls whose server was killed, and no other ones",
    ignore,
  },
  async () => {
    await using yard = await serversYard();
    await using client = new HandleClient(yard);
    await using other = new HandleClient(yard, { args: ["--read-only"] });
    await other.request("server/discover", {});
    const cancelled = await client.handle("codex", { prompt: WORKS });
    const { structuredContent: { task_id } } = await client.call("codex_async", {
      prompt: "fake:hold(go) fake:say(x)",
    });
    const waiting = await client.handle("codex_wait", { task_ids: [task_id] });
    await untilWorking(yard, 2);
    const { taskIds: [stopped] } = JSON.parse(
      await Deno.readTextFile(join(yard.stateDir, "handles", cancelled, "call.json")),
    );
    await leaveCancelled(yard, client, [cancelled, waiting]);
    for (const taskId of [waiting, cancelled]) assert.equal((await other.get(taskId)).status, "cancelled");
    const statuses = async (): Promise<string[]> => {
      const { structuredContent: { tasks } } = await other.call("codex_status", { task_ids: [stopped, task_id] });
      return tasks.map(({ status }: { status: string }) => status);
    };
    await waitFor(async () => (await statuses())[0] === "cancelled", { message: "the agent to be stopped" });
    // Who cancels a wait stops nothing.
    assert.equal((await statuses())[1], "running");
    await release(yard);
    await waitFor(async () => (await statuses())[1] === "completed", { message: "the other one to end" });
  },
);

Deno.test({ name: "two servers give one answer to a handle, whichever is asked first", ignore }, async () => {
  await using yard = await serversYard();
  await using one = new HandleClient(yard);
  await using two = new HandleClient(yard);
  const taskId = await one.handle("codex", { prompt: WORKS });
  await untilWorking(yard, 1);
  assert.equal((await two.get(taskId)).status, "working");
  await release(yard);
  const ends = await Promise.all([one.ended(taskId), two.ended(taskId)]);
  assert.deepEqual(ends[0], ends[1]);
});

Deno.test(
  { name: "a call that is cancelled before it has a handle starts no agent, or stops it", ignore },
  async () => {
    await using yard = await serversYard();
    await using client = new HandleClient(yard);
    const id = await client.send("tools/call", { name: "codex", arguments: { prompt: WORKS } });
    await client.process.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: id } });
    // Answered after it, so that it has been seen.
    await client.request("server/discover", {});
    const { structuredContent: { tasks } } = await waitFor(async () => {
      const status = await client.call("codex_status", { all: true });
      return status.structuredContent.tasks.some((task: { status: string }) => task.status !== "cancelled")
        ? null
        : status;
    }, { message: "no agent to be left" });
    assert.ok(tasks.length <= 1);
  },
);

Deno.test({ name: "what is cancelled and asked for at the same time has one end, and keeps it", ignore }, async () => {
  await using yard = await serversYard();
  await using client = new HandleClient(yard);
  await using other = new HandleClient(yard);
  for (let index = 0; index < 5; index++) {
    const taskId = await client.handle("codex", { prompt: `fake:hold(go${index}) fake:say(done)` });
    await waitFor(() => yard.codex.ledger().length === index + 1, { message: "the agent to work" });
    const asked = other.send("tasks/get", { taskId });
    await release(yard, `go${index}`);
    await Promise.all([
      client.request("tasks/cancel", { taskId }),
      other.answer(await asked),
      other.request("tasks/cancel", { taskId }),
      client.request("tasks/get", { taskId }),
    ]);
    const { status } = await client.ended(taskId);
    assert.equal((await other.ended(taskId)).status, status);
    assert.equal((await client.ended(taskId)).status, status);
  }
});

Deno.test(
  { name: "a handle that was given over HTTP is good after a restart, over HTTP and over stdio", ignore },
  async () => {
    await using yard = await serversYard();
    const start = (): Promise<HttpServerProcess> => startHttpServer({ ...yard, listen: ["--port", "0"] });
    let taskId = "";
    {
      await using server = await start();
      const { result } = await requestOverHttp(server, "tools/call", { name: "codex", arguments: { prompt: WORKS } });
      assert.deepEqual([result.resultType, result.status], ["task", "working"]);
      taskId = result.taskId;
      await untilWorking(yard, 1);
      server.kill("SIGKILL");
      await server.ended;
    }
    await using server = await start();
    assert.equal((await requestOverHttp(server, "tasks/get", { taskId })).result.status, "working");
    await release(yard);
    const ended = await waitFor(async () => {
      const { result } = await requestOverHttp(server, "tasks/get", { taskId });
      return result.status === "working" ? null : result;
    }, { message: "the end" });
    assert.deepEqual([ended.status, ended.result.structuredContent.content], ["completed", "done"]);
    await using client = new HandleClient(yard);
    assert.deepEqual(await client.get(taskId), ended);
    const { error } = await requestOverHttp(server, "tasks/cancel", { taskId: crypto.randomUUID() });
    assert.equal(error.code, -32602);
  },
);
