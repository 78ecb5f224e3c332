import assert from "node:assert/strict";
import { listen } from "../../../src/server/http/listen.ts";
import { RateLimit } from "../../../src/server/http/rate_limit.ts";
import { serveRequest } from "../../../src/server/http/serve_http.ts";
import { Sessions } from "../../../src/server/http/sessions.ts";
import { SILENT } from "../../helpers/silent_log.ts";

function taken(limit: RateLimit, nowMs: number): number {
  let count = 0;
  while (limit.take(nowMs)) count++;
  return count;
}

Deno.test("RateLimit lets many through at once, then so many a second, and saves up no more than a burst", () => {
  const limit = new RateLimit(1_000);
  assert.equal(taken(limit, 1_000), 4_000);
  assert.equal(taken(limit, 1_000), 0);
  assert.equal(taken(limit, 1_100), 50);
  // A clock that went back gives nothing and takes nothing.
  assert.equal(taken(limit, 500), 0);
  assert.equal(taken(limit, 600), 50);
  assert.equal(taken(limit, 10_000_000), 4_000);
});

Deno.test("a client that asks too often is told when to ask again, and strangers take nothing from the others", async () => {
  const clock = { ms: 0 };
  const now = (): number => clock.ms;
  const sessions = new Sessions({ makeServer: () => assert.fail("no session begins"), log: SILENT, now });
  const services = {
    gate: { allowedHosts: new Set<string>(), allowedOrigins: new Set(["https://a.test"]), token: "t".repeat(16) },
    rateLimit: new RateLimit(0),
    sessions,
    modern: { fetch: (): never => assert.fail("nothing is asked for") },
    health: () => ({ status: "ok" }),
    log: SILENT,
    now,
  };
  const listener = await listen(
    { kind: "tcp", host: "127.0.0.1", port: 0 },
    (message, outgoing) => serveRequest(message, outgoing, services),
  );
  const ask = async (headers: Record<string, string>, path = "/mcp"): Promise<Response> => {
    const response = await fetch(new URL(path, listener.url), { headers: { origin: "https://a.test", ...headers } });
    await response.text();
    return response;
  };
  const client = { authorization: `Bearer ${"t".repeat(16)}` };
  while (services.rateLimit.take(0));
  clock.ms = 2;
  for (let count = 0; count < 3; count++) {
    assert.deepEqual([(await ask({})).status, (await ask({}, "/healthz")).status], [401, 200]);
  }
  // What two milliseconds give is still there.
  assert.equal((await ask(client)).status, 400);
  const refused = await ask(client);
  assert.deepEqual(
    ["retry-after", "access-control-allow-origin"].map((name) => refused.headers.get(name)),
    ["1", "https://a.test"],
  );
  assert.equal(refused.status, 429);
  clock.ms += 1_000;
  assert.equal((await ask(client)).status, 400);
  await sessions.close();
  await listener.close();
});
