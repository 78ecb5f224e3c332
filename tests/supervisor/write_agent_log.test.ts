/** The log that codex-as-mcp's users read: its lines, when they come, and who goes on with it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { AgentLogs } from "../../src/supervisor/agent_logs.ts";
import { writeAgentLog } from "../../src/supervisor/write_agent_log.ts";
import type { Outcome } from "../../src/task/task.ts";
import { startRun } from "../../src/task/transitions.ts";
import { hostYard } from "../helpers/host_yard.ts";
import { COMPLETED, LoggedAgent, START } from "../helpers/logged_agent.ts";

Deno.test("an agent's log tells what it does while it does it, and how it ended", async () => {
  await using agent = await LoggedAgent.make();
  const followed = agent.follow();
  const writer = agent.writer(followed);
  await writer.resume();
  await writer.step();
  assert.deepEqual(agent.lines(), ["INFO agent_start: Agent started"]);

  await agent.begin(followed);
  await agent.say("hello\nworld");
  await Deno.writeTextFile(agent.directory.stderrFile, "Reading prompt from stdin...\nWARN slow\nhalf");
  agent.seconds = 3;
  await writer.step();
  agent.seconds = 4;
  await agent.say("\u001b[31mred");
  await writer.step();
  await Deno.writeTextFile(agent.directory.eventsFile, '{"type":"error","message":"torn"}', { append: true });
  await agent.end(followed);
  assert.ok("endedAt" in followed.task.state);
  await writer.finish({ ...followed.task, state: followed.task.state });
  const at = (second: number): string => `[2026-11-20 09:00:0${second}]`;
  assert.deepEqual(agent.lines(), [
    "INFO agent_start: Agent started",
    "INFO process_start: Codex was started",
    `${at(3)} INFO    stdout: hello`,
    `${at(3)} INFO    stdout: world`,
    `${at(3)} INFO    stderr: WARN slow`,
    `${at(3)} INFO    progress: [agent] 3s elapsed; stdout=2; stderr=1; last: WARN slow`,
    `${at(4)} INFO    stdout:  [31mred`,
    `${at(4)} WARNING stdout: torn`,
    `${at(4)} INFO    stderr: half`,
    `${at(4)} INFO    output_check: the final message has 8 characters`,
    "INFO agent_complete: Agent completed",
  ]);
  const who = { agent_id: "0a1b2c3d", task_id: "codex_20261120_090000_0123abcd", pid: Deno.pid };
  assert.deepEqual(agent.contexts().slice(1), [
    { ...who, agent_pid: 200, run: 1 },
    {
      ...who,
      exit_code: 0,
      elapsed_seconds: 4,
      thread_id: null,
      stdout_lines: 4,
      stderr_lines: 2,
    },
  ]);
});

Deno.test("an agent's log holds the whole of a long answer, and says that the tool cuts it", async () => {
  await using agent = await LoggedAgent.make();
  const followed = agent.follow();
  const writer = agent.writer(followed);
  await writer.resume();
  await agent.begin(followed);
  const answer = Array.from({ length: 30_000 }, (_, line) => `line ${line} of the answer`).join("\n");
  await agent.say("first", answer);
  await agent.end(followed);
  assert.ok("endedAt" in followed.task.state);
  await writer.finish({ ...followed.task, state: followed.task.state });
  // It stood there when the log had to be rotated, with its first line.
  const written = Deno.readTextFileSync(`${agent.logPath}.1`).split("\n").flatMap((line) => {
    const [, text] = /^\[[^\]]+\] INFO {4}stdout: (line .*)$/.exec(line) ?? [];
    return text === undefined ? [] : [text];
  });
  assert.equal(written.join("\n"), answer);
  assert.deepEqual(agent.lines().slice(1), [
    `INFO output_truncated: Output truncated: ${answer.length} chars total, showing first 4000`,
    "INFO agent_complete: Agent completed",
  ]);
});

Deno.test("an agent's log tells of silence from 60 s on, once a minute, with the state of its process", async () => {
  await using agent = await LoggedAgent.make();
  const followed = agent.follow();
  const writer = agent.writer(followed);
  await writer.resume();
  await agent.begin(followed);
  await agent.say("working");
  await writer.step();
  const stalls = async (seconds: number): Promise<string[]> => {
    agent.seconds = seconds;
    await writer.step();
    return agent.lines().filter((line) => line.includes("stalled"));
  };
  assert.deepEqual(await stalls(59), []);
  assert.equal(agent.lines().filter((line) => line.includes("timeout_warning")).length, 1);
  const first = "WARNING stalled: No new output for 60s. Process state: sleeping. Last: working";
  assert.deepEqual(await stalls(60), [first]);
  assert.deepEqual(await stalls(119), [first]);
  agent.state = "D";
  const second = "WARNING stalled: No new output for 120s. Process state: disk-wait. Last: working";
  assert.deepEqual(await stalls(120), [first, second]);
  // The same words again are output all the same.
  agent.seconds = 170;
  await agent.say("working");
  await writer.step();
  assert.deepEqual(await stalls(229), [first, second]);
  agent.state = undefined;
  assert.deepEqual((await stalls(230)).at(-1), first.replace("sleeping", "unknown"));
  const progress = agent.lines().filter((line) => line.includes("progress: "));
  assert.ok(progress.length >= 5 && progress.length <= 7, `${progress.length}`);
});

for (const lost of [false, true]) {
  Deno.test(`an agent's log is gone on with by another server${lost ? " after a rotation" : ""}, no line twice`, async () => {
    await using agent = await LoggedAgent.make();
    const followed = agent.follow();
    const writer = agent.writer(followed);
    await writer.resume();
    await agent.begin(followed);
    await agent.say("one", "two\nthree");
    agent.seconds = 5;
    await writer.step();
    await agent.say("four");
    agent.seconds = 6;
    await writer.step();
    if (lost) {
      await Deno.rename(agent.logPath, `${agent.logPath}.1`);
      await agent.say("five");
      await writer.step();
    }

    await agent.say("while nobody wrote");
    const other = agent.follow();
    other.update(startRun(other.task, { at: new Date(START), run: 1, input: "prompt.txt", prompts: 0 }));
    const next = agent.writer(other);
    agent.seconds = 9;
    await next.resume();
    await next.step();
    await agent.end(other);
    assert.ok("endedAt" in other.task.state);
    await next.finish({ ...other.task, state: other.task.state });
    const before = lost ? Deno.readTextFileSync(`${agent.logPath}.1`) : "";
    const text = `${before}${Deno.readTextFileSync(agent.logPath)}`;
    const said = [...text.matchAll(/ stdout: (.*)$/gm)].map(([, words]) => words);
    assert.deepEqual(said, ["one", "two", "three", "four", ...(lost ? ["five"] : []), "while nobody wrote"]);
    assert.match(text, /"adopted","message":"Another server goes on with this agent and its log"/);
    assert.equal(text.match(/"process_start"/g)?.length, 1);
  });
}

const failures: readonly { readonly outcome: Outcome; readonly last: readonly string[] }[] = [
  {
    outcome: { status: "timed_out", exitCode: 130, statusInferred: false, stopReason: "timeout" },
    last: [
      "ERROR timeout: Agent was stopped after 2s, its time limit",
      "ERROR agent_failed: Codex ended with exit code 130 (SIGINT or its own exit 130)",
    ],
  },
  {
    outcome: { status: "cancelled", exitCode: 130, statusInferred: false, stopReason: "cancelled" },
    last: ["WARNING agent_failed: Agent was killed"],
  },
  {
    outcome: { status: "failed", exitCode: 1, statusInferred: false },
    last: ["ERROR agent_failed: Codex ended with exit code 1"],
  },
  {
    outcome: COMPLETED,
    last: ["WARNING output_missing: Codex ended without a final message", "INFO agent_complete: Agent completed"],
  },
];

for (const { outcome, last } of failures) {
  Deno.test(`an agent's log ends with ${last.at(-1)}`, async () => {
    await using agent = await LoggedAgent.make();
    const followed = agent.follow();
    await agent.begin(followed);
    agent.seconds = 2;
    await agent.end(followed, outcome);
    const log = { debug: (): void => {}, info: (): void => {}, warning: assert.fail, error: assert.fail };
    const { signal } = new AbortController();
    await writeAgentLog(followed, { ...agent.options(), log, signal });
    assert.deepEqual(agent.lines().slice(2), last);
  });
}

Deno.test("a log that cannot be written harms nothing and is told of once", async () => {
  await using agent = await LoggedAgent.make();
  await Deno.remove(join(agent.logPath, ".."), { recursive: true });
  await Deno.writeTextFile(join(agent.logPath, ".."), "in the way");
  const followed = agent.follow();
  await agent.begin(followed);
  await agent.end(followed);
  const warnings: string[] = [];
  const log = {
    debug: (): void => {},
    info: (): void => {},
    warning: (message: string): void => void warnings.push(message),
    error: assert.fail,
  };
  await writeAgentLog(followed, { ...agent.options(), log, signal: new AbortController().signal });
  assert.deepEqual(warnings, ["an agent's log cannot be written for now"]);
});

for (const isStopped of [true, false]) {
  const what = isStopped ? "tells the end of an agent that ends with its server" : "stays open for another server";
  Deno.test(`an agent's log ${what}`, async () => {
    await using agent = await LoggedAgent.make();
    const followed = agent.follow();
    await agent.begin(followed);
    const log = { debug: (): void => {}, info: (): void => {}, warning: assert.fail, error: assert.fail };
    const closing = new AbortController();
    const writing = writeAgentLog(followed, { ...agent.options(), log, signal: closing.signal });
    closing.abort();
    await agent.say("last words");
    if (isStopped) {
      followed.noteStop("server_exit");
      await agent.end(followed, { status: "interrupted", exitCode: 130, statusInferred: false });
    }
    await writing;
    assert.ok(agent.lines().some((line) => line.endsWith(" stdout: last words")));
    assert.equal(agent.lines().some((line) => line.includes("agent_failed")), isStopped);
  });
}

Deno.test("an agent's log ends with the following of its task, also by a fault", async () => {
  await using agent = await LoggedAgent.make();
  const followed = agent.follow();
  await agent.begin(followed);
  await agent.say("last words");
  const log = { debug: (): void => {}, info: (): void => {}, warning: assert.fail, error: assert.fail };
  const writing = writeAgentLog(followed, { ...agent.options(), log, signal: new AbortController().signal });
  followed.fail(new Error("a fault"));
  await writing;
  assert.ok(agent.lines().some((line) => line.endsWith(" stdout: last words")));
});

Deno.test("AgentLogs has one writer of a log at a time, and waits for the last", async () => {
  await using agent = await LoggedAgent.make();
  await using yard = await hostYard();
  const { services } = yard;
  const runner = { ...services.runner, host: { ...yard.host, ...agent.options().host } };
  const logs = new AgentLogs({ ...services, runner, now: () => agent.now });
  const [before, after] = [agent.follow(), agent.follow()];
  for (const followed of [before, after]) await agent.begin(followed);
  await agent.say("once");
  const over = new AbortController();
  logs.write(before, over.signal);
  over.abort();
  const first = logs.whole(before.task.id);
  logs.write(after, new AbortController().signal);
  await first;
  await agent.end(after);
  await logs.whole(after.task.id);
  const lines = agent.lines();
  assert.equal(lines.filter((line) => line.endsWith(" stdout: once")).length, 1);
  assert.equal(lines.filter((line) => line.includes("agent_complete")).length, 1);
});
