import assert from "node:assert/strict";
import { connectOldClient } from "../helpers/old_client.ts";
import { ServerProcess } from "../helpers/server_process.ts";
import { subscribe, TASKS, updates, waitForUpdate } from "../helpers/subscriptions.ts";
import { baseEnvironment, startSwarm } from "../helpers/swarm.ts";
import { readAllEvents } from "../helpers/task_resources.ts";
import { release, startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

for (const era of ["2025", "2026"] as const) {
  Deno.test(`who has subscribed to a task is told of what is to be read anew, nobody else is (${era} era)`, async () => {
    await using swarm = await startSwarm({ era });
    await using stranger = await startSwarm({ ...swarm, era });
    const id = await startTask(swarm, "fake:command(make) fake:hold(one) fake:say(first) fake:hold(two)");
    // By then it is noted as running.
    await waitForTask(swarm, id, (task) => task.last_command);
    const [state, events, diff] = [`${TASKS}/${id}`, `${TASKS}/${id}/events`, `${TASKS}/${id}/diff`];
    const subscription = await subscribe(swarm, era, [TASKS, state, events, diff]);
    const said = async (): Promise<boolean> => JSON.stringify(await readAllEvents(swarm, id)).includes("first");
    assert.equal(await said(), false);

    const before = updates(swarm.process, events).length;
    const told = updates(swarm.process, diff).length;
    await release(swarm, "one");
    // Each change is followed by an update after which it can be read.
    for (let count = before; !await said(); count++) await waitForUpdate(swarm, events, count);
    await waitForUpdate(swarm, state, 0);
    assert.equal(updates(swarm.process, diff).length, told);

    await release(swarm, "two");
    await waitFor(async () => {
      const [uri] = updates(swarm.process, diff);
      return uri !== undefined && (await swarm.resource(`tasks/${id}`)).status === "completed";
    }, { message: "the update of an end" });
    await waitFor(async () => {
      const tasks = await swarm.resource("tasks");
      return updates(swarm.process, TASKS).length > 0 && tasks[0].status === "completed";
    }, { message: "the update of the list" });

    await subscription.close();
    const all = updates(swarm.process).length;
    const other = await startTask(swarm, "fake:say(done)");
    await waitForStatus(swarm, other, "completed");
    // The control: one that goes on listening is told of the same change.
    const witness = await subscribe(stranger, era, [TASKS]);
    await startTask(swarm, "fake:say(done)");
    await waitForUpdate(stranger, TASKS, 0);
    await witness.close();
    assert.equal(updates(swarm.process).length, all);
    assert.deepEqual(new Set(updates(stranger.process)), new Set([TASKS]));
  });
}

Deno.test("a client of the 1.x SDK is told of changes it has subscribed to", async () => {
  await using swarm = await startSwarm();
  await using process = new ServerProcess({
    args: ["--state-dir", swarm.stateDir, "--codex", swarm.codex.path],
    env: baseEnvironment(swarm.codex.home),
    cwd: swarm.cwd,
  });
  const old = await connectOldClient(process);
  await old.subscribeResource({ uri: TASKS });
  // Another server's doings.
  await startTask(swarm, "fake:say(done)");
  await waitFor(() => updates(process, TASKS).length > 0, { message: "the update" });
  await old.unsubscribeResource({ uri: TASKS });
  await old.close();
});

Deno.test("who subscribes to what there is not is told so, or acknowledged without it", async () => {
  await using legacy = await startSwarm();
  await using modern = await startSwarm({ ...legacy, era: "2026" });
  const id = await startTask(legacy, "fake:say(done)");
  await waitForStatus(legacy, id, "completed");
  const known = [TASKS, "codex-swarm:///config", `${TASKS}/${id}`, `${TASKS}/${id}/diff`];
  const odd = [`${TASKS}/00000000`, `${TASKS}/${id}/events?after=0`, `${TASKS}/${id}/`, "file:///etc/passwd", ""];
  for (const uri of odd) {
    await assert.rejects(
      legacy.client.subscribeResource({ uri }),
      /Unknown resource: .*resources\/templates\/list/,
      uri,
    );
    // Nobody minds what was never there.
    await legacy.client.unsubscribeResource({ uri });
  }
  for (const uri of [...known, ...known]) await legacy.client.subscribeResource({ uri });
  const { honoredFilter, close } = await modern.client.listen({
    resourceSubscriptions: [...odd, ...known, ...known],
    toolsListChanged: true,
  });
  assert.deepEqual(honoredFilter, { resourceSubscriptions: known });
  await close();
  const nothing = await modern.client.listen({ toolsListChanged: true });
  assert.deepEqual(nothing.honoredFilter, {});
});

Deno.test("a server with one who listens ends as soon as any other, and says that it is over", async () => {
  await using swarm = await startSwarm({ era: "2026" });
  const { closed } = await swarm.client.listen({ resourceSubscriptions: [TASKS] });
  swarm.process.kill("SIGTERM");
  assert.equal(await closed, "graceful");
  await swarm.process.ended;
});
