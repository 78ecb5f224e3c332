import assert from "node:assert/strict";
import { join } from "node:path";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { isAlive } from "../helpers/processes.ts";
import { readNotedRun } from "../../src/process/run_files.ts";
import { taskIdOf } from "../../src/task/agent_id.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { release, startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";

Deno.test("a task is stopped by a server that has seen it queued last", async () => {
  await using codex = await installFakeCodex();
  await using owner = await startSwarm({ codex, args: ["--max-concurrent", "1"] });
  const { stateDir, cwd } = owner;
  await using other = await startSwarm({ codex, stateDir, cwd });
  await startTask(owner, "fake:hold(go)");
  const id = await startTask(owner, "fake:say(begun) fake:hold(never)");
  await waitForStatus(other, id, "queued");
  await release(owner, "go");
  // Not by the other server, which would see it run then.
  await waitFor(() => codex.ledger().length === 2, { message: "the task to start" });
  const { text } = await other.call("codex_cancel", { task_id: id });
  assert.equal(text, `Task ${id}: Task cancelled`);
});

Deno.test(
  { name: "a cancel ends what an agent has left behind whose end nobody has written down yet", ignore },
  async () => {
    await using codex = await installFakeCodex();
    await using driver = await startSwarm({ codex });
    const { stateDir, cwd } = driver;
    await using other = await startSwarm({ codex, stateDir, cwd });
    const id = await startTask(
      driver,
      "fake:run(nohup sleep 1000 >/dev/null 2>&1 & echo $! >child.pid) fake:hold(go)",
      {
        sandbox: "danger-full-access",
      },
    );
    const pid = await waitFor(async () => Number(await Deno.readTextFile(join(cwd, "child.pid"))), {
      message: "the agent's child",
    });
    driver.process.kill("SIGSTOP");
    try {
      await release(driver, "go");
      await waitFor(() => Deno.statSync(join(stateDir, "tasks", id, "exit")), { message: "the agent's end" });
      const cancel = other.call("codex_cancel", { task_id: id });
      await waitFor(async () => !await isAlive(pid), { message: "the child to be ended" });
      driver.process.kill("SIGCONT");
      await cancel;
    } finally {
      driver.process.kill("SIGCONT");
    }
  },
);

Deno.test(
  { name: "an agent whose end its server cannot note is not said to run, nor not to end", ignore },
  async () => {
    await using codex = await installFakeCodex();
    await using driver = await startSwarm({ codex, args: ["--max-concurrent", "2"] });
    const { stateDir, cwd } = driver;
    await using other = await startSwarm({ codex, stateDir, cwd, args: ["--max-wait", "1s"] });
    const ending = await startTask(driver, "fake:say(half) fake:hold(go)");
    const working = await startTask(driver, "fake:say(half) fake:hold(never)");
    for (const id of [ending, working]) await waitForTask(other, id, (task) => task.answer === "half");
    const queued = await startTask(driver, "fake:say(never)");
    await waitForStatus(other, queued, "queued");
    driver.process.kill("SIGSTOP");
    try {
      await release(driver, "go");
      const ended = "agent has ended (exit code 0), which its server has not noted yet";
      await waitForTask(other, ending, (task) => task.phase === ended);
      assert.match(
        (await other.call("codex_wait", { task_ids: [ending] })).text,
        new RegExp(`STILL OPEN: ${RegExp.escape(ended)}`),
      );
      const cancels = [ending, working, queued].map((id) => other.call("codex_cancel", { task_id: id }));
      assert.deepEqual((await Promise.all(cancels)).map(({ text }) => text), [
        `Task ${ending}: Task's ${ended}`,
        `Task ${working}: Task's agent has ended (exit code 1), which its server has not noted yet`,
        `Task ${queued}: Task's agent will not run any more, which its server has not noted yet`,
      ]);
    } finally {
      driver.process.kill("SIGCONT");
    }
    await waitForStatus(other, ending, "completed");
    for (const id of [working, queued]) await waitForStatus(other, id, "cancelled");
  },
);

Deno.test({ name: "an agent that was killed is said to have ended while its shim stands still", ignore }, async () => {
  await using swarm = await startSwarm();
  const { structured: { task_id } } = await swarm.call("spawn_agent_async", {
    prompt: "fake:say(half) fake:hold(never)",
  });
  const id = taskIdOf(task_id);
  await waitForTask(swarm, id, (task) => task.answer === "half");
  const noted = await readNotedRun(join(swarm.stateDir, "tasks", id));
  assert.ok(noted !== null);
  Deno.kill(noted.shim.pid, "SIGSTOP");
  try {
    const { structured: { message, killed, signal_used } } = await swarm.call("kill_agent", { task_id });
    const words = "has ended (exit code not known yet), which its server has not noted yet";
    assert.deepEqual([message, killed, signal_used], [`Agent ${task_id} ${words}.`, true, "SIGTERM"]);
    assert.equal((await waitForTask(swarm, id, () => true)).phase, `agent ${words}`);
  } finally {
    Deno.kill(noted.shim.pid, "SIGCONT");
  }
  await waitForStatus(swarm, id, "cancelled");
});
