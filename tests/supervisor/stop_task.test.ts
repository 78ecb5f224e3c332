import assert from "node:assert/strict";
import { join } from "node:path";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { isAlive } from "../helpers/processes.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { release, startTask, waitForStatus } from "../helpers/tasks.ts";
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
