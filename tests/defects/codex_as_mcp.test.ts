/** Defects of codex-as-mcp in what it told and kept; the numbers are those of the project's list. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { errorOf, logDirOf, pidsOf, startAgent, waitForAgent, waitForLog } from "../helpers/agents.ts";
import { writeExecutable } from "../helpers/executable.ts";
import { installFakeCodex, installQuickCodex } from "../helpers/fake_codex.ts";
import { LoggedAgent } from "../helpers/logged_agent.ts";
import { isAlive } from "../helpers/processes.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { release, waitForTask } from "../helpers/tasks.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

Deno.test("what is told of agents is true", async (t) => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex, env: { TZ: "America/New_York" } });
  await t.step("A8: the log that is named is the one that is written", async () => {
    const { structured: started } = await swarm.call("spawn_agent_async", { prompt: "fake:say(hello) fake:hold(go)" });
    await waitForLog(started.log_file, / stdout: hello\n/);
    const { structured: status } = await swarm.call("get_agent_status", { task_id: started.task_id });
    const { structured: list } = await swarm.call("list_agent_tasks");
    const { structured: logs } = await swarm.call("list_agent_logs");
    assert.deepEqual([status.log_file, list.tasks[0].log_file, logs.logs[0].path, logs.total], [
      ...Array(3).fill(started.log_file),
      1,
    ]);
    await release(swarm, "go");
    await waitForAgent(swarm, started.task_id, "completed");
  });

  await t.step(
    "A9, A10, A12, A23: a killed agent stays killed, is counted, and the signals are those sent",
    async () => {
      const { structured } = await swarm.call("spawn_agent_async", {
        prompt: "fake:spawn_child(1000) fake:hold(never)",
      });
      const { task_id, log_file } = structured;
      await pidsOf(log_file);
      const start = performance.now();
      const answers = await Promise.all([1, 2, 3].map(() => swarm.call("kill_agent", { task_id })));
      assert.ok(performance.now() - start < 4_500, "a child held the kill up");
      assert.deepEqual([...new Set(answers.flatMap(({ structured: { signal_used } }) => signal_used ?? []))], [
        "SIGTERM",
      ]);
      assert.ok(answers.some(({ structured: { killed } }) => killed));
      await waitForLog(log_file, "agent_failed");
      const status = (await swarm.call("get_agent_status", { task_id })).structured;
      assert.deepEqual([status.status, status.error], ["killed", undefined]);
      const { tasks, ...counts } = (await swarm.call("list_agent_tasks")).structured;
      assert.deepEqual(counts, { total: 2, running: 0, completed: 1, failed: 0, killed: 1 });
      assert.equal(typeof tasks[1].elapsed_seconds, "number");
    },
  );

  await t.step("A11: times are right whatever the time zone", async () => {
    const id = await startAgent(swarm, "fake:hold(never)");
    for (const name of ["list_running_agents", "list_agent_tasks"]) {
      const { agents, tasks } = (await swarm.call(name)).structured;
      const { elapsed_seconds, started_at } = (agents ?? tasks).at(-1);
      assert.ok(elapsed_seconds >= 0 && elapsed_seconds < 60, `${elapsed_seconds}`);
      assert.ok(Math.abs(Date.parse(started_at) - Date.now()) < 60_000, started_at);
    }
    await swarm.call("kill_agent", { task_id: id, force: true });
  });

  await t.step("A17: agents are remembered by the next server", async () => {
    await using next = await startSwarm({ codex, stateDir: swarm.stateDir, cwd: swarm.cwd });
    const { total, killed } = (await next.call("list_agent_tasks")).structured;
    assert.deepEqual([total, killed], [3, 2]);
  });
});

Deno.test("A16: the limit of agents at once holds over all calls, and the others wait their turn", async () => {
  await using codex = await installQuickCodex();
  Deno.mkdirSync(join(codex.home, "sessions"));
  await using swarm = await startSwarm({ codex, args: ["--max-concurrent", "2"] });
  const agents = Array.from({ length: 4 }, () => ({ prompt: "quick: seconds=0.1" }));
  const calls = [1, 2].map(() => swarm.call("spawn_agents_parallel", { agents }));
  const answers = await Promise.all([...calls, swarm.call("spawn_agent", { prompt: "quick: seconds=0.1" })]);
  assert.deepEqual(answers.map(({ isError }) => isError), [false, false, false]);
  assert.equal(codex.ledger().length, 9);
  assert.ok(codex.mostAtOnce() <= 2, `${codex.mostAtOnce()}`);
});

Deno.test("A21: output is output though it repeats itself, and silence is told after a minute of it", async () => {
  await using agent = await LoggedAgent.make();
  const followed = agent.follow();
  const writer = agent.writer(followed);
  await writer.resume();
  await agent.begin(followed);
  for (; agent.seconds < 300; agent.seconds += 20) {
    await agent.say("the same line");
    await writer.step();
  }
  assert.deepEqual(agent.lines().filter((line) => line.includes("stalled")), []);
  agent.seconds = 341;
  await writer.step();
  assert.equal(agent.lines().filter((line) => line.includes("stalled: No new output for 61s")).length, 1);
});

Deno.test(
  { name: "A24: a program's name may hold blanks and brackets", ignore: Deno.build.os !== "linux" },
  async () => {
    await using codex = await installQuickCodex();
    const path = join(codex.directory, "my codex) R 1");
    writeExecutable(path, await Deno.readTextFile(codex.path));
    await using swarm = await startSwarm({ codex: { path, home: codex.home } });
    const { structured } = await swarm.call("spawn_agent_async", { prompt: "quick: seconds=600" });
    const id = structured.task_id.slice(-8);
    await waitForTask(swarm, id, ({ thread_id }) => thread_id !== undefined);
    const [agent] = (await swarm.call("list_running_agents")).structured.agents;
    const stat = await Deno.readTextFile(`/proc/${agent.pid}/stat`);
    assert.ok(stat.includes("(my codex) R 1)"), stat);
    const killed = await swarm.call("kill_agent", { task_id: structured.task_id });
    assert.deepEqual([killed.structured.killed, killed.structured.signal_used], [true, "SIGTERM"]);
    assert.equal(await isAlive(agent.pid), false);
  },
);

Deno.test("A27: parameters and variables that cannot be meant are refused by name", async () => {
  await using place = await tempDirectory();
  await using swarm = await startSwarm({
    env: { CODEX_AGENT_CWD: join(place.path, "nowhere"), CODEX_TIMEOUT_SECONDS: "-5" },
  });
  const refusals = [
    ["kill_agent", { task_id: "00000000", timeout: -1 }, /timeout/],
    ["list_agent_logs", { max_count: -1 }, /max_count/],
    ["cleanup_old_logs", { days: 0 }, /days/],
    ["spawn_agents_parallel", { agents: [{ prompt: "go" }], max_parallel: 0 }, /max_parallel/],
    ["spawn_agent", { prompt: "go" }, /CODEX_AGENT_CWD .*nowhere: there is no such directory/],
  ] as const;
  for (const [name, input, message] of refusals) {
    const error = errorOf(await swarm.call(name, input));
    assert.equal(error.kind, "validation_error");
    assert.match(error.message, message);
  }
  assert.match(swarm.process.stderr, /Ignored CODEX_TIMEOUT_SECONDS=\\"-5\\"|Ignored CODEX_TIMEOUT_SECONDS="-5"/);
  const turbo = await swarm.call("spawn_agent", { prompt: "fake:say(x)", cwd: swarm.cwd, reasoning_effort: "turbo" });
  assert.match(errorOf(turbo).message, /CODEX_AGENT_CWD/);
  await Deno.mkdir(join(place.path, "nowhere"));
  const noted = await swarm.call("spawn_agent", { prompt: "fake:say(x)", reasoning_effort: "turbo" });
  assert.match(noted.structured.notes[0], /reasoning-effort "turbo" is passed on, but no model is known to have it/);
  assert.equal(Array.from(Deno.readDirSync(logDirOf(swarm))).length, 1);
});
