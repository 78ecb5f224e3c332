/** codex-as-mcp's nine tools on the real Codex; the numbers are those of its defects in the project's list. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { codexOf, familyOf, isRunning, uniqueSleep, untilRunning } from "../helpers/agent_processes.ts";
import { errorOf, logDirOf, startAgent, waitForAgent, waitForLog } from "../helpers/agents.ts";
import { scripted } from "../helpers/mock_model.ts";
import { type RealSwarm, startRealSwarm } from "../helpers/real_swarm.ts";
import { waitFor } from "../helpers/wait_for.ts";

const isLinux = Deno.build.os === "linux";
/** Waits for a file in the working directory. */
const untilGo = { shell: "until [ -e go ]; do sleep 0.1; done; echo gone on" };

async function release({ cwd }: RealSwarm): Promise<void> {
  await Deno.writeTextFile(join(cwd, "go"), "");
}

/** The id of the newest task, as our own tools know it. */
async function newestTask(swarm: RealSwarm): Promise<string> {
  return (await swarm.resource("tasks")).at(-1).task_id;
}

Deno.test("A1, A15: spawn_agent takes a prompt of any length and beginning, which nobody else sees", async () => {
  await using swarm = await startRealSwarm();
  const prompt = `--help - <x> Rumpelstilzchen ${"long ".repeat(30_000)}` +
    scripted(untilGo, { write: { "made.txt": "by the agent\n" } }, { say: "written" });
  assert.ok(prompt.length > 131_071 + 10_000);
  const call = swarm.call("spawn_agent", { prompt });
  await waitFor(() => swarm.model.requests.length === 1, { message: "the agent" });
  const family = await familyOf(await newestTask(swarm));
  assert.ok(family.length > 0 && family.every(({ command }) => !command.includes("Rumpelstilzchen")));
  await release(swarm);
  const { text, structured, isError } = await call;
  assert.deepEqual([isError, text], [false, `written\nLog file: ${structured.log_file}`]);
  assert.deepEqual([structured.status, structured.exit_code, structured.sandbox.mode, structured.tools_called], [
    "completed",
    0,
    "workspace-write",
    1,
  ]);
  assert.equal(await Deno.readTextFile(join(swarm.cwd, "made.txt")), "by the agent\n");
  assert.equal(swarm.model.requests[0]?.prompt, prompt);
});

Deno.test("A2: an agent's stdin is not ours, and calls go on while it works", async () => {
  await using swarm = await startRealSwarm();
  const prompt = scripted({ shell: "cat; echo read nothing" }, untilGo, { say: "done" });
  const call = swarm.call("spawn_agent", { prompt, sandbox: "danger-full-access" });
  await waitFor(() => swarm.model.requests.length === 2, { message: "the second command" });
  const id = await newestTask(swarm);
  if (isLinux) {
    const { pid } = await codexOf(id);
    assert.equal(await Deno.readLink(`/proc/${pid}/fd/0`), join(swarm.stateDir, "tasks", id, "prompt.txt"));
    const own = await Promise.all([0, 1, 2].map((fd) => Deno.readLink(`/proc/${swarm.process.pid}/fd/${fd}`)));
    const taken = (await Array.fromAsync(Deno.readDir(`/proc/${pid}/fd`))).map(({ name }) => {
      try {
        return Deno.readLinkSync(`/proc/${pid}/fd/${name}`);
      } catch {
        return "";
      }
    });
    assert.deepEqual(own.filter((path) => taken.includes(path)), []);
  }
  const { structured } = await swarm.call("list_running_agents");
  const [agent] = structured.agents;
  assert.deepEqual([structured.count, agent.task_id, agent.pid], [1, `sync_${agent.pid}`, (await codexOf(id)).pid]);
  await release(swarm);
  assert.equal((await call).structured.status, "completed");
  assert.match(JSON.stringify(swarm.model.requests[1]?.body.input.at(-1)), /read nothing/);
});

Deno.test({
  name: "A4: a child that holds an agent's output does not hold up its result",
  // macOS has no setsid(1).
  ignore: !isLinux,
  async fn(): Promise<void> {
    await using swarm = await startRealSwarm();
    const command = uniqueSleep();
    const start = performance.now();
    const { structured } = await swarm.call("spawn_agent", {
      prompt: scripted({ shell: `setsid ${command} & echo started` }, { say: "done" }),
      sandbox: "danger-full-access",
    });
    assert.ok(performance.now() - start < 15_000, `${performance.now() - start} ms`);
    assert.deepEqual([structured.status, await isRunning(command)], ["completed", true]);
    assert.match(structured.left_behind, /^1 process outlived/);
    await swarm.call("codex_cancel", { task_id: structured.task_id });
    assert.equal(await isRunning(command), false);
  },
});

