/** Agents whose server was killed: they wait for an heir, then end by the hand of their own shim. */
import assert from "node:assert/strict";
import { type FakeCodex, installFakeCodex } from "../helpers/fake_codex.ts";
import { isAlive } from "../helpers/processes.ts";
import { startSwarm, type Swarm } from "../helpers/swarm.ts";
import { lookAt, release, startTask, waitForStatus } from "../helpers/tasks.ts";
import { tempRepo } from "../helpers/temp_repo.ts";
import { waitFor } from "../helpers/wait_for.ts";

/** Starts an agent that is bound to its server; gives its task and its process. */
async function startBound(swarm: Swarm, codex: FakeCodex, prompt: string): Promise<{ id: string; pid: number }> {
  const { structured } = await swarm.call("spawn_agent_async", { prompt });
  const { pid } = await waitFor(() => codex.ledger().find((entry) => entry.prompt.startsWith(prompt)), {
    message: "the agent to start",
  });
  return { id: structured.task_id.slice(-8), pid };
}

async function kill(swarm: Swarm): Promise<void> {
  swarm.process.kill("SIGKILL");
  await swarm.process.ended;
}

/** Waits until the server, which logs at level INFO, has taken the task over. */
async function tookOver(swarm: Swarm, id: string): Promise<void> {
  const words = new RegExp(`taken over from a server that is gone.*${id}`);
  await waitFor(() => words.test(swarm.process.stderr), { message: "the task to be taken over" });
}

Deno.test("a server that is started where another was killed is its heir; agents of other places end after the grace", async () => {
  await using codex = await installFakeCodex();
  await using first = await startSwarm({ codex, args: ["--orphan-grace", "2"] });
  const { stateDir, cwd } = first;
  await using elsewhere = await tempRepo();
  await using other = await startSwarm({ codex, stateDir, cwd: elsewhere.path, args: ["--orphan-grace", "2"] });
  const mine = await startBound(first, codex, "fake:hold(go) fake:say(mine)");
  const theirs = await startBound(other, codex, "fake:hold(never) fake:say(theirs)");
  await Promise.all([kill(first), kill(other)]);

  await using heir = await startSwarm({ codex, stateDir, cwd });
  // It looks at both, but only one is its own.
  assert.deepEqual([(await lookAt(heir, mine.id)).status, (await lookAt(heir, theirs.id)).status], [
    "running",
    "running",
  ]);
  const gone = await waitForStatus(heir, theirs.id, "interrupted");
  assert.deepEqual([gone.stop_reason, await isAlive(theirs.pid)], ["server_gone", false]);
  assert.deepEqual([(await lookAt(heir, mine.id)).status, await isAlive(mine.pid)], ["running", true]);
  await release(heir, "go");
  assert.equal((await waitForStatus(heir, mine.id, "completed")).answer, "mine");
});

Deno.test("who waits for an orphan is its heir, and its agent ends with that one", async () => {
  await using codex = await installFakeCodex();
  await using watcher = await startSwarm({ codex });
  const { stateDir, cwd } = watcher;
  await using elsewhere = await tempRepo();
  await using first = await startSwarm({ codex, stateDir, cwd, args: ["--orphan-grace", "3"] });
  const { id, pid } = await startBound(first, codex, "fake:hold(never)");
  await kill(first);
  await using heir = await startSwarm({ codex, stateDir, cwd: elsewhere.path, args: ["--log-level", "INFO"] });
  const wait = heir.call("codex_wait", { task_ids: [id] }).catch(() => undefined);
  await tookOver(heir, id);
  await heir.process.closeInput();
  await heir.process.ended;
  await wait;
  const { status, stop_reason } = await lookAt(watcher, id);
  assert.deepEqual([status, stop_reason, await isAlive(pid)], ["interrupted", "server_exit", false]);
});

Deno.test("an heir that is killed too leaves its agents the same grace", async () => {
  await using codex = await installFakeCodex();
  await using elsewhere = await tempRepo();
  await using watcher = await startSwarm({ codex, cwd: elsewhere.path });
  const { stateDir } = watcher;
  await using place = await tempRepo();
  const cwd = place.path;
  await using first = await startSwarm({ codex, stateDir, cwd, args: ["--orphan-grace", "1"] });
  const { id, pid } = await startBound(first, codex, "fake:hold(never)");
  await kill(first);
  await using heir = await startSwarm({ codex, stateDir, cwd, args: ["--log-level", "INFO"] });
  await tookOver(heir, id);
  await kill(heir);
  await waitFor(async () => !await isAlive(pid), { message: "the agent to end" });
  assert.equal((await waitForStatus(watcher, id, "interrupted")).stop_reason, "server_gone");
});

Deno.test("--orphan-grace 0 lets no agent outlive its server", async () => {
  await using codex = await installFakeCodex();
  await using watcher = await startSwarm({ codex });
  const { stateDir, cwd } = watcher;
  await using first = await startSwarm({ codex, stateDir, cwd, args: ["--orphan-grace", "0"] });
  const { id, pid } = await startBound(first, codex, "fake:hold(never)");
  await kill(first);
  await waitFor(async () => !await isAlive(pid), { message: "the agent to end" });
  assert.equal((await waitForStatus(watcher, id, "interrupted")).stop_reason, "server_gone");
});

Deno.test("--on-exit stop ends detached agents too, and --on-exit keep lets all go on", async () => {
  await using codex = await installFakeCodex();
  await using watcher = await startSwarm({ codex });
  const { stateDir, cwd } = watcher;
  const started: { readonly id: string; readonly lifetime: string }[] = [];
  for (const action of ["stop", "keep"]) {
    await using swarm = await startSwarm({ codex, stateDir, cwd, args: ["--on-exit", action] });
    const detached = await startTask(swarm, `fake:hold(${action}) fake:say(detached)`);
    const bound = await startBound(swarm, codex, `fake:hold(${action}) fake:say(bound)`);
    for (const id of [detached, bound.id]) started.push({ id, lifetime: (await lookAt(swarm, id)).lifetime });
    await swarm.process.closeInput();
    assert.equal((await swarm.process.ended).code, 0);
  }
  assert.deepEqual(started.map(({ lifetime }) => lifetime), ["server-bound", "server-bound", "detached", "detached"]);
  const seen = await Promise.all(started.map(async ({ id }) => (await lookAt(watcher, id)).status));
  assert.deepEqual(seen, ["interrupted", "interrupted", "running", "running"]);
  await release(watcher, "keep");
  for (const { id } of started.slice(2)) await waitForStatus(watcher, id, "completed");
});
