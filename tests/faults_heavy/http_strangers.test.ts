/** Strangers and broken clients who send a server over HTTP whatever they like. */
import assert from "node:assert/strict";
import type { Client } from "@modelcontextprotocol/client";
import { installQuickCodex } from "../helpers/fake_codex.ts";
import { makeGate } from "../helpers/gate.ts";
import { type HttpServerProcess, startHttpServer } from "../helpers/http_server.ts";
import { isAlive, residentKib } from "../helpers/processes.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";
const AGENTS = 20;
const REQUESTS = 500;
/** Streams that are open meanwhile, and after how many requests there is something to be told on them. */
const READ = 14;
const UNREAD = 6;
const CHANGE_EVERY = 50;
const TASKS = "codex-swarm:///tasks";
/** How much more memory the last third of them may find in use than the first. */
const MOST_GROWTH = 1.1;

const INITIALIZE = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "1" } },
});
const LARGE = `"${"x".repeat(5_000_000)}"`;

const KINDS: readonly (readonly [status: number, init: RequestInit])[] = [
  [401, { method: "POST", body: INITIALIZE, headers: { authorization: "" } }],
  [401, { method: "POST", body: INITIALIZE, headers: { authorization: `Bearer ${"0".repeat(64)}` } }],
  [403, { method: "POST", body: INITIALIZE, headers: { origin: "https://evil.test" } }],
  [413, { method: "POST", body: LARGE }],
  [401, { method: "POST", body: LARGE, headers: { authorization: "" } }],
  [400, { method: "POST", body: '{"jsonrpc":' }],
  [400, { method: "POST", body: '{"hello":"world"}' }],
  [200, { method: "POST", body: INITIALIZE }],
];

/** What begins and never ends; the server ends it, or the other end does. */
const HALF_OPEN = (token: string | null): readonly string[] => [
  "",
  "POST /mcp HTTP/1.1\r\nHost: localhost\r\n",
  `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`,
  "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{",
];

async function send(server: HttpServerProcess, index: number): Promise<readonly [expected: number, status: number]> {
  const [expected, init] = KINDS[index % KINDS.length] ?? [0, {}];
  const response = await server.send(init);
  await response.body?.cancel();
  return [expected, response.status];
}

/** Streams on which a server tells of changes, in the way of either era. */
interface Streams extends AsyncDisposable {
  /** How often each client was told that reads its stream. */
  told(): number[];
}

/** Opens some streams whose clients read them, and some of which not even the first byte is taken. */
async function openStreams(server: HttpServerProcess): Promise<Streams> {
  await using begun = new AsyncDisposableStack();
  const counts: number[] = [];
  const count = (client: Client): void => {
    const index = counts.push(0) - 1;
    client.setNotificationHandler("notifications/resources/updated", () => {
      counts[index] = (counts[index] ?? 0) + 1;
    });
  };
  const listens: RequestInit[] = [];
  const recordListens: typeof fetch = (input, init) => {
    if (`${init?.body}`.includes("subscriptions/listen")) listens.push({ ...init, signal: null });
    return fetch(input, init);
  };
  for (let index = 0; index < READ; index++) {
    const era = index % 2 === 0 ? "2025" : "2026";
    const { client } = begun.use(await server.connect({ era, fetch: recordListens }));
    count(client);
    if (era === "2025") await client.subscribeResource({ uri: TASKS });
    else begun.use(await listen(client));
  }
  const [recorded] = listens;
  for (let index = 0; index < UNREAD; index++) {
    const response = index % 2 === 0 ? await sendUnheard(server) : await server.send(recorded ?? {});
    assert.deepEqual([response.status, response.headers.get("content-type")], [200, "text/event-stream"]);
    begun.defer(async () => await response.body?.cancel());
  }
  const streams = begun.move();
  return { told: () => [...counts], [Symbol.asyncDispose]: () => streams.disposeAsync() };
}

async function listen(client: Client): Promise<AsyncDisposable> {
  const subscription = await client.listen({ resourceSubscriptions: [TASKS] });
  return { [Symbol.asyncDispose]: () => subscription.close() };
}

