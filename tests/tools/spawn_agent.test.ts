import assert from "node:assert/strict";
import { join } from "node:path";
import { errorOf, logDirOf, plain } from "../helpers/agents.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const USAGE = { input_tokens: 100, cached_input_tokens: 0, output_tokens: 10, reasoning_output_tokens: 0 };
const LOG = "STATE/agent_logs/codex_agent_LOG";

Deno.test("spawn_agent gives the answer and the log as codex-as-mcp did, and in its data all else", async () => {
  await using swarm = await startSwarm();
  const answer = await swarm.call("spawn_agent", { prompt: "fake:run(echo hi) fake:say(hello)", label: "greeter" });
  assert.equal(plain(answer.text, swarm), `hello\nLog file: ${LOG}`);
  assert.equal(answer.isError, false);
  const { elapsed_seconds, ...data } = plain(answer.structured, swarm);
  assert.ok(elapsed_seconds < 20);
  assert.deepEqual(data, {
    result: `hello\nLog file: ${LOG}`,
    task_id: "AGENT_ID",
    status: "completed",
    log_file: LOG,
    started_at: "TIME",
    output_file: "STATE/tasks/ID/answer.md",
    label: "greeter",
    thread_id: "THREAD",
    exit_code: 0,
    last_command: { command: "/bin/bash -lc 'echo hi'", exit_code: 0 },
    tools_called: 1,
    usage: { this_task: USAGE, thread_total: USAGE },
    cwd: "CWD",
    sandbox: { mode: "workspace-write", source: "call", network: false },
    lifetime: "server-bound",
    events_file: "STATE/tasks/ID/events.jsonl",
  });
  const log = await Deno.readTextFile(answer.structured.log_file);
  assert.match(log, /^\{.*"event":"agent_start".*"prompt_preview":"fake:run\(echo hi\) fake:say\(hello\)".*\}\n/);
  assert.match(log, /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] INFO {4}stdout: hello\n/m);
  assert.match(log, /\n\{[^\n]*"event":"agent_complete"[^\n]*\}\n$/);

  // It is a task as all others.
  const { structured: { tasks: [task] } } = await swarm.call("codex_wait", { task_ids: [answer.structured.task_id] });
  assert.deepEqual([task.answer, task.label], ["hello", "greeter"]);
  const reply = await swarm.call("codex_reply", { threadId: answer.structured.thread_id, prompt: "fake:say(again)" });
  assert.equal(reply.structured.content, "again");
});

Deno.test("spawn_agent cuts an answer at 4000 characters, and nothing of it is lost", async () => {
  await using swarm = await startSwarm();
  const whole = `${"😀".repeat(3_000)}${"x".repeat(1_001)}`;
  const { text, structured } = await swarm.call("spawn_agent", { prompt: `fake:say(${whole})` });
  const [shown, note] = text.split("\n\n");
  assert.equal(shown, whole.slice(0, -1));
  assert.equal(
    plain(note, swarm),
    `[Output truncated: 4001 chars total, showing first 4000. See full output in log file]\nLog file: ${LOG}`,
  );
  assert.equal(structured.result, text);
  assert.equal(await Deno.readTextFile(structured.output_file), whole);
  const log = await Deno.readTextFile(structured.log_file);
  assert.ok(log.includes(` stdout: ${whole}\n`));
  assert.match(log, /"event":"output_truncated"/);
  const uncut = await swarm.call("spawn_agent", { prompt: `fake:say(${whole.slice(0, -1)})` });
  assert.equal(uncut.text.split("\nLog file: ")[0], whole.slice(0, -1));
});

Deno.test("spawn_agent keeps within what the client passes on, whatever the answer is made of", async () => {
  await using swarm = await startSwarm({ clientName: "codex-mcp-client" });
  for (
    const prompt of [
      `fake:say(${"\\\u0001".repeat(4_000)})`,
      `fake:say(${'"'.repeat(9_000)}) fake:fail(${'"'.repeat(9_000)})`,
    ]
  ) {
    const { text, structured } = await swarm.call("spawn_agent", { prompt });
    assert.ok(text.length <= 10_000 && JSON.stringify(structured).length <= 10_000, `${text.length}`);
    assert.match(structured.task_id, /^codex_/);
  }
  assert.doesNotMatch(swarm.process.stderr, /an answer was longer/);
});

