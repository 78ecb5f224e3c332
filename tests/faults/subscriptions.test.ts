/** What clients may do to a server by subscribing, and an agent by writing without a pause. */
import assert from "node:assert/strict";
import { startHttpServer } from "../helpers/http_server.ts";
import { subscribe, TASKS, updates, waitForUpdate } from "../helpers/subscriptions.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { readAllEvents } from "../helpers/task_resources.ts";
import { release, startTask, waitForStatus } from "../helpers/tasks.ts";

const MAX_WATCHED = 1_000;

for (const era of ["2025", "2026"] as const) {
  Deno.test(`a connection can watch ${MAX_WATCHED} resources, whatever others do, and no more (${era} era)`, async () => {
    await using swarm = await startSwarm({ era });
    await using other = await startSwarm({ ...swarm, era });
    const id = await startTask(swarm, "fake:hold(go)");
    await waitForStatus(swarm, id, "running");
    // Records of tasks that are only there.
    const ids = Array.from({ length: MAX_WATCHED }, (_, index) => `f${String(index).padStart(7, "0")}`);
    for (const one of ids) {
      Deno.mkdirSync(`${swarm.stateDir}/tasks/${one}`);
      Deno.writeTextFileSync(`${swarm.stateDir}/tasks/${one}/task.json`, "{}");
    }
    const uris = ids.map((one) => `${TASKS}/${one}`);
    await subscribe(swarm, era, uris);
    const refused = /Cannot subscribe: one connection can watch 1000 resources\. End subscriptions that are not needed/;
    await assert.rejects(subscribe(swarm, era, [`${TASKS}/${id}`]), refused);
    const subscription = await subscribe(other, era, [`${TASKS}/${id}`]);
    await release(swarm, "go");
    await waitForUpdate(other, `${TASKS}/${id}`, 0);
    await subscription.close();
    assert.deepEqual(updates(swarm.process), []);
  });
}

Deno.test("a stream can listen to 1,000 resources over HTTP, and no more", async () => {
  await using server = await startHttpServer();
  await using client = await server.connect({ era: "2026" });
  await using other = await server.connect({ era: "2026" });
  const ids = Array.from({ length: 1_001 }, (_, index) => `f${String(index).padStart(7, "0")}`);
  for (const id of ids) {
    Deno.mkdirSync(`${server.stateDir}/tasks/${id}`, { recursive: true });
    Deno.writeTextFileSync(`${server.stateDir}/tasks/${id}/task.json`, "{}");
  }
  const uris = ids.map((id) => `${TASKS}/${id}`);
  await assert.rejects(
    client.client.listen({ resourceSubscriptions: uris }),
    /Cannot subscribe: one connection can watch 1000 resources/,
  );
  for (const { client: one } of [client, other]) {
    const { honoredFilter } = await one.listen({ resourceSubscriptions: uris.slice(1) });
    assert.equal(honoredFilter.resourceSubscriptions?.length, 1_000);
  }
});

Deno.test("updates come at most once a second, and the last change is always told", async () => {
  await using swarm = await startSwarm({ era: "2026" });
  const id = await startTask(swarm, `${"fake:flood(40) fake:silent(0.05) ".repeat(30)}fake:say(last)`);
  const uri = `${TASKS}/${id}/events`;
  const from = performance.now();
  const subscription = await subscribe(swarm, "2026", [uri]);
  let seen = 0;
  let reads = 0;
  // Reads after updates only, as a client does.
  for (let isLast = false; !isLast; reads++) {
    await waitForUpdate(swarm, uri, seen);
    seen = updates(swarm.process, uri).length;
    isLast = JSON.stringify(await readAllEvents(swarm, id)).includes("turn.completed");
  }
  await subscription.close();
  const seconds = (performance.now() - from) / 1_000;
  assert.ok(updates(swarm.process, uri).length <= Math.floor(seconds) + 1, `${seen} in ${seconds} s`);
  assert.ok(reads < 100);
});