/** Opens the stream of a session of its own, which has subscribed to what the others have. */
async function sendUnheard(server: HttpServerProcess): Promise<Response> {
  const begun = await server.send({ method: "POST", body: INITIALIZE });
  await begun.body?.cancel();
  const headers = { "mcp-session-id": begun.headers.get("mcp-session-id") ?? "" };
  const subscribe = { jsonrpc: "2.0", id: 2, method: "resources/subscribe", params: { uri: TASKS } };
  const subscribed = await server.send({ method: "POST", body: JSON.stringify(subscribe), headers });
  assert.match(await subscribed.text(), /"result":\{\}/);
  return await server.send({ method: "GET", headers });
}

async function sendEvilHost(server: HttpServerProcess): Promise<string> {
  const text = await server.sendRaw(
    `POST /mcp HTTP/1.1\r\nHost: evil.test\r\nContent-Type: application/json\r\nContent-Length: ${INITIALIZE.length}\r\n\r\n${INITIALIZE}`,
  );
  return text.split(" ", 2)[1] ?? "";
}

Deno.test({
  name: `${REQUESTS} bad requests are answered rightly, and take nothing from the server or its agents`,
  ignore,
}, async () => {
  await using gate = await makeGate();
  await using codex = await installQuickCodex();
  await using server = await startHttpServer({ codex, args: ["--max-concurrent", String(AGENTS)] });
  await using client = await server.connect();
  await using streams = await openStreams(server);
  const started = await Promise.all(
    Array.from(
      { length: AGENTS },
      (_, index) => client.call("codex_async", { prompt: `quick: gate=${gate.path} exit=${index}` }),
    ),
  );
  const ids = started.map(({ structured }) => structured.task_id);
  await waitFor(() => codex.ledger().length === AGENTS, { message: "all agents to work" });
  const pids = codex.ledger().map(({ pid }) => pid);
  const { hostname, port } = new URL(server.url);
  const halves = HALF_OPEN(server.token);
  using open = new DisposableStack();
  // Once before anything is measured: what is loaded at first use is no leak.
  for (let index = 0; index < 3 * KINDS.length; index++) await send(server, index);
  const residents: number[] = [];
  /** What waits until the agents are done. */
  const later: string[] = [];
  for (let index = 0; index < REQUESTS; index++) {
    if (index % 10 === 0) {
      const connection = open.use(await Deno.connect({ hostname, port: Number(port) }));
      await connection.write(new TextEncoder().encode(halves[index / 10 % halves.length] ?? ""));
      assert.equal(await sendEvilHost(server), "403");
    }
    if (index % CHANGE_EVERY === 0) {
      later.push((await client.call("codex_async", { prompt: "quick:" })).structured.task_id);
    }
    const [expected, status] = await send(server, index);
    assert.equal(status, expected, `request ${index}`);
    residents.push(await residentKib(server.pid));
  }
  const third = Math.floor(REQUESTS / 3);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const growth = mean(residents.slice(-third)) / mean(residents.slice(0, third));
  await Deno.stderr.write(new TextEncoder().encode(`resident memory grew by a factor of ${growth.toFixed(3)}\n`));
  assert.ok(growth <= MOST_GROWTH, `${growth}`);
  assert.deepEqual([...new Set(await Promise.all(pids.map(isAlive)))], [true]);
  const before = streams.told();
  assert.ok(before.every((times) => times > 0), `${before}`);
  await gate.open(AGENTS);
  const ends = await client.call("codex_wait", { task_ids: ids });
  const codes = ends.structured.tasks.map(({ exit_code }: { readonly exit_code: number }) => exit_code);
  assert.deepEqual(codes, Array.from({ length: AGENTS }, (_, index) => index));
  await client.call("codex_wait", { task_ids: later });
  await waitFor(() => streams.told().every((times, index) => times > (before[index] ?? 0)), {
    message: "all who listen to be told of the ends",
  });
});

Deno.test({ name: "a connection that never says what it wants is ended", ignore }, async () => {
  await using server = await startHttpServer();
  const ends = await Promise.all(HALF_OPEN(server.token).map((half) => server.sendRaw(half)));
  assert.deepEqual(ends.map((text) => text.split(" ", 2)[1]), ["408", "408", "408", "401"]);
});