Deno.test("spawn_agent warns of an agent without an answer", async () => {
  await using swarm = await startSwarm();
  const recent = await swarm.call("spawn_agent", { prompt: "fake:run(echo hi) fake:stderr(noise)" });
  assert.equal(recent.isError, false);
  assert.deepEqual(plain(recent.text, swarm).split("\n"), [
    "Warning: Codex agent completed but output file was empty.",
    "Recent output:",
    "stdout: thread THREAD",
    "stdout: $ /bin/bash -lc 'echo hi'",
    "stdout: | hi",
    "stdout: exit 0: /bin/bash -lc 'echo hi'",
    "stdout: turn completed; tokens of the thread: 100 in, 10 out",
    "stderr: noise",
    `Log file: ${LOG}`,
  ]);
  assert.match(await Deno.readTextFile(recent.structured.log_file), /"event":"output_missing"/);
});

Deno.test("spawn_agent tells a failure as codex-as-mcp did, with all that is known beside it", async () => {
  await using swarm = await startSwarm({ args: ["-c", "api_key=sk-secret"] });
  const answer = await swarm.call("spawn_agent", { prompt: "fake:say(half) fake:fail(oh no)" });
  const error = {
    code: "agent_non_zero_exit",
    kind: "runtime_error",
    message: "Codex agent exited with code 1: oh no",
    log_file: LOG,
    details: {
      command: [
        ...["codex", "exec", "-s", "workspace-write", "-C", "CWD", "-c", "tools.update_plan.enabled=true"],
        ...["-c", "api_key=***", "-c", 'shell_environment_policy.set.CODEX_SWARM_TASK_ID="ID"'],
        ...["-c", 'shell_environment_policy.set.CODEX_SWARM_DEPTH="1"', "--skip-git-repo-check", "--json", "-"],
      ],
      exit_code: 1,
      recent_output: ["stdout: thread THREAD", "stdout: half", "stdout: oh no", "stdout: turn failed: oh no"],
      captured_output: "half",
      failure_class: "unknown",
      retryable: false,
      action: "Read the message and the task's stderr.log before another try.",
      thread_id: "THREAD",
    },
  };
  assert.deepEqual(plain(errorOf(answer), swarm), error);
  const { elapsed_seconds: _elapsed, events_file, cwd, sandbox, lifetime, tools_called, ...rest } = plain(
    answer.structured,
    swarm,
  );
  assert.deepEqual(rest, {
    error,
    task_id: "AGENT_ID",
    status: "failed",
    log_file: LOG,
    started_at: "TIME",
    output_file: "STATE/tasks/ID/answer.md",
    thread_id: "THREAD",
    exit_code: 1,
  });
  assert.deepEqual([events_file, cwd, sandbox.mode, lifetime, tools_called], [
    "STATE/tasks/ID/events.jsonl",
    "CWD",
    "workspace-write",
    "server-bound",
    0,
  ]);
  assert.match(
    await Deno.readTextFile(answer.structured.log_file),
    /ERROR {3}stdout: turn failed: oh no\n[^]*"agent_failed"/,
  );

  const silent = errorOf(await swarm.call("spawn_agent", { prompt: "fake:no_terminal" }));
  assert.deepEqual([silent.code, silent.kind, silent.details.exit_code], ["unexpected_error", "runtime_error", 0]);
});

Deno.test("spawn_agent refuses what cannot be done in one JSON object", async () => {
  await using swarm = await startSwarm();
  const refusals: readonly (readonly [Readonly<Record<string, unknown>>, string, RegExp])[] = [
    [{ prompt: " \n" }, "empty_prompt", /^The prompt is empty\.$/],
    [{ prompt: 1 }, "invalid_prompt_type", /^Cannot call spawn_agent: prompt: .*string/],
    [{}, "invalid_prompt_type", /^Cannot call spawn_agent: prompt: /],
    [{ prompt: "go", sandbox: "none" }, "invalid_argument", /sandbox: .*"workspace-write"/],
    [
      { prompt: "go", timeout: 5 },
      "invalid_argument",
      /^Unknown parameter "timeout" for spawn_agent: expected (?!.*agent_index)/,
    ],
    [
      { prompt: "go", worktree: { base: "nowhere" } },
      "invalid_argument",
      /^Cannot use worktree: there is no commit "nowhere"/,
    ],
    [{ prompt: "go", cwd: "nowhere" }, "cwd_missing", /^Cannot use cwd .*\/nowhere: there is no such directory/],
  ];
  for (const [input, code, message] of refusals) {
    const error = errorOf(await swarm.call("spawn_agent", input));
    assert.deepEqual([error.code, error.kind], [code, "validation_error"]);
    assert.match(error.message, message);
  }
  assert.deepEqual(await swarm.resource("tasks"), []);
});