Deno.test("A8: spawn_agent_async names a log that can be followed while the agent works", async () => {
  await using swarm = await startRealSwarm();
  await swarm.call("spawn_agent", { prompt: "mock:hello" });
  const { structured: started } = await swarm.call("spawn_agent_async", {
    prompt: scripted({ reason: "**Thinking** of it", say: "Looking.", shell: "echo one" }, untilGo, {
      say: "all done",
    }),
    label: "follower",
  });
  const { task_id, log_file } = started;
  const log = await waitForLog(log_file, / stdout: \$ \/bin\/bash -lc 'until /);
  for (const line of ["Looking.", "$ /bin/bash -lc 'echo one'", "| one", "exit 0: /bin/bash -lc 'echo one'"]) {
    assert.ok(log.includes(` stdout: ${line}\n`), log);
  }
  const { structured: status } = await swarm.call("get_agent_status", { task_id });
  assert.deepEqual([status.status, status.log_file, status.label], ["running", log_file, "follower"]);
  const { structured: list } = await swarm.call("list_agent_tasks");
  assert.deepEqual(list.tasks.map((task: { readonly log_file: string }) => task.log_file), [log_file]);
  await release(swarm);
  const ended = await waitForAgent(swarm, task_id, "completed");
  assert.equal(ended.output, `all done\nLog file: ${log_file}`);
  const { usage } = ended;
  assert.deepEqual([usage.this_task.input_tokens, usage.this_task.output_tokens], [300, 30]);
  const whole = await Deno.readTextFile(log_file);
  assert.match(whole, / stdout: all done\n[^]*"event":"agent_complete"/);
  assert.match(swarm.model.requests.at(-1)?.prompt ?? "", /IMPORTANT: After completing the task/);
});

Deno.test("A5: kill_agent ends an agent with all its processes, and its thread can be continued", async () => {
  await using swarm = await startRealSwarm();
  const command = uniqueSleep();
  const task_id = await startAgent(swarm, scripted({ shell: "echo halfway" }, { shell: `${command}; echo slept` }));
  await untilRunning(command);
  const id = await newestTask(swarm);
  const { structured } = await swarm.call("kill_agent", { task_id, timeout: 3 });
  assert.deepEqual([structured.killed, structured.signal_used, await familyOf(id)], [true, "SIGTERM", []]);
  const killed = (await swarm.call("get_agent_status", { task_id })).structured;
  assert.deepEqual([killed.status, killed.error], ["killed", undefined]);
  const again = await swarm.call("kill_agent", { task_id });
  assert.notEqual(again.structured.killed, true, again.text);
  const { tasks, ...counts } = (await swarm.call("list_agent_tasks")).structured;
  assert.deepEqual(counts, { total: 1, running: 0, completed: 0, failed: 0, killed: 1 });
  assert.equal(tasks[0].task_id, task_id);
  const reply = await swarm.call("codex_reply", { threadId: killed.thread_id, prompt: "mock:say(back)" });
  assert.equal(reply.structured.content, "back");
  assert.match(JSON.stringify(swarm.model.requests.at(-1)?.body.input), /halfway/);
});

Deno.test("spawn_agents_parallel runs agents side by side, and a bad one fails alone", async () => {
  await using swarm = await startRealSwarm();
  await swarm.call("spawn_agent", { prompt: "mock:hello" });
  const agents = [
    { prompt: "mock:gather(3)", label: "one" },
    { prompt: scripted({ gather: 3, say: "in another place" }), cwd: "inner", sandbox: "read-only" },
    { prompt: scripted({ gather: 3, status: 400, error: { message: "mock refusal" } }) },
    { prompt: "go", cwd: "nowhere" },
    { reasoning_effort: "low" },
  ];
  await Deno.mkdir(join(swarm.cwd, "inner"));
  const { structured } = await swarm.call("spawn_agents_parallel", { agents });
  const told = structured.result.map(
    ({ index, output, error }: { index: string; output?: string; error?: { code: string; kind: string } }) => [
      index,
      output?.split("\n")[0],
      error?.code,
    ],
  );
  assert.deepEqual(told, [
    ["0", "gathered", undefined],
    ["1", "in another place", undefined],
    ["2", undefined, "agent_non_zero_exit"],
    ["3", undefined, "cwd_missing"],
    ["4", undefined, "invalid_prompt_type"],
  ]);
  assert.match(structured.result[2].error.message, /mock refusal/);
  assert.equal(swarm.model.maxInFlight, 3);
  const { structured: started } = await swarm.call("spawn_agents_parallel", {
    agents: [{ prompt: "mock:say(x)" }, { prompt: "mock:say(y)" }],
    max_parallel: 1,
    wait: false,
  });
  for (const [index, { task_id }] of started.result.entries()) {
    const { output } = await waitForAgent(swarm, task_id, "completed");
    assert.ok(output.startsWith(index === 0 ? "x\n" : "y\n"), output);
  }
});

Deno.test("an agent that times out has failed with agent_timeout", async () => {
  await using swarm = await startRealSwarm({ env: { CODEX_TIMEOUT_SECONDS: "2" } });
  const error = errorOf(await swarm.call("spawn_agent", { prompt: "mock:hang(body)" }));
  assert.deepEqual([error.code, error.kind, error.details.timeout_seconds], ["agent_timeout", "timeout_error", 2]);
});

Deno.test("list_agent_logs and cleanup_old_logs know the logs of real agents", async () => {
  await using swarm = await startRealSwarm();
  const { structured: first } = await swarm.call("spawn_agent", { prompt: "mock:hello" });
  const task_id = await startAgent(swarm, scripted(untilGo, { say: "done" }));
  const { structured: list } = await swarm.call("list_agent_logs");
  assert.deepEqual([list.total, list.log_dir], [2, logDirOf(swarm)]);
  const old = new Date(Date.now() - 30 * 86_400_000);
  for (const { path } of list.logs) await Deno.utime(path, old, old);
  const { structured: cleaned } = await swarm.call("cleanup_old_logs", { days: 7, dry_run: false });
  // That of the agent that runs stays.
  assert.deepEqual([cleaned.deleted_count, cleaned.files], [1, [first.log_file]]);
  await release(swarm);
  await waitForAgent(swarm, task_id, "completed");
});
