/** Accounts whose quota is used up for some seconds, and what becomes of the real Codex's agents meanwhile. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type MockModel, type RecordedRequest, scripted } from "../helpers/mock_model.ts";
import { MOCK_KEY } from "../helpers/real_codex.ts";
import { type RealSwarm, startRealSwarm, turnContexts } from "../helpers/real_swarm.ts";
import { waitForStatus } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

const LIFTED = /^The usage limit .* has lifted/;

/** The requests that came from `from` on, and before `to` where there is one. */
function requestsBetween({ requests }: MockModel, from: Date, to?: Date): readonly RecordedRequest[] {
  return requests.filter(({ startedAt }) => startedAt >= from && (to === undefined || startedAt < to));
}

/** What a request tells the model of its conversation, prompts and answers alike. */
function conversation({ body }: RecordedRequest): string {
  return JSON.stringify(body.input);
}

for (
  const { where, before, kept } of [
    { where: "at its very first request", before: [], kept: [] },
    { where: "in the middle of its work", before: [{ shell: "echo halfway" }], kept: ["halfway"] },
  ]
) {
  Deno.test(`an agent that meets a usage limit ${where} waits for its end and goes on in its thread`, async () => {
    await using swarm = await startRealSwarm();
    const { model, home } = swarm;
    await Deno.mkdir(join(swarm.cwd, "inner"));
    const prompt = `Remember the melon. ${scripted(...before, { limit_account: { seconds: 4 }, say: "done" })}`;
    const id = await swarm.begin(prompt, { sandbox: "workspace-write", model: "gpt-5.5", cwd: "inner" });
    const waiting = await waitForStatus(swarm, id, "waiting");
    const until = new Date(waiting.waiting_until);
    const told = model.requests.length;
    const [task] = await swarm.ends(id);
    assert.deepEqual([task.status, task.answer, task.exit_code, task.thread_id], [
      "completed",
      "done",
      0,
      waiting.thread_id,
    ]);
    // Codex recorded the very second; nobody asked before.
    const later = model.requests.slice(told);
    const [resumed] = later;
    assert.equal(later.length, 1);
    assert.ok(resumed !== undefined && resumed.startedAt >= until && until.getTime() % 1_000 === 0);
    assert.match(resumed.prompt, LIFTED);
    for (const said of ["Remember the melon.", ...kept]) assert.ok(conversation(resumed).includes(said), said);
    const contexts = turnContexts(home, task.thread_id).map(({ cwd, model, sandbox_policy }) => ({
      cwd,
      model,
      sandbox: sandbox_policy.type,
    }));
    const context = { cwd: join(swarm.cwd, "inner"), model: "gpt-5.5", sandbox: "workspace-write" };
    assert.deepEqual(contexts, [context, context]);
  });
}

Deno.test("an agent waits for a usage limit of which only Codex's sentence tells", async () => {
  await using swarm = await startRealSwarm();
  const { model } = swarm;
  const prompt = scripted({ shell: "echo halfway" }, { limit_account: { seconds: 4, headers: false }, say: "done" });
  const { structured } = await swarm.call("codex", { prompt });
  assert.deepEqual([structured.status, structured.content], ["completed", "done"]);
  // The sentence knows minutes only: it is tried too early, but not again and again.
  const tries = model.requests.filter(({ prompt }) => LIFTED.test(prompt));
  assert.ok(tries.length >= 1 && tries.length <= 3, `${tries.length} tries`);
  const last = tries.at(-1);
  assert.ok(last !== undefined && conversation(last).includes("halfway"));
});

