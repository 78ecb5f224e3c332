import assert from "node:assert/strict";
import { logDirOf, plain, startAgent, waitForAgent, waitForLog } from "../helpers/agents.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { release } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

const LOG = "STATE/agent_logs/codex_agent_LOG";

Deno.test("spawn_agent_async answers at once with the id and the log, which can be followed with tail -f", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  await swarm.call("spawn_agent", { prompt: "fake:say(first)" });
  const prompt = "fake:say(halfway) fake:hold(go) fake:say(done)";
  const answer = await swarm.call("spawn_agent_async", { prompt, label: "one" });
  const { structured, isError } = answer;
  const fields = { task_id: "AGENT_ID", status: "running", log_file: LOG, started_at: "TIME" };
  const note = 'The agent works in the background: get_agent_status("AGENT_ID") tells its state and at its end its ' +
    'answer; codex_wait(task_ids=["ID"]) waits for it. Its log can be followed with tail -f.';
  assert.deepEqual(JSON.parse(plain(answer.text, swarm)), { ...fields, note });
  assert.deepEqual(plain(structured, swarm), {
    ...fields,
    note,
    label: "one",
    cwd: "CWD",
    sandbox: { mode: "workspace-write", source: "call", network: false },
    lifetime: "server-bound",
  });
  assert.equal(isError, false);
  assert.match(structured.task_id, /^codex_\d{8}_\d{6}_[0-9a-f]{8}$/);
  assert.ok(Date.parse(structured.started_at) > Date.now() - 60_000);

  // It is there before the answer is, for nobody else to read.
  const { mode } = await Deno.stat(structured.log_file);
  if (Deno.build.os !== "windows") {
    assert.deepEqual([(mode ?? 0) & 0o777, ((await Deno.stat(logDirOf(swarm))).mode ?? 0) & 0o777], [0o600, 0o700]);
    const tail = new Deno.Command("tail", { args: ["-n", "+1", "-f", structured.log_file], stdout: "piped" }).spawn();
    let seen = "";
    for await (const text of tail.stdout.pipeThrough(new TextDecoderStream())) {
      seen += text;
      if (seen.includes(" stdout: halfway\n")) await release(swarm, "go");
      if (seen.includes('"event":"agent_complete"')) break;
    }
    tail.kill("SIGTERM");
    await tail.status;
    assert.match(seen, /"agent_start"[^]*"process_start"[^]* stdout: halfway\n[^]* stdout: done\n/);
  }
  await release(swarm, "go");
  await waitForAgent(swarm, structured.task_id, "completed");

  const start = codex.ledger().at(-1);
  assert.equal(
    start?.prompt,
    `${prompt}\n\nIMPORTANT: After completing the task, provide a final summary and terminate immediately.\n` +
      "Do NOT ask for further instructions or wait for user input.",
  );
  // Only the agent that nobody waits for is told so.
  assert.equal(codex.ledger()[0]?.prompt, "fake:say(first)");
});

Deno.test("spawn_agent_async gives ids that the other tools know too, in both forms", async () => {
  await using swarm = await startSwarm();
  const agent = await startAgent(swarm, "fake:hold(never)");
  const id = agent.slice(-8);
  const status = await swarm.call("codex_status", { task_ids: [agent, id] });
  assert.deepEqual(status.structured.tasks.map(({ task_id }: { task_id: string }) => task_id), [id]);
  const cancelled = await swarm.call("codex_cancel", { task_id: agent });
  assert.equal(cancelled.text, `Task ${id}: Task cancelled`);
  const waited = await swarm.call("codex_wait", { task_ids: [agent] });
  assert.equal(waited.structured.tasks[0].status, "cancelled");
  const none = await swarm.call("codex_wait", { task_ids: ["codex_20260101_000000_00000000"] });
  assert.equal(none.structured.tasks[0].status, "not_found");
});

Deno.test("an agent of spawn_agent_async ends with its server, and its log says so", async () => {
  await using codex = await installFakeCodex();
  await using owner = await startSwarm({ codex });
  const { structured } = await owner.call("spawn_agent_async", { prompt: "fake:hold(never)" });
  await waitForLog(structured.log_file, "process_start");
  await owner.process.closeInput();
  await owner.process.ended;
  const log = await Deno.readTextFile(structured.log_file);
  assert.match(log, /"event":"agent_failed".*"status":"interrupted"/);
  await using next = await startSwarm({ codex, stateDir: owner.stateDir, cwd: owner.cwd });
  const { status, error } = (await next.call("get_agent_status", { task_id: structured.task_id })).structured;
  assert.deepEqual([status, error.kind], ["failed", "runtime_error"]);
});

Deno.test("an agent of spawn_agent_async outlives a crash of its server if the next one comes in time, and so does its log", async () => {
  await using codex = await installFakeCodex();
  await using owner = await startSwarm({ codex });
  const { structured } = await owner.call("spawn_agent_async", {
    prompt: "fake:say(before) fake:hold(go) fake:say(after)",
  });
  await waitForLog(structured.log_file, / stdout: before\n/);
  owner.process.kill("SIGKILL");
  await owner.process.ended;
  await using next = await startSwarm({ codex, stateDir: owner.stateDir, cwd: owner.cwd });
  const log = await waitForLog(structured.log_file, /"event":"adopted"/);
  assert.match(log, new RegExp(`"event":"adopted".*"pid":${next.process.pid}\\b`));
  await release(next, "go");
  const { output } = await waitForAgent(next, structured.task_id, "completed");
  assert.match(output, /^after\nLog file: /);
  const whole = await Deno.readTextFile(structured.log_file);
  assert.deepEqual(whole.match(/(?<= stdout: )(before|after)$/gm), ["before", "after"]);
  assert.match(whole, /"event":"agent_complete"[^\n]*\n$/);
});

Deno.test("spawn_agent_async queues what is too much at once, as running with its place in the queue", async () => {
  await using swarm = await startSwarm({ args: ["--max-concurrent", "1"] });
  const first = await startAgent(swarm, "fake:hold(go) fake:say(one)");
  const second = await startAgent(swarm, "fake:say(two)");
  // It is in the queue when all else that a start takes is done.
  const structured = await waitFor(async () => {
    const answer = await swarm.call("get_agent_status", { task_id: second });
    return answer.structured.phase === "queued" ? undefined : answer.structured;
  }, { message: "its place in the queue" });
  const { status, queue_position, phase, warning } = structured;
  assert.deepEqual({ status, queue_position, phase }, {
    status: "running",
    queue_position: 1,
    phase: "queued, position 1",
  });
  assert.match(warning, /just started/);
  const log = await Deno.readTextFile(structured.log_file);
  assert.equal(log.split("\n").length, 2);
  await release(swarm, "go");
  await waitForAgent(swarm, first, "completed");
  assert.match((await waitForAgent(swarm, second, "completed")).output, /^two\n/);
  assert.doesNotMatch(swarm.process.stderr, / ERROR /);
});
