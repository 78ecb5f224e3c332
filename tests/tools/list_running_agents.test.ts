import assert from "node:assert/strict";
import { plain, startAgent } from "../helpers/agents.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { release, startTask } from "../helpers/tasks.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { waitFor } from "../helpers/wait_for.ts";

Deno.test("list_running_agents lists the agents of this directory with ids, processes and logs", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex, args: ["--max-concurrent", "2"] });
  assert.deepEqual(JSON.parse((await swarm.call("list_running_agents")).text), { count: 0, agents: [] });
  const first = await startAgent(swarm, "fake:hold(go)", { label: "background" });
  await waitFor(() => codex.ledger().length === 1, { message: "the first agent" });
  const blocking = swarm.call("spawn_agent", { prompt: "fake:hold(go) fake:say(done)" });
  await waitFor(() => codex.ledger().length === 2, { message: "the second agent" });
  const queued = await startAgent(swarm, "fake:hold(go)");
  const [one, two] = codex.ledger().map(({ pid }) => pid);
  const entry = { status: "running", started_at: "TIME", log_file: "STATE/agent_logs/codex_agent_LOG" };
  const { text, structured } = await swarm.call("list_running_agents");
  const { count, agents } = JSON.parse(text);
  assert.deepEqual(structured, { count, agents });
  assert.deepEqual(agents.map(({ task_id }: { task_id: string }) => task_id), [first, `sync_${two}`, queued]);
  const told = agents.map(({ elapsed_seconds, thread_id: _thread, ...rest }: Record<string, unknown>) => {
    assert.ok(Number(elapsed_seconds) < 30);
    return plain(rest, swarm);
  });
  assert.deepEqual(told, [
    { ...entry, task_id: "AGENT_ID", pid: one, phase: "running", label: "background" },
    { ...entry, task_id: `sync_${two}`, pid: two, phase: "running" },
    { ...entry, task_id: "AGENT_ID", pid: null, phase: "queued, position 1", queue_position: 1 },
  ]);

  // A task of the other tools is no agent of these, and a server elsewhere has its own.
  await startTask(swarm, "fake:hold(go)");
  assert.equal((await swarm.call("list_running_agents")).structured.count, 3);
  await using place = await tempDirectory();
  await using other = await startSwarm({ codex, stateDir: swarm.stateDir, cwd: place.path });
  assert.equal((await other.call("list_running_agents")).structured.count, 0);
  await release(swarm, "go");
  await blocking;
  await waitFor(async () => (await swarm.call("list_running_agents")).structured.count === 0, {
    message: "all agents to end",
  });
});
