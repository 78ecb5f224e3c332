import assert from "node:assert/strict";
import { Server } from "@modelcontextprotocol/server";
import { Sessions, type SessionsOptions } from "../../../src/server/http/sessions.ts";
import { SILENT } from "../../helpers/silent_log.ts";
import { waitFor } from "../../helpers/wait_for.ts";

const MAX = 256;
const MINUTE = 60_000;
const CALL = { jsonrpc: "2.0", id: 3, method: "tools/call", params: { name: "any", arguments: {} } };

/** Sessions of servers whose calls are answered when that is said, under a clock that is set by hand. */
function makeSessions(
  options: Pick<SessionsOptions, "sweepEveryMs"> = {},
): { sessions: Sessions; clock: { ms: number }; answerCalls: () => void } {
  const clock = { ms: 0 };
  const { promise: answered, resolve: answerCalls } = Promise.withResolvers<void>();
  const makeServer = (): Promise<Server> => {
    const server = new Server({ name: "test", version: "1" }, { capabilities: { tools: {} } });
    server.setRequestHandler("tools/call", () => answered.then(() => ({ content: [] })));
    return Promise.resolve(server);
  };
  return { sessions: new Sessions({ makeServer, log: SILENT, now: () => clock.ms, ...options }), clock, answerCalls };
}

function request(method: string, id?: string): Request {
  const headers = {
    accept: "application/json, text/event-stream",
    "content-type": "application/json",
    ...(id === undefined ? {} : { "mcp-session-id": id }),
  };
  return new Request("http://localhost/mcp", { method, headers });
}

async function begin(sessions: Sessions): Promise<{ status: number; id: string }> {
  const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "c", version: "1" } };
  const response = await sessions.handle(request("POST"), { jsonrpc: "2.0", id: 1, method: "initialize", params });
  await response.text();
  return { status: response.status, id: response.headers.get("mcp-session-id") ?? "" };
}

async function ping(sessions: Sessions, id: string): Promise<number> {
  const response = await sessions.handle(request("POST", id), { jsonrpc: "2.0", id: 2, method: "ping" });
  await response.text();
  return response.status;
}

Deno.test("Sessions holds only so many, also of those that begin in the same moment", async () => {
  const { sessions, clock } = makeSessions();
  const begun = await Promise.all(Array.from({ length: MAX + 10 }, () => begin(sessions)));
  const statuses = begun.map(({ status }) => status);
  assert.deepEqual([200, 503].map((status) => statuses.filter((one) => one === status).length), [MAX, 10]);
  assert.equal(sessions.count, MAX);
  // One that was silent for a while gives way, the one that was silent for longest first.
  clock.ms += MINUTE;
  const [first, second] = begun.filter(({ status }) => status === 200).map(({ id }) => id);
  assert.equal(await ping(sessions, first ?? ""), 200);
  assert.equal((await begin(sessions)).status, 200);
  assert.equal(sessions.count, MAX);
  assert.deepEqual([await ping(sessions, first ?? ""), await ping(sessions, second ?? "")], [200, 404]);
  await sessions.close();
  assert.equal(sessions.count, 0);
});

Deno.test("Sessions takes no session from a client that listens", async () => {
  const { sessions, clock } = makeSessions();
  const listener = await begin(sessions);
  const stream = await sessions.handle(request("GET", listener.id), undefined);
  assert.equal(stream.status, 200);
  for (let count = 1; count < MAX; count++) await begin(sessions);
  clock.ms += MINUTE;
  await Promise.all(Array.from({ length: 3 }, () => begin(sessions)));
  assert.equal(await ping(sessions, listener.id), 200);
  await stream.body?.cancel();
  await sessions.close();
});

Deno.test("Sessions ends one that nobody uses, and none that was used, has a stream open or is being answered", async () => {
  const { sessions, clock, answerCalls } = makeSessions({ sweepEveryMs: 1 });
  const [idle, used, listener, caller] = [
    await begin(sessions),
    await begin(sessions),
    await begin(sessions),
    await begin(sessions),
  ];
  const stream = await sessions.handle(request("GET", listener.id), undefined);
  const called = await sessions.handle(request("POST", caller.id), CALL);
  clock.ms += MINUTE;
  assert.equal(await ping(sessions, used.id), 200);
  clock.ms += 44 * MINUTE;
  await waitFor(() => sessions.count < 4, { message: "the idle session to be ended" });
  // One look is at all of them.
  assert.equal(sessions.count, 3);
  assert.equal(await ping(sessions, idle.id), 404);
  for (const { id } of [used, listener, caller]) assert.equal(await ping(sessions, id), 200);
  // What was open counts from its end on.
  clock.ms += 45 * MINUTE;
  await waitFor(() => sessions.count < 3, { message: "the one that was used to be ended" });
  assert.equal(sessions.count, 2);
  answerCalls();
  assert.match(await called.text(), /"content":\[\]/);
  await stream.body?.cancel();
  clock.ms += 44 * MINUTE;
  assert.deepEqual([await ping(sessions, listener.id), await ping(sessions, caller.id)], [200, 200]);
  clock.ms += 45 * MINUTE;
  await waitFor(() => sessions.count === 0, { message: "the others to be ended" });
  await sessions.close();
});

Deno.test("Sessions keeps no stream for a request that was cancelled, nor its session for that", async () => {
  const { sessions, clock } = makeSessions({ sweepEveryMs: 1 });
  const { id } = await begin(sessions);
  const called = await sessions.handle(request("POST", id), CALL);
  let answer: string | null = null;
  void called.text().then((text) => answer = text);
  const cancellation = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: CALL.id } };
  assert.equal((await sessions.handle(request("POST", id), cancellation)).status, 202);
  await waitFor(() => answer !== null, { message: "the stream to end" });
  assert.equal(answer, "");
  clock.ms += 45 * MINUTE;
  await waitFor(() => sessions.count === 0, { message: "the session to be ended" });
  await sessions.close();
});

Deno.test("Sessions refuses a request whose id is that of another which is not answered yet", async () => {
  const { sessions, answerCalls } = makeSessions();
  const [{ id }, other] = [await begin(sessions), await begin(sessions)];
  const first = await sessions.handle(request("POST", id), CALL);
  const second = await sessions.handle(request("POST", id), CALL);
  assert.equal(second.status, 400);
  assert.deepEqual(await second.json(), {
    jsonrpc: "2.0",
    error: {
      code: -32_600,
      message: "The id 3 is that of a request of this session which is not answered yet: " +
        "give each request an id of its own.",
    },
    id: null,
  });
  // Neither another kind of id is meant by it, nor another session.
  const others = [
    await sessions.handle(request("POST", id), { ...CALL, id: "3" }),
    await sessions.handle(request("POST", other.id), CALL),
  ];
  answerCalls();
  for (const response of [first, ...others]) assert.match(await response.text(), /"content":\[\]/);
  // What was answered is in nobody's way.
  const again = await sessions.handle(request("POST", id), CALL);
  assert.match(await again.text(), /"content":\[\]/);
  await sessions.close();
});

Deno.test("Sessions forgets a session that its transport refuses", async () => {
  const { sessions } = makeSessions();
  const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "c", version: "1" } };
  const response = await sessions.handle(
    new Request("http://localhost/mcp", { method: "POST", headers: { "content-type": "application/json" } }),
    { jsonrpc: "2.0", id: 1, method: "initialize", params },
  );
  assert.equal(response.status, 406);
  await response.text();
  assert.equal(sessions.count, 0);
  await sessions.close();
});
