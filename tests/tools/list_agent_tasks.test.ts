import assert from "node:assert/strict";
import { startAgent, waitForAgent } from "../helpers/agents.ts";
import { installFakeCodex, installQuickCodex } from "../helpers/fake_codex.ts";
import { startSwarm } from "../helpers/swarm.ts";

Deno.test("list_agent_tasks counts background agents by status, and remembers them over a restart", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  const empty = { total: 0, running: 0, completed: 0, failed: 0, killed: 0, tasks: [] };
  assert.deepEqual(JSON.parse((await swarm.call("list_agent_tasks")).text), empty);
  const completed = await startAgent(swarm, "fake:say(done)", { label: "good" });
  const failed = await startAgent(swarm, "fake:fail(no)");
  const killed = await startAgent(swarm, "fake:hold(never)");
  const running = await startAgent(swarm, "fake:hold(never)");
  await swarm.call("spawn_agent", { prompt: "fake:say(not listed)" });
  await swarm.call("kill_agent", { task_id: killed });
  const ended = await waitForAgent(swarm, completed, "completed");
  await waitForAgent(swarm, failed, "failed");
  const { text, structured } = await swarm.call("list_agent_tasks");
  const { tasks, ...counts } = JSON.parse(text);
  assert.deepEqual(structured, { ...counts, tasks });
  assert.deepEqual(counts, { total: 4, running: 1, completed: 1, failed: 1, killed: 1 });
  assert.deepEqual(tasks.map(({ task_id, status }: Record<string, unknown>) => [task_id, status]), [
    [completed, "completed"],
    [failed, "failed"],
    [killed, "killed"],
    [running, "running"],
  ]);
  assert.deepEqual(tasks[0], {
    task_id: completed,
    status: "completed",
    log_file: ended.log_file,
    started_at: ended.started_at,
    completed_at: ended.completed_at,
    elapsed_seconds: ended.elapsed_seconds,
    label: "good",
  });
  assert.deepEqual([tasks[3].completed_at, typeof tasks[3].elapsed_seconds], [undefined, "number"]);

  await swarm.process.closeInput();
  await swarm.process.ended;
  await using next = await startSwarm({ codex, stateDir: swarm.stateDir, cwd: swarm.cwd });
  const { structured: later } = await next.call("list_agent_tasks");
  assert.deepEqual([later.total, later.running, later.completed, later.failed, later.killed], [4, 0, 1, 2, 1]);
});

Deno.test("list_agent_tasks keeps within what the client passes on, and then tells the newest", async () => {
  await using codex = await installQuickCodex();
  await using swarm = await startSwarm({ codex, clientName: "codex-mcp-client", args: ["--max-concurrent", "1"] });
  const ids: string[] = [];
  for (let index = 0; index < 60; index++) ids.push(await startAgent(swarm, "quick: seconds=600"));
  const { text, structured } = await swarm.call("list_agent_tasks");
  assert.ok(text.length <= 10_000 && JSON.stringify(structured).length <= 10_000, `${text.length}`);
  const { total, running, tasks, tasks_not_shown } = structured;
  assert.deepEqual([total, running, tasks.length + tasks_not_shown], [60, 60, 60]);
  assert.equal(tasks.at(-1).task_id, ids.at(-1));
  const list = await swarm.call("list_running_agents");
  assert.ok(list.text.length <= 10_000 && list.structured.agents_not_shown > 0);
  assert.doesNotMatch(swarm.process.stderr, /an answer was longer/);
});