Deno.test("spawn_agent says what is missing on the machine by codex-as-mcp's codes", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({
    codex: { path: join(codex.directory, "nothing"), home: codex.home },
    env: { CODEX_AGENT_CWD: codex.directory },
  });
  const missing = errorOf(await swarm.call("spawn_agent", { prompt: "go" }));
  assert.deepEqual([missing.code, missing.kind], ["codex_not_found", "runtime_error"]);

  await Deno.writeTextFile(logDirOf(swarm), "in the way");
  await using other = await startSwarm({
    codex,
    stateDir: swarm.stateDir,
    env: { CODEX_AGENT_CWD: "/nowhere/at/all" },
  });
  const cwd = errorOf(await other.call("spawn_agent", { prompt: "go" }));
  assert.deepEqual([cwd.code, cwd.kind, cwd.message], [
    "cwd_missing",
    "validation_error",
    "Cannot use CODEX_AGENT_CWD /nowhere/at/all: there is no such directory.",
  ]);
  await using third = await startSwarm({ codex, stateDir: swarm.stateDir });
  const log = errorOf(await third.call("spawn_agent", { prompt: "go" }));
  assert.deepEqual([log.code, log.kind], ["log_init_failed", "io_error"]);
  assert.match(log.message, /CODEX_AS_MCP_LOG_DIR/);
  assert.equal(codex.ledger().length, 0);
});

Deno.test("spawn_agent works as codex-as-mcp's variables say, where the call says nothing", async () => {
  await using place = await tempDirectory();
  await Deno.mkdir(join(place.path, "sub"));
  await using swarm = await startSwarm({
    env: {
      CODEX_AGENT_CWD: place.path,
      CODEX_MODEL: "gpt-5.2-codex",
      CODEX_REASONING_EFFORT: "high",
      CODEX_TIMEOUT_SECONDS: "40",
    },
  });
  const echo = async (input: Readonly<Record<string, unknown>> = {}): Promise<string[]> => {
    const { text, structured } = await swarm.call("spawn_agent", { prompt: "fake:echo_args", ...input });
    const { args, cwd } = JSON.parse(await Deno.readTextFile(structured.output_file ?? text));
    const after = (flag: string): string => args[args.indexOf(flag) + 1];
    const effort = args.find((arg: string) => arg.startsWith("model_reasoning_effort="));
    // It is no repository.
    assert.ok(args.includes("--skip-git-repo-check"));
    return [cwd, after("-m"), effort, after("-s")];
  };
  assert.deepEqual(await echo(), [place.path, "gpt-5.2-codex", 'model_reasoning_effort="high"', "workspace-write"]);
  const own = { cwd: "sub", model: "gpt-x", reasoning_effort: "low", sandbox: "read-only" };
  assert.deepEqual(await echo(own), [join(place.path, "sub"), "gpt-x", 'model_reasoning_effort="low"', "read-only"]);
  const nulls = { model: null, reasoning_effort: null, agent_index: null };
  assert.equal((await echo(nulls))[1], "gpt-5.2-codex");

  const { structured } = await swarm.call("spawn_agent", { prompt: "fake:say(x)", agentIndex: 2, agent_count: 3 });
  assert.match(structured.log_file, /\/codex_agent_\d{8}-\d{6}_\d+_2_[0-9a-f]{8}\.log$/);
  const [first = ""] = (await Deno.readTextFile(structured.log_file)).split("\n");
  const { context } = JSON.parse(first);
  assert.deepEqual(context, {
    agent_id: structured.log_file.slice(-12, -4),
    agent_index: 2,
    agent_count: 3,
    workdir: place.path,
    prompt_preview: "fake:say(x)",
    model: "gpt-5.2-codex",
    reasoning_effort: "high",
    sandbox: "workspace-write",
    timeout_seconds: 40,
    pid: swarm.process.pid,
  });
});

Deno.test("spawn_agent stops an agent after CODEX_TIMEOUT_SECONDS, and says so", async () => {
  await using swarm = await startSwarm({ env: { CODEX_TIMEOUT_SECONDS: "1" } });
  const answer = await swarm.call("spawn_agent", { prompt: "fake:say(half) fake:hold(never)" });
  const error = plain(errorOf(answer), swarm);
  assert.ok(error.details.elapsed_seconds >= 1 && error.details.elapsed_seconds < 20);
  assert.deepEqual({ ...error, details: { ...error.details, elapsed_seconds: 1 } }, {
    code: "agent_timeout",
    kind: "timeout_error",
    message: "Codex agent timed out after 1 seconds",
    log_file: LOG,
    details: {
      timeout_seconds: 1,
      elapsed_seconds: 1,
      failure_class: "timeout",
      retryable: true,
      action: "Resume the thread by its id, with a longer `timeout` if the work needs one.",
      thread_id: "THREAD",
    },
  });
  assert.equal(answer.structured.status, "failed");
  assert.match(await Deno.readTextFile(answer.structured.log_file), /"event":"timeout",[^]*"event":"agent_failed"/);
});
