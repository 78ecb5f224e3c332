import assert from "node:assert/strict";
import type { Probe } from "../../src/supervisor/usage_limits.ts";
import { watchProbe } from "../../src/supervisor/watch_probe.ts";
import { hostYard } from "../helpers/host_yard.ts";
import { waitFor } from "../helpers/wait_for.ts";

Deno.test("watchProbe() lets the next one try when the model has not answered for long, and heeds a later answer", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow(new Date());
  const told: string[] = [];
  const probe: Probe = {
    lift: () => {
      told.push("lifted");
      return Promise.resolve();
    },
    [Symbol.dispose]: () => void told.push("passed on"),
  };
  const run = Promise.withResolvers<"ended">();
  const watching = watchProbe(followed, { run: { ended: run.promise }, probe, answerMs: 1 });
  await waitFor(() => told.length > 0, { message: "the probe to be passed on" });
  const item = { type: "item.completed", item: { id: "item_0", type: "agent_message", text: "here" } };
  await Deno.writeTextFile(followed.directory.eventsFile, `${JSON.stringify(item)}\n`);
  await watching;
  assert.deepEqual(told, ["passed on", "lifted"]);
  run.resolve("ended");
});

Deno.test("watchProbe() keeps the probe of a run that ends before", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow(new Date());
  const told: string[] = [];
  const probe: Probe = { lift: () => Promise.resolve(), [Symbol.dispose]: () => void told.push("passed on") };
  await watchProbe(followed, { run: { ended: Promise.resolve("ended") }, probe });
  assert.deepEqual(told, []);
});
