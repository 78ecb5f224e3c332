/** One process of a run is killed, its shim or its agent: what can be known of the run is told, and nothing else. */
import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { readNotedRun } from "../../src/process/run_files.ts";
import { isAlive } from "../helpers/processes.ts";
import { type ServersYard, serversYard } from "../helpers/servers_yard.ts";
import { lookAt, release, startTask, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";

async function pidsOf(yard: ServersYard, id: string): Promise<{ readonly shim: number; readonly agent: number }> {
  const noted = await waitFor(() => readNotedRun(yard.task(id)), { message: "the run to note itself" });
  return { shim: noted.shim.pid, agent: noted.agent.pid };
}

/** Makes all servers look at a task at once: the shim that would do it is gone. */
async function ring(yard: ServersYard, id: string): Promise<void> {
  await Deno.writeTextFile(join(yard.stateDir, "ended", basename(id)), "");
}

Deno.test(
  { name: "F3: an agent whose shim was killed is shown, can be cancelled, and its end is no guess", ignore },
  async () => {
    await using yard = await serversYard();
    await using swarm = await yard.start();
    const prompts = [
      "fake:hold(go) fake:say(whole)",
      // It even ends with code 0, but Codex has said nothing of the end of its turn.
      "fake:say(half) fake:hold(go) fake:no_terminal",
      "fake:hold(go) fake:fail(it broke)",
      "fake:hold(never)",
      // Its shim lives (control).
      "fake:hold(go) fake:no_terminal",
    ];
    const ids = await Promise.all(prompts.map((prompt) => startTask(swarm, prompt)));
    for (const id of ids) await waitForTask(swarm, id, ({ thread_id }) => thread_id !== undefined);
    const [cancelled = "", control = ""] = ids.slice(3);
    const lost = ids.filter((id) => id !== control);
    const { agent } = await pidsOf(yard, cancelled);
    await Promise.all(lost.map(async (id) => {
      const { shim } = await pidsOf(yard, id);
      Deno.kill(shim, "SIGKILL");
      await waitFor(async () => !await isAlive(shim), { message: "the shim to be gone" });
      await ring(yard, id);
      await waitForTask(swarm, id, ({ status, phase }) => status === "running" && phase === "running (shim lost)");
    }));
    assert.equal((await lookAt(swarm, control)).phase, "running");

    await swarm.call("codex_cancel", { task_id: cancelled });
    assert.equal(await isAlive(agent), false);
    await release(swarm, "go");
    await waitFor(() => yard.codex.ledger().filter(({ exitCode }) => exitCode !== null).length >= 4, {
      message: "all agents to end",
    });
    for (const id of lost) await ring(yard, id);
    await swarm.call("codex_wait", { task_ids: ids });
    const ends = await Promise.all(ids.map((id) => lookAt(swarm, id)));
    assert.deepEqual(
      ends.map(({ status, exit_code, status_inferred }) => [status, exit_code, status_inferred === true]),
      [
        ["completed", null, true],
        ["interrupted", null, false],
        ["failed", null, true],
        ["cancelled", null, false],
        ["failed", 0, false],
      ],
    );
    assert.ok(ends[1].thread_id, "an interrupted task can be resumed by its thread");
  },
);

Deno.test(
  { name: "F4: an agent that is killed fails by SIGKILL, with a word on memory, and no other with it", ignore },
  async () => {
    await using yard = await serversYard();
    await using swarm = await yard.start();
    const [killed, other] = [await startTask(swarm, "fake:hold(never)"), await startTask(swarm, "fake:hold(go)")];
    for (const id of [killed, other]) await waitForTask(swarm, id, ({ thread_id }) => thread_id !== undefined);
    Deno.kill((await pidsOf(yard, killed)).agent, "SIGKILL");
    await swarm.call("codex_wait", { task_ids: [killed] });
    const { status, exit_code, failure } = await lookAt(swarm, killed);
    assert.deepEqual([status, exit_code, failure.class], ["failed", 137, "killed"]);
    assert.match(failure.message, /137 \(SIGKILL or its own exit 137\).* \(oom: (no|unknown)\)/);
    assert.equal((await lookAt(swarm, other)).status, "running");
    await release(swarm, "go");
    await swarm.call("codex_wait", { task_ids: [other] });
    assert.equal((await lookAt(swarm, other)).status, "completed");
  },
);
