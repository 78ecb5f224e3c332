import assert from "node:assert/strict";
import { join } from "node:path";
import { readNotedRun } from "../../src/process/run_files.ts";
import { taskIdOf } from "../../src/task/agent_id.ts";
import { isAlive } from "../helpers/processes.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { release, startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";

// Without a shim only what is noted tells of an agent.
const ignore = Deno.build.os === "windows";

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

for (const removed of ["process", "."]) {
  const what = removed === "." ? "directory" : "notes";
  Deno.test({ name: `an agent whose task's ${what} somebody has removed is killed as any other`, ignore }, async () => {
    await using swarm = await startSwarm();
    const { structured: { task_id } } = await swarm.call("spawn_agent_async", {
      prompt: "fake:say(x) fake:hold(never)",
    });
    const id = taskIdOf(task_id);
    await waitForTask(swarm, id, (task) => task.answer === "x");
    const directory = join(swarm.stateDir, "tasks", id);
    const agent = (await readNotedRun(directory))?.agent.pid ?? 0;
    assert.ok(await isAlive(agent));
    await Deno.remove(join(directory, removed), { recursive: true });
    const { structured } = await swarm.call("kill_agent", { task_id });
    assert.deepEqual([structured.killed, structured.signal_used], [true, "SIGTERM"]);
    assert.equal(await isAlive(agent), false);
  });
}

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
