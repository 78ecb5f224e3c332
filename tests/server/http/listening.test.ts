import assert from "node:assert/strict";
import { withUpdates } from "../../../src/server/http/listening.ts";
import { BreakingUpdates } from "../../helpers/breaking_updates.ts";
import { SILENT } from "../../helpers/silent_log.ts";

const NOBODY = {
  resourceUpdated: (): void => {},
  resourcesChanged: (): void => {},
  toolsChanged: (): void => {},
  promptsChanged: (): void => {},
};
const request = (): Request => new Request("http://localhost/mcp", { method: "POST" });
const listen = (uris: readonly string[]): { parsedBody: unknown } => ({
  parsedBody: {
    jsonrpc: "2.0",
    id: 7,
    method: "subscriptions/listen",
    params: { notifications: { resourceSubscriptions: uris } },
  },
});

Deno.test("withUpdates() refuses what cannot be watched in words of the protocol, and watches nothing of it", async () => {
  const updates = new BreakingUpdates({ look: () => "", everyMs: 1 });
  updates.failsAt = "b";
  const passedOn = (): Promise<Response> => Promise.reject(new Error("passed on"));
  const server = withUpdates({ fetch: passedOn, notify: NOBODY }, { updates, log: SILENT });
  const response = await server.fetch(request(), listen(["a", "b"]));
  const { id, error: { code, message } } = await response.json();
  assert.deepEqual([id, code, updates.watches], [7, -32603, 0]);
  assert.match(message, /^Cannot listen: .* codex_wait, /);
});

Deno.test("withUpdates() watches as long as the stream is open, and nothing for one that failed", async () => {
  const updates = new BreakingUpdates({ look: () => "", everyMs: 1 });
  const body = new ReadableStream<Uint8Array>();
  const answers = [(): Response => new Response(body), (): never => assert.fail("no stream")];
  const fetch = (): Promise<Response> => Promise.resolve().then(() => answers.shift()?.() ?? new Response());
  const server = withUpdates({ fetch, notify: NOBODY }, { updates, log: SILENT });
  const response = await server.fetch(request(), listen(["a", "b"]));
  assert.equal(updates.watches, 2);
  await assert.rejects(server.fetch(request(), listen(["c"])), /no stream/);
  assert.equal(updates.watches, 2);
  await response.body?.cancel();
  assert.equal(updates.watches, 0);
});
