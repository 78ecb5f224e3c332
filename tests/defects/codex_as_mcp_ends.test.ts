/** Defects of codex-as-mcp in how agents ended; the numbers are those of the project's list. */
import assert from "node:assert/strict";
import { pidsOf, waitForAgent } from "../helpers/agents.ts";
import { installFakeCodex, installQuickCodex } from "../helpers/fake_codex.ts";
import { isAlive } from "../helpers/processes.ts";
import { startSwarm, type Swarm } from "../helpers/swarm.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { wrapCodex } from "../helpers/wrap_codex.ts";

const ignore = Deno.build.os === "windows";

async function waitUntilGone(pids: { readonly agent: number; readonly child: number }): Promise<void> {
  for (const [what, pid] of Object.entries(pids)) {
    assert.ok(pid > 0);
    await waitFor(async () => !await isAlive(pid), { message: `the ${what} ${pid} to be gone` });
  }
}

Deno.test({ name: "A4: an agent has ended when it has, whoever holds its output", ignore }, async () => {
  await using codex = await installFakeCodex();
  const held = wrapCodex(codex, `sleep 1000 & echo $! >'${codex.directory}/pid'`);
  await using swarm = await startSwarm({ codex: held });
  const start = performance.now();
  const { structured } = await swarm.call("spawn_agent", { prompt: "fake:say(done)" });
  assert.match(structured.result, /^done\n/);
  assert.ok(performance.now() - start < 5_000);
  Deno.kill(Number(await Deno.readTextFile(`${codex.directory}/pid`)), "SIGKILL");
});

Deno.test("A20: a call is answered when its agent has ended, or was started, not when a pause is over", async () => {
  await using codex = await installQuickCodex();
  Deno.mkdirSync(`${codex.home}/sessions`);
  await using swarm = await startSwarm({ codex });
  // Three times the 2 s that codex-as-mcp took for any run, which it was waiting for, and no more.
  const { structured: clock } = await swarm.call("spawn_agent_async", { prompt: "quick: seconds=6" });
  await waitFor(() => codex.ledger().length === 1, { message: "the clock to run" });
  for (let count = 0; count < 3; count++) {
    assert.equal((await swarm.call("spawn_agent", { prompt: "quick:" })).isError, false);
    // It slept 1.5 s before it gave an id away.
    assert.equal((await swarm.call("spawn_agent_async", { prompt: "quick: seconds=60" })).structured.status, "running");
  }
  const { structured: { agents } } = await swarm.call("list_running_agents");
  const running = agents.map(({ task_id }: { readonly task_id: string }) => task_id);
  assert.ok(running.includes(clock.task_id), "the clock has run down");
  assert.equal(codex.ledger()[0]?.exitCode, null);
});

const PROMPT = "fake:spawn_child(1000) fake:hold(never)";

Deno.test(
  { name: "A5: killed or out of time, with an agent end all processes that it has started", ignore },
  async () => {
    await using swarm = await startSwarm({ env: { CODEX_TIMEOUT_SECONDS: "3" } });
    const [timed, killed] = await Promise.all([1, 2].map(async () => {
      const { structured } = await swarm.call("spawn_agent_async", { prompt: PROMPT });
      return { id: structured.task_id, pids: await pidsOf(structured.log_file) };
    }));
    assert.ok(timed !== undefined && killed !== undefined);
    const { structured } = await swarm.call("kill_agent", { task_id: killed.id });
    assert.deepEqual([structured.killed, structured.other_processes_killed], [true, 1]);
    assert.deepEqual([await isAlive(killed.pids.agent), await isAlive(killed.pids.child)], [false, false]);
    const { error } = await waitForAgent(swarm, timed.id, "failed");
    assert.equal(error.code, "agent_timeout");
    await waitUntilGone(timed.pids);
  },
);

Deno.test(
  { name: "A6: a cancelled call ends its agents with all that they started, and they stay known", ignore },
  async () => {
    await using swarm = await startSwarm();
    const cancelling = new AbortController();
    const { signal } = cancelling;
    const calls = [
      swarm.call("spawn_agent", { prompt: PROMPT }, { signal }),
      swarm.call("spawn_agents_parallel", { agents: [{ prompt: PROMPT }] }, { signal }),
    ];
    const agents: { readonly log_file: string }[] = await waitFor(async () => {
      const { structured } = await swarm.call("list_running_agents");
      return structured.count === 2 && structured.agents;
    }, { message: "both agents to be listed" });
    const pids = await Promise.all(agents.map(({ log_file }) => pidsOf(log_file)));
    cancelling.abort();
    for (const call of calls) await assert.rejects(call);
    for (const one of pids) await waitUntilGone(one);
    await waitFor(async () => (await swarm.call("list_running_agents")).structured.count === 0, {
      message: "the agents to be unlisted",
    });
    const tasks: { readonly status: string }[] = await swarm.resource("tasks");
    assert.deepEqual(tasks.map(({ status }) => status), ["cancelled", "cancelled"]);
  },
);

const ENDS: readonly ((swarm: Swarm) => Promise<void> | void)[] = [
  ({ process }): Promise<void> => process.closeInput(),
  ({ process }): void => process.kill("SIGTERM"),
  // Nobody is left but the agent's shim.
  ({ process }): void => process.kill("SIGKILL"),
];

Deno.test(
  { name: "A7: however their server ends, agents end with it, and with them all they started", ignore },
  async () => {
    await using codex = await installFakeCodex();
    await Promise.all(ENDS.map(async (end) => {
      await using swarm = await startSwarm({ codex, args: ["--orphan-grace", "1"] });
      const { structured } = await swarm.call("spawn_agent_async", { prompt: PROMPT });
      const blocking = swarm.call("spawn_agent", { prompt: PROMPT }).catch(() => undefined);
      const second = await waitFor(async () => (await swarm.call("list_running_agents")).structured.agents[1], {
        message: "both agents to be listed",
      });
      const pids = await Promise.all([structured.log_file, second.log_file].map(pidsOf));
      await end(swarm);
      await swarm.process.ended;
      for (const one of pids) await waitUntilGone(one);
      await blocking;
    }));
  },
);
