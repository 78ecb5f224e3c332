import assert from "node:assert/strict";
import { connectOldClient } from "../helpers/old_client.ts";
import { ServerProcess } from "../helpers/server_process.ts";
import { baseEnvironment, startSwarm, type Swarm } from "../helpers/swarm.ts";
import { readAllEvents } from "../helpers/task_resources.ts";
import { release, startTask, waitForStatus } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

const TASKS = "codex-swarm:///tasks";
const MAX_WATCHED = 1_000;

interface Subscription {
  close(): Promise<unknown>;
}

/** Subscribes in the way of the client's era, to one after the other or to all at once. */
async function subscribe(swarm: Swarm, era: "2025" | "2026", uris: readonly string[]): Promise<Subscription> {
  if (era === "2026") return await swarm.client.listen({ resourceSubscriptions: [...uris] });
  for (const uri of uris) await swarm.client.subscribeResource({ uri });
  return { close: () => Promise.all(uris.map((uri) => swarm.client.unsubscribeResource({ uri }))) };
}

/** Updates that a client was told of. */
function updates(process: ServerProcess, uri?: string): string[] {
  return process.received.flatMap(({ method, params }) => {
    if (method !== "notifications/resources/updated") return [];
    const { uri: changed } = JSON.parse(JSON.stringify(params));
    return uri === undefined || uri === changed ? [changed] : [];
  });
}

async function waitForUpdate({ process }: Swarm, uri: string, before: number): Promise<void> {
  await waitFor(() => updates(process, uri).length > before, { message: `an update of ${uri}` });
}

for (const era of ["2025", "2026"] as const) {
  Deno.test(`who has subscribed to a task is told of what is to be read anew, nobody else is (${era} era)`, async () => {
    await using swarm = await startSwarm({ era });
    await using stranger = await startSwarm({ ...swarm, era });
    const id = await startTask(swarm, "fake:hold(one) fake:say(first) fake:hold(two) fake:say(second)");
    await waitForStatus(swarm, id, "running");
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
