/** Several servers on one state directory, and servers of several versions one after another. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { makeGate } from "../helpers/gate.ts";
import { killServer, serversYard } from "../helpers/servers_yard.ts";
import type { Swarm } from "../helpers/swarm.ts";
import { lookAt, release, startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";
const AT_ONCE = 4;

Deno.test(
  { name: "F8: two servers that start and cancel at once see one truth, and run no task twice", ignore },
  async () => {
    await using yard = await serversYard({ isQuick: true });
    await using gate = await makeGate();
    const args = ["--max-concurrent", String(AT_ONCE)];
    await using one = await yard.start({ args });
    await using two = await yard.start({ args });
    const servers = [one, two];
    const of = (index: number): Swarm => servers[index % 2] ?? one;
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, index) => startTask(of(index), `quick: gate=${gate.path} exit=${index}`)),
    );
    await waitFor(() => yard.codex.ledger().length >= AT_ONCE, { message: "as many agents to work as may" });
    // Each by its own server, by the other one, or by both in the same moment.
    const cancelled = ids.slice(0, 9);
    await Promise.all(cancelled.flatMap((task_id, index) => {
      const cancel = (server: Swarm): Promise<unknown> => server.call("codex_cancel", { task_id });
      return index % 3 === 0 ? [cancel(one), cancel(two)] : [cancel(of(index + index % 3))];
    }));
    await gate.open(ids.length);
    const waits = await Promise.all(servers.map((server) => server.call("codex_wait", { task_ids: ids })));
    for (const { structured } of waits) assert.deepEqual(structured.running, []);

    const seen = await Promise.all(servers.map((server) => Promise.all(ids.map((id) => lookAt(server, id)))));
    const facts = ({ task_id, status, exit_code, started_at, ended_at }: Record<string, unknown>): unknown => ({
      task_id,
      status,
      exit_code,
      started_at,
      ended_at,
    });
    const [ofOne = [], ofTwo = []] = seen;
    assert.deepEqual(ofOne.map(facts), ofTwo.map(facts));
    for (const [index, { task_id, status, exit_code }] of ofOne.entries()) {
      if (cancelled.includes(task_id)) assert.equal(status, "cancelled");
      else assert.deepEqual([status, exit_code], [index === 0 ? "completed" : "failed", index]);
    }
    const runs = yard.codex.ledger();
    // Those that were cancelled in the queue never ran.
    const ran = ofOne.filter(({ started_at }) => started_at !== undefined).length;
    assert.ok(runs.length <= ran && ran <= ids.length - cancelled.length + AT_ONCE, `${runs.length} of ${ran} ran`);
    const ends = runs.map(({ exitCode }) => exitCode).filter((code) => code !== null);
    assert.deepEqual(ends.toSorted((a, b) => a - b), ids.map((_, index) => index).slice(cancelled.length));
  },
);

Deno.test({
  name: "F8: a server leaves the queue of another one alone that lives, because that one holds locks",
  ignore,
}, async () => {
  await using yard = await serversYard();
  await using one = await yard.start({ args: ["--max-concurrent", "1"] });
  await using two = await yard.start({ args: ["--max-concurrent", "2"] });
  await waitForTask(one, await startTask(one, "fake:hold(go)"), ({ thread_id }) => thread_id !== undefined);
  const queued = await startTask(one, "fake:say(queued)");
  const control = await startTask(one, "fake:say(control)");
  // Without its lock a task would be anybody's (control).
  await Deno.remove(join(yard.task(control), "task.lock"));
  await waitForStatus(two, control, "completed");
  for (let look = 0; look < 3; look++) assert.equal((await lookAt(two, queued)).status, "queued");
  await release(one, "go");
  for (const id of [queued, control]) await waitForStatus(one, id, "completed");
  assert.equal(yard.codex.ledger().filter(({ prompt }) => prompt === "fake:say(queued)").length, 1);
});

Deno.test({ name: "F9: a new program goes on with the running agent of an old one", ignore }, async () => {
  await using yard = await serversYard();
  const ids: string[] = [];
  {
    await using old = await yard.start({ args: ["--max-concurrent", "1"] });
    ids.push(await startTask(old, "fake:hold(go) fake:say(first)"));
    await waitForTask(old, ids[0] ?? "", ({ thread_id }) => thread_id !== undefined);
    ids.push(await startTask(old, "fake:say(second)"));
    await killServer(old);
  }
  // What the first version did not write: tests/fixtures/state/1 is its own.
  for (const id of ids) {
    const file = join(yard.task(id), "task.json");
    const { codexHome: _home, account: _account, ...spec } = JSON.parse(await Deno.readTextFile(file)).spec;
    delete spec.server.cwd;
    const { prompts: _prompts, input: _input, ...state } = JSON.parse(await Deno.readTextFile(file)).state;
    const record = { ...JSON.parse(await Deno.readTextFile(file)), format: 1, spec, state };
    await Deno.writeTextFile(file, JSON.stringify(record));
  }
  await Deno.remove(join(yard.stateDir, "format"));
  await Deno.remove(join(yard.stateDir, "tasks", ".index"), { recursive: true });
  await using next = await yard.start();
  assert.equal((await lookAt(next, ids[0] ?? "")).status, "running");
  await release(next, "go");
  await next.call("codex_wait", { task_ids: ids });
  const ends = await Promise.all(ids.map((id) => lookAt(next, id)));
  assert.deepEqual(ends.map(({ status, answer, exit_code }) => [status, answer, exit_code]), [
    ["completed", "first", 0],
    ["completed", "second", 0],
  ]);
});