Deno.test("agents and the queue of a limited account wait together, and one finds out when they may go on", async () => {
  await using swarm = await startRealSwarm();
  const { model, cwd, home } = swarm;
  await swarm.call("codex", { prompt: "mock:hello" });
  const sandboxes = ["read-only", "workspace-write", "danger-full-access"];
  const running = await Promise.all(sandboxes.map(async (sandbox, index) => {
    await Deno.mkdir(join(cwd, `inner_${index}`));
    const wait = { shell: `until [ -e ../go ]; do sleep 0.1; done; echo halfway ${index}` };
    return await swarm.begin(scripted(wait, { say: `done ${index}` }), { sandbox, cwd: `inner_${index}` });
  }));
  for (const id of running) {
    await waitFor(async () => (await swarm.look(id)).current_command !== undefined, { message: "the command" });
  }
  const first = model.limitAccount(MOCK_KEY, { seconds: 6, headers: true });
  await Deno.writeTextFile(join(cwd, "go"), "");
  for (const id of running) {
    const { waiting_until } = await waitForStatus(swarm, id, "waiting");
    assert.equal(Date.parse(waiting_until), first.getTime());
  }
  const queued = await Promise.all([0, 1].map((number) => swarm.begin(`mock:say(queued ${number})`)));
  for (const id of queued) assert.equal((await swarm.look(id)).status, "waiting");
  const free = await swarm.call("codex", { prompt: "mock:say(free)", env: { CODEX_API_KEY: "another" } });
  assert.equal(free.structured.content, "free", "the limit is that of one account");
  assert.ok(Date.now() < first.getTime());

  // It turns out to last longer than was said.
  const second = model.limitAccount(MOCK_KEY, { seconds: (first.getTime() - Date.now()) / 1_000 + 4, headers: true });
  const tasks = await swarm.ends(...running, ...queued);
  assert.deepEqual(tasks.map(({ status, answer }) => [status, answer]), [
    ["completed", "done 0"],
    ["completed", "done 1"],
    ["completed", "done 2"],
    ["completed", "queued 0"],
    ["completed", "queued 1"],
  ]);
  const tries = requestsBetween(model, first, second);
  assert.equal(tries.length, 1, "one probe while the limit holds");
  const goOn = requestsBetween(model, second);
  assert.deepEqual(goOn.length, 5, "and one request of each when it has lifted");
  for (const index of running.keys()) {
    const { thread_id } = tasks[index];
    const context = { cwd: join(cwd, `inner_${index}`), sandbox: sandboxes[index] };
    const contexts = turnContexts(home, thread_id).map(({ cwd, sandbox_policy }) => ({
      cwd,
      sandbox: sandbox_policy.type,
    }));
    assert.ok(contexts.length >= 2);
    assert.deepEqual(contexts, contexts.map(() => context));
    assert.ok(
      goOn.some((request) => LIFTED.test(request.prompt) && conversation(request).includes(`halfway ${index}`)),
    );
  }
});

Deno.test("an agent that waits for a usage limit goes on when its server was killed meanwhile", async () => {
  await using first = await startRealSwarm();
  const { model, home, cwd, stateDir } = first;
  const id = await first.begin(
    scripted({ shell: "echo halfway" }, { limit_account: { seconds: 5 }, say: "done", usage: { input: 700 } }),
    { sandbox: "workspace-write" },
  );
  const queued = await waitFor(async () => {
    const { waiting_until } = await first.look(id);
    return waiting_until !== undefined && await first.begin("mock:say(queued)");
  }, { message: "the limit" });
  const { waiting_until, thread_id } = await first.look(id);
  first.process.kill("SIGKILL");
  await first.process.ended;
  await using second: RealSwarm = await startRealSwarm({ model, home, cwd, stateDir });
  for (const task of [await second.look(id), await second.look(queued)]) {
    assert.deepEqual([task.status, task.waiting_until], ["waiting", waiting_until]);
  }
  const tasks = await second.ends(id, queued);
  assert.deepEqual(tasks.map(({ status, answer }) => [status, answer]), [["completed", "done"], [
    "completed",
    "queued",
  ]]);
  assert.deepEqual([tasks[0].thread_id, tasks[0].usage.this_task.input_tokens], [thread_id, 800]);
  assert.deepEqual(turnContexts(home, thread_id).map(({ sandbox_policy }) => sandbox_policy.type), [
    "workspace-write",
    "workspace-write",
  ]);
  assert.equal(requestsBetween(model, new Date(waiting_until)).length, 2);
});

Deno.test("--on-usage-limit fail ends an agent at its limit, with the second at which that lifts", async () => {
  await using swarm = await startRealSwarm({ args: ["--on-usage-limit", "fail"] });
  const before = Date.now();
  const { structured, isError } = await swarm.call("codex", { prompt: scripted({ limit_account: { seconds: 3600 } }) });
  const { status, failure } = structured;
  assert.deepEqual([status, failure.class, isError], ["failed", "usage_limit", true]);
  const lifts = Date.parse(failure.resets_at);
  assert.ok(lifts % 1_000 === 0 && Math.abs(lifts - before - 3_600_000) < 20_000, failure.resets_at);
  assert.equal(swarm.model.requests.length, 1);
});
