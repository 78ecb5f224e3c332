import assert from "node:assert/strict";
import { errorOf, plain, startAgent, waitForAgent } from "../helpers/agents.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { release } from "../helpers/tasks.ts";

const LOG = "STATE/agent_logs/codex_agent_LOG";
const FIELDS = { task_id: "AGENT_ID", log_file: LOG, started_at: "TIME" };

Deno.test("get_agent_status tells of a running and of a completed agent as codex-as-mcp did", async () => {
  await using swarm = await startSwarm();
  const id = await startAgent(swarm, "fake:run(echo hi) fake:hold(go) fake:say(done)");
  const running = await swarm.call("get_agent_status", { task_id: id });
  const early = JSON.parse(plain(running.text, swarm));
  assert.ok(early.elapsed_seconds < 15);
  assert.deepEqual(early, {
    ...FIELDS,
    status: "running",
    elapsed_seconds: early.elapsed_seconds,
    warning: "The agent has just started: ask again in 30 seconds or later.",
  });
  assert.deepEqual(Object.keys(running.structured).slice(0, 6), Object.keys(JSON.parse(running.text)));
  assert.equal(running.structured.cwd, swarm.cwd);
  await release(swarm, "go");
  await waitForAgent(swarm, id, "completed");
  const ended = await swarm.call("get_agent_status", { task_id: id });
  const told = JSON.parse(plain(ended.text, swarm));
  assert.deepEqual(told, {
    ...FIELDS,
    status: "completed",
    elapsed_seconds: told.elapsed_seconds,
    completed_at: "TIME",
    output: `done\nLog file: ${LOG}`,
  });
  const { output_file, thread_id, exit_code, tools_called } = plain(ended.structured, swarm);
  assert.deepEqual({ output_file, thread_id, exit_code, tools_called }, {
    output_file: "STATE/tasks/ID/answer.md",
    thread_id: "THREAD",
    exit_code: 0,
    tools_called: 1,
  });
  // The log is whole when it is said to be so.
  assert.match(await Deno.readTextFile(ended.structured.log_file), /agent_complete/);
  const bare = await swarm.call("get_agent_status", { task_id: id.slice(-8) });
  assert.deepEqual({ ...JSON.parse(bare.text), task_id: id }, JSON.parse(ended.text));
});

Deno.test("get_agent_status tells why an agent failed, and nothing more of one that was killed", async () => {
  await using swarm = await startSwarm();
  const failing = await startAgent(swarm, "fake:crash(3)");
  const { error, exit_code } = await waitForAgent(swarm, failing, "failed");
  assert.deepEqual([error.code, error.details.exit_code, exit_code], ["agent_non_zero_exit", 3, 3]);
  const again = await swarm.call("get_agent_status", { task_id: failing });
  assert.equal(again.isError, false);
  assert.deepEqual(Object.keys(JSON.parse(again.text)), [
    "task_id",
    "status",
    "log_file",
    "started_at",
    "elapsed_seconds",
    "completed_at",
    "error",
  ]);
  const killed = await startAgent(swarm, "fake:hold(never)");
  await swarm.call("kill_agent", { task_id: killed });
  const { text } = await swarm.call("get_agent_status", { task_id: killed });
  const { status, completed_at, ...rest } = JSON.parse(text);
  assert.deepEqual([status, typeof completed_at, rest.error, rest.output], ["killed", "string", undefined, undefined]);
});

Deno.test("get_agent_status knows no agent that there is not", async () => {
  await using swarm = await startSwarm();
  for (const task_id of ["codex_20260101_000000_00000000", "00000000", "sync_1", "../x", "x".repeat(100_000)]) {
    const error = errorOf(await swarm.call("get_agent_status", { task_id }));
    assert.deepEqual([error.code, error.kind], ["task_not_found", "validation_error"]);
    assert.ok(error.message.length < 300);
  }
});
