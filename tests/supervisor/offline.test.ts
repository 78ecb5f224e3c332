import assert from "node:assert/strict";
import { join } from "node:path";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { startTask, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

Deno.test("a task that waits for the network says so, and ends after --offline-timeout with its thread kept", async () => {
  await using swarm = await startSwarm({ args: ["--offline-timeout", "1s"] });
  const id = await startTask(swarm, "fake:say(half way) fake:offline");
  const waiting = await waitForTask(swarm, id, (task) => task.waiting_for_network !== undefined);
  assert.equal(waiting.phase, "waiting for network");
  assert.match(waiting.waiting_for_network, /^Reconnecting\.\.\. waiting for network/);
  const { text } = await swarm.call("codex_status", { task_ids: [id] });
  assert.match(text, /^Phase: waiting for network$/m);

  const { structured } = await swarm.call("codex_wait", { task_ids: [id] });
  const { status, stop_reason, failure, thread_id: threadId } = structured.tasks[0];
  assert.deepEqual([status, stop_reason, failure.class, failure.retryable], ["failed", "offline", "network", true]);
  assert.match(failure.message, /thread is resumable/);
  const { text: reply } = await swarm.call("codex_reply", { threadId, prompt: "fake:say(back again)" });
  assert.equal(reply, "back again");
});

Deno.test("a short loss of the network ends nothing", async () => {
  await using swarm = await startSwarm();
  const { text, structured } = await swarm.call("codex", { prompt: "fake:reconnect(3) fake:say(there)" });
  assert.ok(text.startsWith("there\n"));
  assert.equal(structured.status, "completed");
});

Deno.test("a task that waits for the network ends though nobody looks at it", async () => {
  await using codex = await installFakeCodex();
  // On a used home not even its start is looked at.
  await Deno.mkdir(join(codex.home, "sessions"));
  await using swarm = await startSwarm({ codex, args: ["--offline-timeout", "0.2s"] });
  const id = await startTask(swarm, "fake:offline");
  const record = join(swarm.stateDir, "tasks", id, "task.json");
  await waitFor(async () => JSON.parse(await Deno.readTextFile(record)).state.status === "failed", {
    message: "the task to be ended",
  });
});
