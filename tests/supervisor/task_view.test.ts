import assert from "node:assert/strict";
import { viewFollowed } from "../../src/supervisor/task_view.ts";
import { hostYard } from "../helpers/host_yard.ts";

for (
  const { what, startedAt, expected } of [
    { what: "is queued", startedAt: undefined, expected: 1 },
    { what: "has begun to run since its place was looked up", startedAt: new Date(), expected: null },
  ]
) {
  Deno.test(`viewFollowed() gives ${expected === null ? "no place" : "the place"} in the queue for a task that ${what}`, async () => {
    await using yard = await hostYard();
    const followed = await yard.follow(startedAt);
    const looked = { queuePosition: 1, limitedUntil: null, silence: null, now: new Date() };
    assert.equal((await viewFollowed(followed, looked)).queuePosition, expected);
  });
}
