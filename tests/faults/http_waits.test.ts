/** Waits over HTTP: clients with little patience, clients that die, and a server that is ended meanwhile. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readNotedRun } from "../../src/process/run_files.ts";
import { median } from "../bench/statistics.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { requestOverHttp } from "../helpers/handles.ts";
import { type HttpClient, type HttpServerProcess, startHttpServer } from "../helpers/http_server.ts";
import type { Answer } from "../helpers/swarm.ts";
import { isAlive } from "../helpers/processes.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";
const STREAMS = 20;
const ROUNDS = 3;

/** What a server tells everybody about itself. */
interface Health {
  readonly agents: number;
  readonly calls: number;
  readonly sessions: number;
}

async function health(server: HttpServerProcess): Promise<Health> {
  return await (await server.send({}, "/healthz")).json();
}

async function hold(server: HttpServerProcess): Promise<{ readonly id: string; readonly pid: number }> {
  await using client = await server.connect();
  const { structured } = await client.call("codex_async", { prompt: "fake:hold(go) fake:say(done)" });
  const id = structured.task_id;
  const noted = await waitFor(() => readNotedRun(join(server.stateDir, "tasks", id)), { message: "the agent to run" });
  return { id, pid: noted.agent.pid };
}

/** A client as a process of its own, which waits for what a tool answers until it is killed. */
function startClient(
  server: HttpServerProcess,
  era: "2025" | "2026",
  call: { readonly name: string; readonly arguments: Readonly<Record<string, unknown>> },
): Deno.ChildProcess {
  const code = `
    import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
    const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode: "${
    era === "2026" ? "auto" : "legacy"
  }" } });
    const headers = { authorization: "Bearer ${server.token}" };
    await client.connect(new StreamableHTTPClientTransport(new URL("${server.url}"), { requestInit: { headers } }));
    await client.callTool(${JSON.stringify(call)});`;
  return new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", code],
    cwd: new URL("../../", import.meta.url),
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

for (const era of ["2025", "2026"] as const) {
  Deno.test(
    { name: `a client of the ${era} era that dies leaves no call behind, and its agent goes on`, ignore },
    async () => {
      await using server = await startHttpServer();
      const { id, pid } = await hold(server);
      const client = startClient(server, era, { name: "codex_wait", arguments: { task_ids: [id] } });
      await waitFor(async () => (await health(server)).calls === 1, { message: "the client to wait" });
      client.kill("SIGKILL");
      await client.status;
      await waitFor(async () => (await health(server)).calls === 0, { message: "the call to be over" });
      assert.equal(await isAlive(pid), true);
      await using next = await server.connect({ era });
      await Deno.writeTextFile(`${server.cwd}/go`, "");
      const { structured } = await next.call("codex_wait", { task_ids: [id] });
      assert.equal(structured.tasks[0].answer, "done");
    },
  );
}

for (
  const [how, leave] of [
    // The transport alone: no word of a cancellation.
    ["dies", async ({ client }: HttpClient): Promise<void> => await client.transport?.close()],
    ["ends its session", async ({ client, endSession }: HttpClient): Promise<void> => {
      await endSession();
      await client.close();
    }],
  ] as const
) {
  Deno.test(
    { name: `a blocking call of a client of the 2025 era that ${how} leaves its agent at work`, ignore },
    async () => {
      await using server = await startHttpServer();
      await using watcher = await server.connect();
      const leaver = await server.connect({ era: "2025" });
      const call = leaver.call("codex", { prompt: "fake:hold(go) fake:say(done)" });
      const id = await waitFor(async () => {
        const { structured } = await watcher.call("codex_status");
        return structured.tasks.find(({ status }: { readonly status: string }) => status === "running")?.task_id;
      }, { message: "the agent to run" });
      await leave(leaver);
      await assert.rejects(call);
      await waitFor(async () => (await health(server)).calls === 0, { message: "the call to be over" });
      await Deno.writeTextFile(`${server.cwd}/go`, "");
      const { structured } = await watcher.call("codex_wait", { task_ids: [id] });
      assert.deepEqual([structured.tasks[0].status, structured.tasks[0].answer], ["completed", "done"]);
    },
  );
}

const WORKS = "fake:hold(go) fake:say(done)";

/** How all tasks stand. */
async function statuses(client: HttpClient): Promise<string[]> {
  const { structured } = await client.call("codex_status");
  return structured.tasks.map(({ status }: { readonly status: string }) => status).toSorted();
}

Deno.test(
  { name: "a connection of the 2026 era that breaks under a call with a key stops no agent, which is joined", ignore },
  async (t) => {
    for (
      const [name, args] of [
        ["codex", { prompt: WORKS }],
        ["codex_reply", { prompt: WORKS, threadId: "" }],
        ["spawn_agent", { prompt: WORKS }],
        ["spawn_agents_parallel", { agents: [{ prompt: WORKS }] }],
      ] as const
    ) {
      await t.step(name, async () => {
        await using codex = await installFakeCodex();
        await using server = await startHttpServer({ codex });
        await using next = await server.connect({ era: "2026" });
        const { structured: { threadId } } = await next.call("codex", { prompt: "fake:say(first)" });
        const given = { ...args, ..."threadId" in args ? { threadId } : {} };
        const leaver = startClient(server, "2026", { name, arguments: { ...given, requestKey: "mine" } });
        await waitFor(() => codex.ledger().length === 2, { message: "the agent to work" });
        leaver.kill("SIGKILL");
        await leaver.status;
        await waitFor(async () => (await health(server)).calls === 0, { message: "the call to be over" });
        assert.deepEqual(await statuses(next), ["completed", "running"]);
        const again = next.call(name, { ...given, "request-key": "mine" });
        await waitFor(async () => (await health(server)).calls === 1, { message: "the next call to wait" });
        await Deno.writeTextFile(`${server.cwd}/go`, "");
        const { text, isError } = await again;
        assert.equal(isError, false, text);
        assert.match(text, /done/);
        assert.equal(codex.ledger().length, 2);
      });
    }
  },
);

Deno.test({ name: "what is cancelled, or only can be by breaking its connection, is stopped", ignore }, async () => {
  for (
    const [era, key, declares] of [
      // To close the connection is to cancel in the 2026 era: nobody can come back for this one (control).
      ["2026", {}, false],
      ["2025", { "request-key": "mine" }, false],
      ["2026", { "request-key": "mine" }, true],
    ] as const
  ) {
    await using codex = await installFakeCodex();
    await using server = await startHttpServer({ codex });
    await using client = await server.connect({ era });
    const call = { prompt: WORKS, ...key };
    const untilWorking = (): Promise<unknown> =>
      waitFor(() => codex.ledger().length === 1, { message: "the agent to work" });
    if (declares) {
      const { result: { taskId } } = await requestOverHttp(server, "tools/call", { name: "codex", arguments: call });
      await untilWorking();
      await requestOverHttp(server, "tasks/cancel", { taskId });
    } else {
      const cancelling = new AbortController();
      const cancelled = client.call("codex", call, { signal: cancelling.signal });
      await untilWorking();
      cancelling.abort();
      await assert.rejects(cancelled);
    }
    await waitFor(async () => (await statuses(client)).join() === "cancelled", {
      message: `the agent to be stopped: ${era}`,
    });
  }
});

Deno.test({ name: `SIGTERM ends a server with ${STREAMS} streams in less than two seconds`, ignore }, async () => {
  const tookMs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await using server = await startHttpServer();
    const { id, pid } = await hold(server);
    const waits: Promise<Answer>[] = [];
    const listens: Promise<string>[] = [];
    for (let index = 0; index < STREAMS - 1; index++) {
      const client = await server.connect({ era: index % 2 === 0 ? "2025" : "2026" });
      if (index % 4 === 3) {
        const { closed } = await client.client.listen({ resourceSubscriptions: ["codex-swarm:///tasks"] });
        listens.push(closed);
      } else {
        waits.push(client.call("codex_wait", { task_ids: [id] }, { onProgress: () => {} }));
      }
    }
    const blocked = (await server.connect()).call("codex", { prompt: "fake:hold(never)" });
    await waitFor(async () => (await health(server)).calls === waits.length + 1, { message: "all clients to wait" });
    await waitFor(async () => (await health(server)).agents === 2, { message: "the agent of the call to run" });
    const from = performance.now();
    server.kill("SIGTERM");
    const { code } = await server.ended;
    tookMs.push(performance.now() - from);
    assert.equal(code, 0);
    // Nobody is left waiting for a server that is gone.
    for (const { structured } of await Promise.all(waits)) assert.deepEqual(structured.running, [id]);
    assert.deepEqual(await Promise.all(listens), listens.map(() => "graceful"));
    const { isError, structured } = await blocked;
    assert.deepEqual([isError, structured.status], [true, "interrupted"]);
    // What is detached works on.
    assert.equal(await isAlive(pid), true);
    await Deno.writeTextFile(`${server.cwd}/go`, "");
  }
  // Neither a moment in which the machine does something else nor a lucky one decides.
  assert.ok(median(tookMs) < 2_000, tookMs.map(Math.round).join(", "));
});

