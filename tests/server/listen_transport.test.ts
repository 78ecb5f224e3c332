import assert from "node:assert/strict";
import type { JSONRPCMessage, JSONRPCRequest, Transport } from "@modelcontextprotocol/server";
import { ListenTransport } from "../../src/server/listen_transport.ts";
import { Subscriptions } from "../../src/server/subscriptions.ts";
import { BreakingUpdates } from "../helpers/breaking_updates.ts";
import { SILENT } from "../helpers/silent_log.ts";
import { waitFor } from "../helpers/wait_for.ts";

/** A transport between a test that is the client and a test that is the SDK, and what is looked at meanwhile. */
async function yard(failsAt?: string): Promise<{
  readonly passedOn: JSONRPCMessage[];
  readonly sent: JSONRPCMessage[];
  readonly logged: string[];
  readonly transport: ListenTransport;
  receive(message: JSONRPCMessage): void;
  /** What is looked at in two rounds of looks. */
  watched(): Promise<string[]>;
  close(): void;
}> {
  const looked: string[] = [];
  const look = (uri: string): string | null => {
    looked.push(uri);
    return /^[a-d]\d*$/.test(uri) ? "" : null;
  };
  const updates = new BreakingUpdates({ look, everyMs: 1 });
  updates.failsAt = failsAt;
  const sent: JSONRPCMessage[] = [];
  const inner: Transport = {
    start: () => Promise.resolve(),
    close: () => Promise.resolve(),
    send: (message) => Promise.resolve(void sent.push(message)),
  };
  const logged: string[] = [];
  const log = { ...SILENT, error: (message: string): void => void logged.push(message) };
  const transport = new ListenTransport(inner, new Subscriptions({ updates, notify: () => undefined, log }));
  const passedOn: JSONRPCMessage[] = [];
  transport.onmessage = (message): void => void passedOn.push(message);
  await transport.start();
  return {
    passedOn,
    sent,
    logged,
    transport,
    receive: (message) => inner.onmessage?.(message),
    async watched(): Promise<string[]> {
      using _witness = updates.watch("d", () => undefined);
      looked.length = 0;
      await waitFor(() => looked.filter((uri) => uri === "d").length >= 2, { message: "two rounds" });
      return [...new Set(looked)].filter((uri) => uri !== "d").sort();
    },
    close: () => inner.onclose?.(),
  };
}

function listen(id: string | number, uris: unknown): JSONRPCRequest {
  const params = { _meta: { a: 1 }, notifications: { toolsListChanged: true, resourceSubscriptions: uris } };
  return { jsonrpc: "2.0", id, method: "subscriptions/listen", params };
}

function cancelled(requestId: string | number): JSONRPCMessage {
  return { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId } };
}

Deno.test("ListenTransport watches what is listened to, until that is cancelled, answered or over", async () => {
  const { receive, watched, transport, close, passedOn } = await yard();
  const refusal: JSONRPCMessage = { jsonrpc: "2.0", id: 2, error: { code: -32603, message: "no" } };
  assert.deepEqual(await watched(), []);
  receive(listen(1, ["a", "b", "odd", "a"]));
  receive(listen(2, ["b", "c"]));
  assert.deepEqual(await watched(), ["a", "b", "c"]);
  // What is passed on is what can be heard of.
  assert.deepEqual(passedOn, [listen(1, ["a", "b"]), listen(2, ["b", "c"])]);
  receive(cancelled("1"));
  receive(cancelled(3));
  assert.deepEqual(await watched(), ["a", "b", "c"]);
  receive(cancelled(1));
  assert.deepEqual(await watched(), ["b", "c"]);
  await transport.send({ jsonrpc: "2.0", id: "2", result: {} });
  assert.deepEqual(await watched(), ["b", "c"]);
  await transport.send(refusal);
  assert.deepEqual(await watched(), []);
  // The same id again takes the place of the one before.
  receive(listen(1, ["a"]));
  receive(listen(1, ["c"]));
  assert.deepEqual(await watched(), ["c"]);
  close();
  assert.deepEqual(await watched(), []);
});

Deno.test("ListenTransport refuses what is too much of one connection, and passes on what it cannot read", async () => {
  const { receive, watched, sent, passedOn, close } = await yard();
  const many = Array.from({ length: 600 }, (_, index) => `a${index}`);
  receive(listen(1, many));
  receive(listen(2, many));
  assert.equal(passedOn.length, 1);
  const [refused] = sent;
  assert.match(JSON.stringify(refused), /"id":2,"error":\{"code":-32602,"message":"Cannot subscribe: one connection/);
  assert.equal((await watched()).length, 600);
  receive(cancelled(1));
  receive(listen(2, many));
  assert.equal((await watched()).length, 600);
  receive(cancelled(2));
  const odd = [listen(3, "a"), listen(4, [1]), { jsonrpc: "2.0" as const, id: 5, method: "subscriptions/listen" }];
  for (const message of odd) receive(message);
  assert.deepEqual(passedOn.slice(-3), odd);
  assert.deepEqual(await watched(), []);
  close();
});

Deno.test("ListenTransport refuses what cannot be watched whole, and watches nothing of it", async () => {
  const { receive, watched, sent, passedOn, logged, close } = await yard("c");
  receive(listen(1, ["a", "b", "c"]));
  assert.deepEqual(passedOn, []);
  assert.match(JSON.stringify(sent), /^\[\{"jsonrpc":"2\.0","id":1,"error":\{"code":-32603,"message":"Cannot listen: /);
  assert.equal(logged.length, 1);
  assert.deepEqual(await watched(), []);
  receive(listen(1, ["a", "b"]));
  assert.deepEqual(await watched(), ["a", "b"]);
  close();
});
