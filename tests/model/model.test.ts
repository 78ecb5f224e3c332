/** A property: whatever befalls servers, shims and agents, what is told of tasks is true. */
import assert from "node:assert/strict";
import { checkHistories } from "./check_histories.ts";

const ignore = Deno.build.os !== "linux";

Deno.test({ name: "200 random steps break no promise", ignore }, async () => {
  const { broken } = await checkHistories({ seed: 56, count: 200, shrinkMs: 60_000 });
  assert.equal(broken, "");
});
