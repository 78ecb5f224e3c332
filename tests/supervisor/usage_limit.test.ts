import assert from "node:assert/strict";
import { join } from "node:path";
import { type FakeCodex, installFakeCodex } from "../helpers/fake_codex.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { lookAt, release, startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

/** When the limit of the fake account lifts. */
async function limitOf({ home }: FakeCodex): Promise<number> {
  return Number(await Deno.readTextFile(join(home, "limited_until")));
}

/** Makes the limit of the fake account last longer than it said. */
async function extendLimit({ home }: FakeCodex, seconds: number): Promise<void> {
  await Deno.writeTextFile(join(home, "limited_until"), String(Date.now() + seconds * 1_000));
}

function timeOf(date: Date | null | undefined): number {
  return date?.getTime() ?? NaN;
}

Deno.test("F28: a task that meets a usage limit waits until it lifts, then goes on in its thread", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  const id = await startTask(swarm, "fake:say(half) fake:usage_limit(2)", {
    sandbox: "workspace-write",
    model: "gpt-x",
  });
  const waiting = await waitForStatus(swarm, id, "waiting");
  // Codex's sentence knows minutes only; its record of the thread knows the second.
  assert.equal(Date.parse(waiting.waiting_until), Math.ceil(await limitOf(codex) / 1_000) * 1_000);
  assert.equal(waiting.phase, `waiting until ${waiting.waiting_until} (usage limit)`);
  const { text } = await swarm.call("codex_status", { task_ids: [id] });
  assert.match(text, /^=== Task [0-9a-f]{8} \(waiting until 20\S+Z \(usage limit\)\) ===\n/);

  const { structured: { tasks: [task] } } = await swarm.call("codex_wait", { task_ids: [id] });
  assert.deepEqual([task.status, task.exit_code, task.thread_id], ["completed", 0, waiting.thread_id]);
  const [first, second, ...others] = codex.ledger();
  assert.deepEqual([others, first?.exitCode, second?.exitCode], [[], 1, 0]);
  assert.match(second?.prompt ?? "", /usage limit .* has lifted/);
  assert.deepEqual(second?.args.slice(-3), ["resume", waiting.thread_id, "-"]);
  for (const kept of [["-s", "workspace-write"], ["-C", swarm.cwd], ["-m", "gpt-x"]]) {
    assert.equal(second?.args[second.args.indexOf(kept[0] ?? "") + 1], kept[1]);
  }
  assert.ok(timeOf(second?.startedAt) >= await limitOf(codex), "nothing is tried before the limit lifts");
});

Deno.test("F28: a usage limit holds back the queue of its account and of no other, and one run finds out that it has lifted", async () => {
  await using codex = await installFakeCodex();
  await using other = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  const limited = await startTask(swarm, "fake:usage_limit(2)");
  await waitForStatus(swarm, limited, "waiting");
  const queued = await Promise.all([1, 2, 3].map((number) => startTask(swarm, `fake:say(${number})`)));
  for (const id of queued) assert.equal((await lookAt(swarm, id)).status, "waiting");
  const free = await swarm.call("codex", { prompt: "fake:say(free)", env: { CODEX_HOME: other.home } });
  assert.equal(free.text.split("\n")[0], "free");

  // It does not lift when it said.
  await extendLimit(codex, 4);
  const { structured: { tasks } } = await swarm.call("codex_wait", { task_ids: [limited, ...queued] });
  assert.deepEqual(tasks.map(({ status }: { readonly status: string }) => status), Array(4).fill("completed"));
  const runs = codex.ledger();
  // The one that met the limit, one probe while it still holds, and then each once.
  assert.equal(runs.filter(({ prompt }) => prompt !== "fake:say(free)").length, 1 + 1 + 4);
});

Deno.test("--on-usage-limit fail ends a task at its limit", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex, args: ["--on-usage-limit", "fail"] });
  const id = await startTask(swarm, "fake:usage_limit(3600)");
  const { failure, status } = await waitForStatus(swarm, id, "failed");
  assert.deepEqual([status, failure.class, Date.parse(failure.resets_at)], [
    "failed",
    "usage_limit",
    Math.ceil(await limitOf(codex) / 1_000) * 1_000,
  ]);
  assert.equal(codex.ledger().length, 1);
});