Deno.test(
  { name: "a signal that comes twice at once ends a server properly, a later one at once", ignore },
  async () => {
    await using server = await startHttpServer();
    // One that takes its time to end: signals alone do not.
    const { id, pid } = await hold(server);
    const prompt = "fake:ignore_term fake:say(stubborn) fake:hold(never)";
    const caller = await server.connect();
    const stubborn = caller.call("codex", { prompt }).catch(() => null);
    const looking = await server.connect();
    await waitFor(async () => {
      const { structured: { tasks: all } } = await looking.call("codex_status", {});
      const ids = all.map(({ task_id }: { readonly task_id: string }) => task_id);
      const { structured: { tasks } } = await looking.call("codex_status", { task_ids: ids });
      return tasks.some(({ answer }: { readonly answer?: string }) => answer === "stubborn");
    }, { message: "the other agent to ignore signals" });
    const waiting = (await server.connect()).call("codex_wait", { task_ids: [id] }, { onProgress: () => {} });
    await waitFor(async () => (await health(server)).calls === 2, { message: "both clients to wait" });
    // As from a terminal and from who has started the program.
    server.kill("SIGINT");
    server.kill("SIGTERM");
    assert.deepEqual((await waiting).structured.running, [id]);
    let code: number | null = null;
    const ended = server.ended.then((status) => code = status.code);
    await waitFor(() => {
      if (code === null) server.kill("SIGINT");
      return Promise.resolve(code !== null);
    }, { message: "the server to end at once" });
    await ended;
    assert.equal(code, 1);
    await caller.client.close();
    await stubborn;
    assert.equal(await isAlive(pid), true);
    await Deno.writeTextFile(`${server.cwd}/go`, "");
  },
);
