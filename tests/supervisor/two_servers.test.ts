import assert from "node:assert/strict";
import { join } from "node:path";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { startSwarm, type SwarmOptions } from "../helpers/swarm.ts";
import { release, startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

Deno.test("a server leaves the end of a task to the server that drives it and may start it again", async () => {
  await using codex = await installFakeCodex();
  await using driver = await startSwarm({ codex });
  const { stateDir, cwd } = driver;
  await using onlooker = await startSwarm({ codex, stateDir, cwd });
  // Two starts are lost, with pauses between them in which the last run looks over.
  const id = await startTask(driver, "fake:fail_first(2, Error: database is locked) fake:say(at last)");
  const seen = new Set<string>();
  const wait = onlooker.call("codex_wait", { task_ids: [id] });
  await waitFor(async () => {
    const { structured } = await onlooker.call("codex_status", { task_ids: [id] });
    seen.add(structured.tasks[0].status);
    return structured.tasks[0].status === "completed";
  }, { message: "the task to complete" });
  seen.delete("queued");
  assert.deepEqual([...seen], ["running", "completed"]);
  assert.equal((await wait).structured.tasks[0].answer, "at last");
});

Deno.test("a task in one server's queue is cancelled by another", async () => {
  await using codex = await installFakeCodex();
  await using owner = await startSwarm({ codex, args: ["--max-concurrent", "1"] });
  const { stateDir, cwd } = owner;
  await using other = await startSwarm({ codex, stateDir, cwd });
  const running = await startTask(owner, "fake:hold(go) fake:say(done)");
  const queued = await startTask(owner, "fake:say(never)");
  const { text } = await other.call("codex_cancel", { task_id: queued });
  assert.equal(text, `Task ${queued}: Task cancelled`);
  await waitForStatus(owner, queued, "cancelled");
  await release(owner, "go");
  await owner.call("codex_wait", { task_ids: [running, queued] });
  assert.equal(codex.ledger().length, 1);
});

Deno.test("a queued task whose server is gone can be cancelled by another", async () => {
  await using codex = await installFakeCodex();
  await using other = await startSwarm({ codex });
  const { stateDir, cwd } = other;
  let queued: string;
  {
    await using owner = await startSwarm({ codex, stateDir, cwd, args: ["--max-concurrent", "1"] });
    await waitForStatus(owner, await startTask(owner, "fake:hold(go)"), "running");
    queued = await startTask(owner, "fake:say(never)");
  }
  await other.call("codex_cancel", { task_id: queued });
  await waitForStatus(other, queued, "cancelled");
  await release(other, "go");
});

Deno.test("a server's --offline-timeout ends only agents of its own", async () => {
  await using codex = await installFakeCodex();
  await using patient = await startSwarm({ codex });
  const { stateDir, cwd } = patient;
  await using hasty = await startSwarm({ codex, stateDir, cwd, args: ["--offline-timeout", "1s"] });
  const waiting = await startTask(patient, "fake:offline");
  await waitForTask(hasty, waiting, (task) => task.waiting_for_network !== undefined);
  const own = await startTask(hasty, "fake:offline");
  await waitForStatus(hasty, own, "failed");
  assert.equal((await waitForTask(hasty, waiting, () => true)).status, "running");
});

Deno.test("a server that ends during the pause before a further start ends the task, if it is bound to it", async () => {
  await using codex = await installFakeCodex();
  await using next = await startSwarm({ codex });
  const { stateDir, cwd } = next;
  {
    await using first = await startSwarm({ codex, stateDir, cwd });
    const call = first.call("codex", { prompt: "fake:fail_first(9, Error: database is locked)" }).catch(() =>
      undefined
    );
    await waitFor(() => codex.ledger().filter(({ exitCode }) => exitCode === 1).length >= 2, {
      message: "two starts to be lost",
    });
    await first.process.closeInput();
    assert.equal((await first.process.ended).code, 0);
    await call;
  }
  const { structured } = await next.call("codex_status");
  assert.deepEqual(structured.tasks.map(({ status }: { readonly status: string }) => status), ["interrupted"]);
});

Deno.test(
  // macOS has no flock(1); its servers hold the slots.
  {
    name: "a server leaves a slot to an agent whose files another server keeps elsewhere",
    ignore: Deno.build.os !== "linux",
  },
  async () => {
    await using codex = await installFakeCodex();
    const inDirectory = (name: string): SwarmOptions => ({
      codex,
      env: { CODEX_SWARM_TASK_DIR: join(codex.home, name) },
      args: ["--max-concurrent", "2"],
    });
    await using one = await startSwarm(inDirectory("tasks_one"));
    const { stateDir, cwd } = one;
    await using other = await startSwarm({ ...inDirectory("tasks_other"), stateDir, cwd });
    const first = await startTask(one, "fake:hold(go)");
    await waitForStatus(one, first, "running");
    const holder = (number: number): string | undefined =>
      /^1 \d+ (\S+)$/m.exec(Deno.readTextFileSync(join(stateDir, "slots", `slot_${number}`)))?.[1];
    await waitFor(() => holder(1) === first, { message: "the first slot to be held" });
    // No shim that has only just begun.
    const old = new Date(Date.now() - 120_000);
    Deno.utimeSync(join(stateDir, "slots", "slot_1"), old, old);
    const second = await startTask(other, "fake:hold(go)");
    await waitForStatus(other, second, "running");
    await waitFor(() => holder(2) === second, { message: "the second slot to be held" });
    assert.equal(holder(1), first);
    await release(one, "go");
    await one.call("codex_wait", { task_ids: [first] });
    await other.call("codex_wait", { task_ids: [second] });
  },
);
