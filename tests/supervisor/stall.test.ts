import assert from "node:assert/strict";
import { startSwarm } from "../helpers/swarm.ts";
import { release, startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

/** A task's data as `codex_status` gives them. */
// deno-lint-ignore no-explicit-any
type TaskData = any;

const isStalled = (task: TaskData): boolean => task.stalled === true;
const isSilent = (task: TaskData): boolean => task.silence !== undefined;

Deno.test("F17, B24: an agent in which nothing moves is told as stalled, is not stopped, and is no longer so when it goes on", async () => {
  await using swarm = await startSwarm({ args: ["--stall-after", "1"] });
  const id = await startTask(swarm, "fake:say(half) fake:hold(go) fake:say(whole) fake:hold(on)");
  const { silence, status } = await waitForTask(swarm, id, isStalled);
  assert.match(
    silence,
    /^silent \d+ s; waiting for the model or hung, cannot tell \(process (sleeping|running)\); stalled: no CPU time used, no files changed$/,
  );
  assert.equal(status, "running");
  const { text } = await swarm.call("codex_status", { task_ids: [id] });
  assert.match(
    text,
    /^Silent: \d+ s; waiting for the model or hung, cannot tell \(process (sleeping|running)\); stalled/m,
  );
  // Who waits is told as well.
  const told: string[] = [];
  const waiting = swarm.call("codex_wait", { task_ids: [id] }, { onProgress: (message) => void told.push(message) });
  await waitFor(() => told.length > 0, { message: "progress" });
  assert.match(told[0] ?? "", /^0\/1 done; [0-9a-f]{8}: silent \d+ s; waiting for the model/);

  await release(swarm, "go");
  // A second later it is silent again.
  await waitForTask(swarm, id, (task) => task.answer === "whole" && !isSilent(task) && !isStalled(task));
  await release(swarm, "on");
  assert.equal((await waiting).structured.tasks[0].status, "completed");
});

for (
  const { what, command } of [
    { what: "uses CPU time", command: "while ! [ -e go ]; do :; done" },
    { what: "changes files", command: "while ! [ -e go ]; do : >changed; sleep 0.5; done" },
  ]
) {
  Deno.test(`F17: a silent agent whose command ${what} is not stalled (control)`, async () => {
    await using swarm = await startSwarm({ args: ["--stall-after", "1"] });
    const id = await startTask(swarm, `fake:run(${command})`, { sandbox: "danger-full-access" });
    const started = performance.now();
    const seen: string[] = [];
    await waitForTask(swarm, id, (task) => {
      if (isSilent(task)) seen.push(String(task.stalled));
      // Long enough to be found stalled three times over.
      return performance.now() - started > 4_000;
    });
    assert.deepEqual([...new Set(seen)], ["undefined"]);
    const { text } = await swarm.call("codex_status", { task_ids: [id] });
    assert.match(text, /^Silent: \d+ s; running a command \(process (sleeping|running)\)$/m);
    await release(swarm, "go");
    await waitForStatus(swarm, id, "completed");
  });
}

Deno.test("F17, B24: --stall-action stop ends an agent in which nothing moves", async () => {
  await using swarm = await startSwarm({ args: ["--stall-after", "1", "--stall-action", "stop"] });
  const id = await startTask(swarm, "fake:say(half) fake:hold(never)");
  const { status, stop_reason, failure, answer } = await waitForStatus(swarm, id, "failed");
  assert.deepEqual([status, stop_reason, failure.class, answer], ["failed", "stalled", "timeout", "half"]);
});

Deno.test("an agent that waits for its network says so", async () => {
  await using swarm = await startSwarm({ args: ["--stall-after", "1"] });
  const id = await startTask(swarm, "fake:offline");
  const { silence } = await waitForTask(swarm, id, isStalled);
  assert.match(silence, /^silent \d+ s; waiting for network \(process (sleeping|running)\); stalled/);
  await swarm.call("codex_cancel", { task_id: id });
});
