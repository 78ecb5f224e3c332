import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import type { JSONRPCMessage } from "@modelcontextprotocol/server";
import { LineTransport } from "../../src/server/line_transport.ts";

Deno.test("LineTransport.drained() waits neither for a request that was cancelled nor for one that listens", async () => {
  const input = new PassThrough();
  const transport = new LineTransport(input, new PassThrough());
  const taken: JSONRPCMessage[] = [];
  await transport.start();
  const request = { jsonrpc: "2.0", id: "a", method: "tools/list" };
  const cancelled = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "a" } };
  // It is answered when the connection ends.
  const listen = { jsonrpc: "2.0", id: "b", method: "subscriptions/listen", params: { notifications: {} } };
  transport.onmessage = (message): void => {
    taken.push(message);
    if (taken.length === 3) input.end();
  };
  const sent = [request, cancelled, listen];
  input.write(sent.map((message) => `${JSON.stringify(message)}\n`).join(""));
  await transport.left;
  assert.deepEqual(taken, sent);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tick = new Promise((resolve) => timer = setTimeout(resolve, 0, "a timer was waited for"));
  assert.equal(await Promise.race([transport.drained(), tick]), undefined);
  clearTimeout(timer);
  await transport.close();
});
