import assert from "node:assert/strict";
import { startHttpServer } from "../helpers/http_server.ts";
import { waitFor } from "../helpers/wait_for.ts";

const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "1" } },
};

Deno.test("clients of both eras share one server over HTTP, and see the same tasks", async () => {
  await using server = await startHttpServer();
  await using old = await server.connect({ era: "2025" });
  await using recent = await server.connect({ era: "2026" });
  const { structured: { task_id } } = await old.call("codex_async", { prompt: "fake:say(hello)" });
  const { structured } = await recent.call("codex_wait", { task_ids: [task_id] });
  assert.deepEqual([structured.tasks[0].answer, structured.tasks[0].status], ["hello", "completed"]);
  const { tools: listed } = await old.client.listTools();
  assert.deepEqual((await recent.client.listTools()).tools.map(({ name }) => name), listed.map(({ name }) => name));
});

Deno.test("every request over HTTP has the status that says what is wrong with it", async (t) => {
  await using server = await startHttpServer({
    args: ["--allowed-host", "swarm.test", "--allowed-origin", "https://a.test"],
  });
  const body = JSON.stringify(INITIALIZE);
  const post = { method: "POST", body };
  const cases: readonly [status: number, what: string, init: RequestInit, path?: string][] = [
    [200, "as it should be", post],
    [200, "a known origin", { ...post, headers: { origin: "https://a.test" } }],
    [200, "an origin of this machine", { ...post, headers: { origin: "http://localhost:6274" } }],
    [204, "what a browser asks first", { method: "OPTIONS", headers: { origin: "https://a.test", authorization: "" } }],
    [403, "another origin", { ...post, headers: { origin: "https://evil.test" } }],
    [403, "an origin of no page", { ...post, headers: { origin: "null" } }],
    [403, "an origin that only looks like a known one", { ...post, headers: { origin: "https://a.test.evil.test" } }],
    [401, "no token", { ...post, headers: { authorization: "" } }],
    [403, "another origin without a token", { ...post, headers: { origin: "https://evil.test", authorization: "" } }],
    [401, "the end of a session without a token", { method: "DELETE", headers: { authorization: "" } }],
    [401, "a stream without a token", { method: "GET", headers: { authorization: "" } }],
    [401, "another token", { ...post, headers: { authorization: "Bearer nope" } }],
    [401, "another scheme", { ...post, headers: { authorization: `Basic ${server.token}` } }],
    [404, "another path", post, "/"],
    [404, "where clients look for a login", { method: "GET" }, "/.well-known/oauth-protected-resource"],
    [405, "another method", { method: "PUT", body }],
    [405, "a health check that is none", post, "/healthz"],
    [415, "another content type", { ...post, headers: { "content-type": "text/plain" } }],
    [413, "a body that is too large", { method: "POST", body: `"${"x".repeat(5_000_000)}"` }],
    [400, "no JSON", { method: "POST", body: "{" }],
    [400, "an empty body", { method: "POST", body: "" }],
    [400, "JSON that is nested too deeply", {
      method: "POST",
      body: JSON.stringify(INITIALIZE).replace(
        '"capabilities":{}',
        `"capabilities":${"[".repeat(5_000)}${"]".repeat(5_000)}`,
      ),
    }],
    [400, "a batch", { method: "POST", body: `[${body}]` }],
    [400, "an initialize without its parameters", {
      method: "POST",
      body: '{"jsonrpc":"2.0","id":1,"method":"initialize"}',
    }],
    [400, "a session that was not begun", { method: "POST", body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' }],
    [404, "a session that is not there", {
      method: "POST",
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
      headers: { "mcp-session-id": crypto.randomUUID() },
    }],
  ];
  for (const [status, what, init, path] of cases) {
    await t.step(`${status} for ${what}`, async () => {
      const response = await server.send(init, path);
      const text = await response.text();
      assert.equal(response.status, status, text);
      if (status >= 400) assert.ok(JSON.parse(text).error.message.length > 20, text);
      assert.equal(response.headers.has("www-authenticate"), status === 401);
    });
  }
});

Deno.test("a request under another name than the server's is refused, whatever else it has", async () => {
  await using server = await startHttpServer({ args: ["--allowed-host", "swarm.test"] });
  const ask = async (host: string): Promise<string> => {
    const text = await server.sendRaw(`GET /healthz HTTP/1.1\r\n${host}Connection: close\r\n\r\n`);
    return text.split(" ", 2)[1] ?? "";
  };
  const known = ["localhost", "127.0.0.1:7077", "[::1]:80", "SWARM.test:80"];
  const strange = ["evil.test", "swarm.test.evil.test", "localhost@evil.test", "evil.test#localhost", "localhost:", ""];
  assert.deepEqual(await Promise.all(known.map((host) => ask(`Host: ${host}\r\n`))), known.map(() => "200"));
  assert.deepEqual(await Promise.all(strange.map((host) => ask(`Host: ${host}\r\n`))), strange.map(() => "403"));
  const twice = ["Host: localhost\r\nHost: evil.test\r\n", "Host: localhost\r\nhost: localhost\r\n"];
  assert.deepEqual(await Promise.all(twice.map(ask)), twice.map(() => "400"));
});

Deno.test({ name: "a server can be called at the URL that it names", ignore: Deno.build.os !== "linux" }, async () => {
  await using server = await startHttpServer({ listen: ["127.0.0.2:0"] });
  assert.equal(new URL(server.url).hostname, "127.0.0.2");
  for (const era of ["2025", "2026"] as const) {
    await using client = await server.connect({ era });
    assert.ok((await client.client.listTools()).tools.length > 0);
  }
});

Deno.test("strangers keep no connection: not for the health of a server, nor for what a browser asks first", async () => {
  await using server = await startHttpServer();
  const ask = async (first: string): Promise<number> => {
    const head = `${first} HTTP/1.1\r\nHost: localhost\r\n`;
    const text = await server.sendRaw(`${head}\r\n${head}Connection: close\r\n\r\n`);
    return text.split("HTTP/1.1 ").length - 1;
  };
  assert.deepEqual(await Promise.all(["GET /healthz", "HEAD /healthz", "OPTIONS /mcp"].map(ask)), [1, 1, 1]);
  // Who has the token does (control).
  assert.equal(await ask(`GET /mcp HTTP/1.1\r\nAuthorization: Bearer ${server.token}\r\nX-Rest:`), 2);
});

Deno.test("web pages of allowed origins read what the server says, and those of others nothing", async () => {
  await using server = await startHttpServer({ args: ["--allowed-origin", "https://a.test"] });
  const body = JSON.stringify(INITIALIZE);
  const headersOf = async (init: RequestInit): Promise<Record<string, string>> => {
    const response = await server.send(init);
    await response.text();
    return Object.fromEntries(
      [...response.headers].filter(([name]) => name.startsWith("access-control-") || name === "vary"),
    );
  };
  const headers = { origin: "https://a.test" };
  const known = {
    "access-control-allow-origin": "https://a.test",
    "access-control-expose-headers": "Mcp-Session-Id, Retry-After, WWW-Authenticate",
    vary: "Origin",
  };
  assert.deepEqual(await headersOf({ method: "POST", body, headers }), known);
  // It is to learn of refusals, too.
  assert.deepEqual(await headersOf({ method: "POST", body, headers: { ...headers, authorization: "" } }), known);
  assert.deepEqual(await headersOf({ method: "OPTIONS", headers: { ...headers, authorization: "" } }), {
    ...known,
    "access-control-allow-methods": "GET, POST, DELETE",
    "access-control-allow-headers": "Authorization, Content-Type, Accept, Mcp-Session-Id, MCP-Protocol-Version, " +
      "Mcp-Method, Mcp-Name, Last-Event-ID",
    "access-control-max-age": "600",
  });
  for (const method of ["POST", "OPTIONS"]) {
    const init = method === "POST" ? { method, body } : { method };
    assert.deepEqual(await headersOf({ ...init, headers: { origin: "https://evil.test" } }), { vary: "Origin" });
    assert.deepEqual(await headersOf(init), { vary: "Origin" });
  }
});

Deno.test("without --no-token nobody gets in without the token, and with it everybody does (control)", async () => {
  await using server = await startHttpServer({ args: ["--no-token"] });
  assert.equal(server.token, null);
  await waitFor(() => server.stderr().includes("no token is asked for"), { message: "the server to say so" });
  const response = await server.send({ method: "POST", body: JSON.stringify(INITIALIZE) });
  assert.equal(response.status, 200);
  await response.text();
});

Deno.test("the health of a server is told without the token, and holds nothing secret", async () => {
  await using server = await startHttpServer();
  await using _client = await server.connect();
  const response = await server.send({ headers: { authorization: "" } }, "/healthz");
  const { version, ...health } = await response.json();
  assert.match(version, /^\d+\.\d+\.\d+/);
  assert.deepEqual(health, { status: "ok", agents: 0, calls: 0, sessions: 1 });
});

Deno.test("a client that ends its session is forgotten", async () => {
  await using server = await startHttpServer();
  const begun = await server.send({ method: "POST", body: JSON.stringify(INITIALIZE) });
  await begun.text();
  const headers = { "mcp-session-id": begun.headers.get("mcp-session-id") ?? "" };
  const list = { method: "POST", body: '{"jsonrpc":"2.0","id":2,"method":"tools/list"}', headers };
  const listed = await server.send(list);
  assert.match(await listed.text(), /codex_async/);
  const ended = await server.send({ method: "DELETE", headers });
  assert.equal(ended.status, 200);
  await ended.text();
  const after = await server.send(list);
  assert.equal(after.status, 404);
  await after.text();
});

Deno.test("what a client cannot hear any more is not waited for, and the agent goes on", async () => {
  await using server = await startHttpServer();
  await using client = await server.connect();
  const { structured: { task_id } } = await client.call("codex_async", { prompt: "fake:hold(go) fake:say(done)" });
  const waiting = async (): Promise<number> => (await (await server.send({}, "/healthz")).json()).calls;
  for (const era of ["2025", "2026"] as const) {
    const leaver = await server.connect({ era });
    const wait = leaver.call("codex_wait", { task_ids: [task_id] });
    wait.catch(() => {});
    await waitFor(async () => await waiting() === 1, { message: `the ${era} client's call to wait` });
    await leaver.client.close();
    await assert.rejects(wait);
    await waitFor(async () => await waiting() === 0, { message: `the ${era} client's call to be over` });
  }
  await Deno.writeTextFile(`${server.cwd}/go`, "");
  const { structured } = await client.call("codex_wait", { task_ids: [task_id] });
  assert.equal(structured.tasks[0].answer, "done");
});

Deno.test("the head of an answer comes at once, though the call is held and asks for no progress", async (t) => {
  await using server = await startHttpServer();
  await using watcher = await server.connect();
  for (const era of ["2025", "2026"] as const) {
    await t.step(`${era} era`, async () => {
      const { structured: { task_id } } = await watcher.call("codex_async", {
        prompt: `fake:hold(${era}) fake:say(done)`,
      });
      let hasHead = false;
      await using client = await server.connect({
        era,
        fetch: async (input, init) => {
          const response = await fetch(input, init);
          if (`${init?.body}`.includes("codex_wait")) hasHead = true;
          return response;
        },
      });
      const wait = client.call("codex_wait", { task_ids: [task_id] });
      wait.catch(() => {});
      // Nothing but this lets the agent go on.
      // Later a sign of life of the stream would bring its head, too.
      await waitFor(() => hasHead, { message: "the head of the answer", timeoutMs: 10_000 });
      await Deno.writeTextFile(`${server.cwd}/${era}`, "");
      const { structured: { tasks: [task] } } = await wait;
      assert.deepEqual([task.status, task.answer], ["completed", "done"]);
    });
  }
});

Deno.test("a call is stopped by its client's cancellation in either era, and so is its agent", async () => {
  await using server = await startHttpServer();
  for (const era of ["2025", "2026"] as const) {
    await using client = await server.connect({ era });
    const cancelled = new AbortController();
    const call = client.call("codex", { prompt: `fake:hold(${era})`, label: era }, { signal: cancelled.signal });
    const find = async (): Promise<{ readonly status: string } | undefined> => {
      const { structured } = await client.call("codex_status");
      return structured.tasks.find(({ label }: { readonly label?: string }) => label === era);
    };
    await waitFor(async () => (await find())?.status === "running", { message: "the agent to run" });
    cancelled.abort();
    await assert.rejects(call);
    await waitFor(async () => (await find())?.status === "cancelled", { message: "the agent to be stopped" });
  }
});