Deno.test("--on-usage-limit fail ends a task at a limit that another server's has met, without a try", async () => {
  await using codex = await installFakeCodex();
  await using patient = await startSwarm({ codex });
  await using swarm = await startSwarm({
    codex,
    stateDir: patient.stateDir,
    cwd: patient.cwd,
    args: ["--on-usage-limit", "fail"],
  });
  const met = await startTask(patient, "fake:usage_limit(3600)");
  const { waiting_until: until } = await waitForStatus(patient, met, "waiting");
  const { text, isError, structured } = await swarm.call("codex", { prompt: "fake:say(never)" });
  assert.deepEqual([isError, structured.status, structured.failure.class, structured.failure.resets_at], [
    true,
    "failed",
    "usage_limit",
    until,
  ]);
  assert.match(text, /has met its usage limit/);
  assert.deepEqual([codex.ledger().length, (await lookAt(patient, met)).status], [1, "waiting"]);
});

Deno.test("F28: a task that waits for a usage limit goes on when its server was killed meanwhile", async () => {
  await using codex = await installFakeCodex();
  await using next = await startSwarm({ codex });
  const { stateDir, cwd } = next;
  let id = "";
  {
    await using first = await startSwarm({ codex, stateDir, cwd });
    id = await startTask(first, "fake:say(half) fake:usage_limit(2)");
    await waitForStatus(first, id, "waiting");
    first.process.kill("SIGKILL");
    await first.process.ended;
  }
  assert.equal((await lookAt(next, id)).status, "waiting");
  const { structured: { tasks: [task] } } = await next.call("codex_wait", { task_ids: [id] });
  assert.deepEqual([task.status, codex.ledger().length], ["completed", 2]);
});

Deno.test("a task that waits for a usage limit can be stopped, by any server", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  await using other = await startSwarm({ codex, stateDir: swarm.stateDir, cwd: swarm.cwd });
  const [one, two] = await Promise.all([1, 2].map(() => startTask(swarm, "fake:say(half) fake:usage_limit(3600)")));
  assert.ok(one !== undefined && two !== undefined);
  for (const id of [one, two]) await waitForStatus(swarm, id, "waiting");
  const cancelled = [
    await swarm.call("codex_cancel", { task_id: one }),
    await other.call("codex_cancel", { task_id: two }),
  ];
  assert.deepEqual(cancelled.map(({ text }) => text), [`Task ${one}: Task cancelled`, `Task ${two}: Task cancelled`]);
  assert.deepEqual(cancelled.map(({ structured }) => structured.status), ["cancelled", "cancelled"]);
});

Deno.test("a probe that is stopped before the model has answered lets only the next one try", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  const first = await startTask(swarm, "fake:usage_limit(1)");
  await waitForStatus(swarm, first, "waiting");
  const prompts = [1, 2, 3].map((number) => `fake:hold(${number})`);
  const queued = await Promise.all(prompts.map((prompt) => startTask(swarm, prompt)));
  await swarm.call("codex_cancel", { task_id: first });
  // The probe waits before it says a word; the others wait for it.
  const running = await waitFor(async () => {
    const states = await Promise.all(queued.map(async (id) => ({ id, status: (await lookAt(swarm, id)).status })));
    return states.find(({ status }) => status === "running")?.id;
  }, { message: "the probe to run" });
  await swarm.call("codex_cancel", { task_id: running });
  const next = await waitFor(async () => {
    const states = await Promise.all(queued.map(async (id) => ({ id, status: (await lookAt(swarm, id)).status })));
    return states.find(({ status }) => status === "running")?.id;
  }, { message: "the next probe to run" });
  const views = await Promise.all(queued.map((id) => lookAt(swarm, id)));
  assert.deepEqual(views.map(({ status }) => status).sort(), ["cancelled", "queued", "running"]);
  const phase = views.find(({ status }) => status === "queued")?.phase;
  assert.equal(phase, "queued (until another run has found out whether the usage limit has lifted)");
  await release(swarm, String(queued.indexOf(next) + 1));
  await waitForStatus(swarm, next, "completed");
  for (const [index, id] of queued.entries()) {
    await release(swarm, String(index + 1));
    if (id !== running) await waitForStatus(swarm, id, "completed");
  }
});

Deno.test("a task that was told more while its account is limited says that it waits, not that it runs", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  const id = await startTask(swarm, "fake:say(half) fake:hold(never)");
  const { thread_id: threadId } = await waitForTask(swarm, id, (task) => task.answer === "half");
  const limited = await startTask(swarm, "fake:usage_limit(3)");
  await waitForStatus(swarm, limited, "waiting");
  const reply = swarm.call("codex_reply", { threadId, prompt: "fake:say(told)", when: "now" });
  const { current_command, waiting_until } = await waitForStatus(swarm, id, "waiting");
  assert.equal(current_command, undefined);
  assert.equal(Date.parse(waiting_until), Math.ceil(await limitOf(codex) / 1_000) * 1_000);
  assert.equal((await reply).text, "told");
});
