import assert from "node:assert/strict";
import { join } from "node:path";
import { errorOf, plain, startAgent, waitForAgent, waitForLog } from "../helpers/agents.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { isAlive } from "../helpers/processes.ts";
import { type Answer, startSwarm, type Swarm } from "../helpers/swarm.ts";
import { waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

const LOG = "STATE/agent_logs/codex_agent_LOG";

/** Starts an agent and waits until it is at work. */
async function startWorking(swarm: Swarm, prompt: string): Promise<string> {
  const id = await startAgent(swarm, `${prompt} fake:say(ready) fake:hold(never)`);
  await waitForTask(swarm, id, ({ answer }) => answer === "ready");
  return id;
}

Deno.test("kill_agent says which signals it took, and that only which were sent", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  const gentle = await startWorking(swarm, "");
  const pid = codex.ledger()[0]?.pid ?? 0;
  const before = performance.now();
  const answer = await swarm.call("kill_agent", { task_id: gentle });
  assert.ok(performance.now() - before < 4_000, "a whole timeout was waited for");
  assert.deepEqual(JSON.parse(plain(answer.text, swarm)), {
    task_id: "AGENT_ID",
    killed: true,
    pid,
    signal_used: "SIGTERM",
    message: "Successfully killed agent AGENT_ID with SIGTERM.",
    log_file: LOG,
  });
  assert.equal(await isAlive(pid), false);
  assert.equal((await waitForAgent(swarm, gentle, "killed")).status, "killed");
  await waitForLog(answer.structured.log_file, /WARNING","event":"agent_failed","message":"Agent was killed"/);

  const stubborn = await startWorking(swarm, "fake:ignore_term");
  const climbed = await swarm.call("kill_agent", { task_id: stubborn, timeout: 0.2 });
  assert.deepEqual([climbed.structured.killed, climbed.structured.signal_used], [true, "SIGTERM->SIGKILL"]);
  const forced = await startWorking(swarm, "fake:ignore_term");
  const killed = await swarm.call("kill_agent", { task_id: forced, force: true, timeout: 10_000_000 });
  assert.deepEqual([killed.structured.killed, killed.structured.signal_used], [true, "SIGKILL"]);

  // Killed stays killed.
  for (const task_id of [gentle, stubborn, forced]) {
    assert.equal((await swarm.call("get_agent_status", { task_id })).structured.status, "killed");
  }
  const again = await swarm.call("kill_agent", { task_id: gentle });
  assert.deepEqual([again.isError, JSON.parse(plain(again.text, swarm))], [false, {
    task_id: "AGENT_ID",
    killed: false,
    message: "Agent AGENT_ID is not running: it is killed.",
  }]);
});

Deno.test("kill_agent ends a blocking agent by its sync id, and a queued one", async () => {
  await using swarm = await startSwarm({ args: ["--max-concurrent", "1"] });
  const blocking = swarm.call("spawn_agent", { prompt: "fake:say(ready) fake:hold(never)" });
  const sync = await waitFor(async () => {
    const { agents } = (await swarm.call("list_running_agents")).structured;
    return agents[0]?.pid > 0 && agents[0].task_id;
  }, { message: "the blocking agent to be listed with its process" });
  assert.match(sync, /^sync_\d+$/);
  const queued = await startAgent(swarm, "fake:say(never said)");
  const { structured } = await swarm.call("kill_agent", { task_id: queued });
  assert.deepEqual([structured.killed, structured.pid, structured.signal_used], [true, null, null]);
  const { structured: killed } = await swarm.call("kill_agent", { task_id: sync });
  assert.deepEqual([killed.killed, killed.pid], [true, Number(sync.slice(5))]);
  const ended = await blocking;
  assert.deepEqual([errorOf(ended).code, ended.structured.status], ["killed_by_user", "killed"]);
  assert.equal((await swarm.call("list_running_agents")).structured.count, 0);
});

Deno.test("kill_agent does not claim an agent that ended before it was sent a signal", async () => {
  await using swarm = await startSwarm();
  const id = await startWorking(swarm, "");
  const directory = join(swarm.stateDir, "tasks", id.slice(-8));
  const [, shim, , agent] = (await Deno.readTextFile(join(directory, "process"))).split(" ").map(Number);
  assert.ok(shim !== undefined && agent !== undefined);
  // Nobody writes down that the agent has ended until its shim goes on.
  Deno.kill(shim, "SIGSTOP");
  let killing: Promise<Answer>;
  try {
    Deno.kill(agent, "SIGKILL");
    await waitFor(async () => !await isAlive(agent), { message: "the agent to end" });
    killing = swarm.call("kill_agent", { task_id: id });
    await waitFor(() => Deno.stat(join(directory, "stop")), { message: "the agent to be stopped" });
  } finally {
    Deno.kill(shim, "SIGCONT");
  }
  assert.deepEqual((await killing).structured, {
    task_id: id,
    killed: false,
    message: `Agent ${id} is not running: it is killed.`,
  });
});

Deno.test("kill_agent refuses what it cannot do", async () => {
  await using swarm = await startSwarm();
  const unknown = errorOf(await swarm.call("kill_agent", { task_id: "codex_20260101_000000_00000000" }));
  assert.deepEqual([unknown.code, unknown.kind], ["agent_not_found", "validation_error"]);
  assert.match(unknown.message, /list_running_agents/);
  const negative = errorOf(await swarm.call("kill_agent", { task_id: "00000000", timeout: -1 }));
  assert.deepEqual([negative.code, negative.kind], ["invalid_argument", "validation_error"]);
  assert.match(negative.message, /timeout/);
});
