import assert from "node:assert/strict";
import { join } from "node:path";
import { startSwarm } from "../helpers/swarm.ts";
import { release, startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";

Deno.test("a task whose directory somebody removes ends with its agent, and gives its slot to the next", async () => {
  await using swarm = await startSwarm({ args: ["--max-concurrent", "1"] });
  const id = await startTask(swarm, "fake:say(half) fake:hold(go)");
  await waitForTask(swarm, id, (task) => task.answer === "half");
  const next = await startTask(swarm, "fake:say(next)");
  const waiting = swarm.call("codex_wait", { task_ids: [id] });
  await Deno.remove(join(swarm.stateDir, "tasks", id), { recursive: true });
  await release(swarm, "go");
  const { structured: { tasks: [task] } } = await waiting;
  assert.deepEqual([task.status, task.exit_code], ["interrupted", null]);
  assert.equal((await waitForStatus(swarm, next, "completed")).answer, "next");
});

Deno.test("an answer whose own file is not there is told from the events, by any server", async () => {
  await using swarm = await startSwarm();
  const { structured: { task_id: id } } = await swarm.call("codex", { prompt: "fake:say(the answer)" });
  await Deno.remove(join(swarm.stateDir, "tasks", id, "answer.md"));
  await using other = await startSwarm(swarm);
  for (const server of [swarm, other]) {
    const { structured: { tasks: [task] }, text } = await server.call("codex_wait", { task_ids: [id] });
    assert.deepEqual([task.status, task.answer], ["completed", "the answer"]);
    assert.match(text, /the answer/);
  }
});
