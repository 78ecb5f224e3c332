import assert from "node:assert/strict";
import { RateLimit } from "../../../src/server/http/rate_limit.ts";

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
