import assert from "node:assert/strict";
import { startSwarm } from "../helpers/swarm.ts";
import { release, waitForStatus } from "../helpers/tasks.ts";

Deno.test("codex_async answers at once with the task id and what to call next", async () => {
  await using swarm = await startSwarm();
  const prompt = "fake:hold(go) fake:say(done)";
  const { text, structured, isError } = await swarm.call("codex_async", { prompt, label: "one" });
  const { task_id: id } = structured;
  assert.deepEqual(text.split("\n"), [
    `Codex task ${id} started.`,
    `Task ID: ${id}`,
    "Lifetime: detached (it runs on when this server ends)",
    "Sandbox: read-only (Codex default)",
    'Note: The agent cannot edit files: pass sandbox="workspace-write" to allow it.',
    "",
    "NOT TRACKED BY YOUR CLIENT: nothing will tell you when it ends. You MUST call " +
    `codex_wait(task_ids=["${id}"]) for the result, or codex_status(task_ids=["${id}"]) to check progress.`,
  ]);
  assert.equal(isError, false);
  // How far the agent has come by then is up to chance.
  const { status, phase, elapsed_seconds, started_at, silent_seconds, thread_id: _early, queue_position, ...rest } =
    structured;
  assert.ok(queue_position === undefined || (status === "queued" && queue_position === 1));
  assert.ok(["queued", "running"].includes(status) && phase.length > 0 && elapsed_seconds < 10, phase);
  assert.equal(status === "queued", started_at === undefined);
  assert.ok(silent_seconds === undefined || silent_seconds < 10);
  assert.deepEqual(rest, {
    task_id: id,
    label: "one",
    tools_called: 0,
    cwd: swarm.cwd,
    sandbox: { mode: "read-only", source: "Codex default", network: false },
    lifetime: "detached",
    notes: ['The agent cannot edit files: pass sandbox="workspace-write" to allow it.'],
    events_file: `${swarm.stateDir}/tasks/${id}/events.jsonl`,
    next: `Nothing will tell you when it ends: call codex_wait(task_ids=["${id}"]).`,
  });

  await release(swarm, "go");
  const { answer, thread_id } = await waitForStatus(swarm, id, "completed");
  assert.equal(answer, "done");

  const again = await swarm.call("codex_async", { prompt: "fake:say(again)", threadId: thread_id });
  assert.equal(again.structured.thread_id, thread_id);
  const { answer: second, thread_id: secondThread } = await waitForStatus(
    swarm,
    again.structured.task_id,
    "completed",
  );
  assert.deepEqual([second, secondThread], ["again", thread_id]);
});
