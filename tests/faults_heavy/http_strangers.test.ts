/** Strangers and broken clients who send a server over HTTP whatever they like. */
import assert from "node:assert/strict";
import { installQuickCodex } from "../helpers/fake_codex.ts";
import { makeGate } from "../helpers/gate.ts";
import { type HttpServerProcess, startHttpServer } from "../helpers/http_server.ts";
import { isAlive, residentKib } from "../helpers/processes.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";
const AGENTS = 20;
const REQUESTS = 500;
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
  for (let index = 0; index < REQUESTS; index++) {
    if (index % 10 === 0) {
      const connection = open.use(await Deno.connect({ hostname, port: Number(port) }));
      await connection.write(new TextEncoder().encode(halves[index / 10 % halves.length] ?? ""));
      assert.equal(await sendEvilHost(server), "403");
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
  await gate.open(AGENTS);
  const ends = await client.call("codex_wait", { task_ids: ids });
  const codes = ends.structured.tasks.map(({ exit_code }: { readonly exit_code: number }) => exit_code);
  assert.deepEqual(codes, Array.from({ length: AGENTS }, (_, index) => index));
});

Deno.test({ name: "a connection that never says what it wants is ended", ignore }, async () => {
  await using server = await startHttpServer();
  const ends = await Promise.all(HALF_OPEN(server.token).map((half) => server.sendRaw(half)));
  assert.deepEqual(ends.map((text) => text.split(" ", 2)[1]), ["408", "408", "408", "401"]);
});
