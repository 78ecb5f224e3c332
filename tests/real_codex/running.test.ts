/** Agents of the real Codex side by side, stopped, and left behind. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { isRunning, uniqueSleep } from "../helpers/agent_processes.ts";
import { scripted } from "../helpers/mock_model.ts";
import { joinGathering, startRealSwarm } from "../helpers/real_swarm.ts";
import { waitFor } from "../helpers/wait_for.ts";

const EIGHT = Array.from({ length: 8 }, (_value, index) => index);

Deno.test("eight agents work at the same time", async () => {
  await using swarm = await startRealSwarm();
  await swarm.call("codex", { prompt: "mock:hello" });
  const ids = await Promise.all(EIGHT.map((index) => swarm.begin("mock:gather(8)", { label: `agent ${index}` })));
  const tasks = await swarm.ends(...ids);
  assert.deepEqual(
    tasks.map(({ status, answer, label }) => ({ status, answer, label })),
    EIGHT.map((index) => ({
      status: "completed",
      answer: "gathered",
      label: `agent ${index}`,
    })),
  );
  assert.equal(swarm.model.maxInFlight, 8);
  assert.equal(new Set(tasks.map(({ thread_id }) => thread_id)).size, 8);
});

Deno.test("eight agents at once on a brand-new CODEX_HOME: the first sets it up alone", async () => {
  await using swarm = await startRealSwarm();
  const ids = await Promise.all(EIGHT.map(() => swarm.begin("mock:hello")));
  const tasks = await swarm.ends(...ids);
  assert.deepEqual(tasks.map(({ status, exit_code }) => [status, exit_code]), EIGHT.map(() => ["completed", 0]));
  const started = tasks.map(({ started_at }) => Date.parse(started_at)).sort((a, b) => a - b);
  const [first = 0, second = 0] = started;
  // Codex itself notes when it is ready for a thread.
  const ready = await Deno.stat(join(swarm.home, "thread-writer-locks"));
  assert.ok(first < second && second >= (ready.birthtime?.getTime() ?? 0));
  for (const { events_file } of tasks) {
    const stderr = await Deno.readTextFile(events_file.replace("events.jsonl", "stderr.log"));
    assert.doesNotMatch(stderr, /database is locked|sqlite|system skills/i);
  }
});

for (const sandbox of ["workspace-write", "danger-full-access"]) {
  Deno.test(`codex_cancel ends the command of an agent in ${sandbox}`, async () => {
    await using swarm = await startRealSwarm();
    const command = uniqueSleep();
    const id = await swarm.begin(scripted({ shell: command }, { say: "slept" }), { sandbox });
    await waitFor(() => isRunning(command), { message: "the command", timeoutMs: 20_000 });
    await waitFor(async () => (await swarm.look(id)).phase === `running(/bin/bash -lc '${command}')`, {
      message: "the command in the status",
    });
    const { text, structured } = await swarm.call("codex_cancel", { task_id: id });
    assert.deepEqual([text, structured.status, structured.stop_reason], [
      `Task ${id}: Task cancelled`,
      "cancelled",
      "cancelled",
    ]);
    assert.equal(await isRunning(command), false);
    const reply = await swarm.call("codex_reply", { threadId: structured.thread_id, prompt: "mock:say(back again)" });
    assert.deepEqual([reply.structured.status, reply.structured.content], ["completed", "back again"]);
  });
}

Deno.test("codex stops its agent when the client cancels the call", async () => {
  await using swarm = await startRealSwarm();
  const command = uniqueSleep();
  const cancelling = new AbortController();
  const call = swarm.call("codex", { prompt: scripted({ shell: command }) }, { signal: cancelling.signal });
  await waitFor(() => isRunning(command), { message: "the command", timeoutMs: 20_000 });
  cancelling.abort();
  await assert.rejects(call);
  const [entry] = await waitFor(async () => {
    const tasks = await swarm.resource("tasks");
    return tasks[0].status === "cancelled" && tasks;
  }, { message: "the task's end" });
  assert.equal(typeof entry.thread_id, "string");
  assert.equal(await isRunning(command), false);
});

Deno.test("codex ends at its timeout, and its thread goes on afterwards", async () => {
  await using swarm = await startRealSwarm();
  const { structured, text, isError } = await swarm.call("codex", { prompt: "mock:hang(body)", timeout: 1 });
  assert.deepEqual([structured.status, structured.failure.class, isError], ["timed_out", "timeout", true]);
  assert.match(text, /^Error: Codex execution timed out/);
  const reply = await swarm.call("codex_reply", { threadId: structured.threadId, prompt: "mock:hello" });
  assert.equal(reply.structured.content, "hello from the mock");
});

Deno.test("codex_async goes on after its server has ended, and another server tells the answer", async () => {
  await using first = await startRealSwarm();
  const id = await first.begin(scripted({ shell: "exit 3" }, { gather: 2, say: "outlived" }));
  await waitFor(() => first.model.requests.length === 2, { message: "the agent to wait", timeoutMs: 20_000 });
  await first.process.close();
  const { model, home, cwd, stateDir } = first;
  await using second = await startRealSwarm({ model, home, cwd, stateDir });
  assert.equal((await second.look(id)).status, "running");
  await joinGathering(first.model);
  const [task] = await second.ends(id);
  assert.deepEqual([task.status, task.answer, task.exit_code, task.exit_code_lost, task.last_command.exit_code], [
    "completed",
    "outlived",
    0,
    undefined,
    3,
  ]);
});

Deno.test("codex ends its agent when the server ends", async () => {
  await using swarm = await startRealSwarm();
  const command = uniqueSleep();
  const call = swarm.call("codex", { prompt: scripted({ shell: command }) }).catch(() => undefined);
  await waitFor(() => isRunning(command), { message: "the command", timeoutMs: 20_000 });
  swarm.process.kill("SIGTERM");
  await swarm.process.ended;
  await swarm.client.close();
  await call;
  assert.equal(await isRunning(command), false);
});
