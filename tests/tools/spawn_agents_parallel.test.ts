import assert from "node:assert/strict";
import { errorOf, plain, waitForAgent } from "../helpers/agents.ts";
import { installFakeCodex, installQuickCodex } from "../helpers/fake_codex.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { release } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

const log = (index: number): string => `STATE/agent_logs/codex_agent_${index}_LOG`;

Deno.test("spawn_agents_parallel gives all results in order, one text per agent, and a bad spec fails alone", async () => {
  await using swarm = await startSwarm();
  const agents = [
    { prompt: "fake:hold(last) fake:say(slow)", label: "first" },
    { prompt: "fake:fail(no)" },
    { prompt: " " },
    { reasoning_effort: "low" },
    "not a spec",
    { prompt: "go", sandbx: "read-only" },
    { prompt: "go", cwd: "nowhere" },
    { prompt: "go", worktree: { base: "nowhere" } },
    { prompt: `fake:say(quick) fake:write(last)`, model: null },
  ];
  const messages: string[] = [];
  const onProgress = (message: string): void => void messages.push(message);
  const params = { name: "spawn_agents_parallel", arguments: { agents } };
  const answered = await swarm.client.callTool(params, {
    timeout: 60_000,
    onprogress: ({ message }) => onProgress(message ?? ""),
  });
  assert.notEqual(answered.isError, true);
  const { result, agents: own } = plain(answered.structuredContent, swarm);
  const texts = answered.content.map((block) => block.type === "text" ? JSON.parse(block.text) : null);
  assert.deepEqual(plain(texts, swarm), result);
  assert.deepEqual(result.map(({ index }: { index: string }) => index), agents.map((_, index) => String(index)));
  assert.deepEqual(result[0], { index: "0", output: `slow\nLog file: ${log(0)}`, log_file: log(0) });
  assert.deepEqual(result[8], { index: "8", output: `quick\nLog file: ${log(8)}`, log_file: log(8) });
  assert.deepEqual([result[1].error.code, result[1].error.log_file, result[1].log_file], [
    "agent_non_zero_exit",
    log(1),
    log(1),
  ]);
  const codes = result.slice(2, 8).map(({ error }: { error: { code: string } }) => error.code);
  assert.deepEqual(codes, [
    "empty_prompt",
    "invalid_prompt_type",
    "invalid_agent_spec",
    "invalid_agent_spec",
    "cwd_missing",
    "invalid_argument",
  ]);
  assert.match(
    result[5].error.message,
    /^Invalid agent spec: .*sandbx.*A spec has prompt, reasoning_effort, model, cwd/,
  );
  assert.deepEqual(own.map(({ index, status }: Record<string, string>) => [index, status]), [
    ["0", "completed"],
    ["1", "failed"],
    ["8", "completed"],
  ]);
  assert.deepEqual(own[0], {
    index: "0",
    task_id: own[0].task_id,
    status: "completed",
    thread_id: "THREAD",
    output_file: "STATE/tasks/ID/answer.md",
  });
  assert.match(messages[0] ?? "", /^\d\/3 done; first: /);
});

Deno.test("spawn_agents_parallel runs at most max_parallel at once and starts the next when one has ended", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  const agents = ["fake:hold(long)", "fake:say(1)", "fake:say(2)", "fake:say(3)", "fake:say(4)"].map((prompt) => ({
    prompt,
  }));
  const calling = swarm.call("spawn_agents_parallel", { agents, max_parallel: 2 });
  // The others take their turns beside the long one.
  await waitFor(() => codex.ledger().filter(({ exitCode }) => exitCode !== null).length === 4, {
    message: "the short agents to end",
  });
  // The last of them has ended a moment before its end is noticed.
  await waitFor(async () => (await swarm.call("list_running_agents")).structured.count === 1, {
    message: "the long agent to be the only one",
  });
  await release(swarm, "long");
  const { structured } = await calling;
  assert.equal(structured.result.length, 5);
  assert.equal(codex.mostAtOnce(), 2);
  assert.deepEqual(
    codex.ledger().map(({ prompt }) => prompt).toSorted(),
    agents.map(({ prompt }) => prompt).toSorted(),
  );
});

for (
  const [what, bound] of [["no bound (control)", {}], ["a bound beyond all", { max_parallel: 1_000_000 }]] as const
) {
  Deno.test(`spawn_agents_parallel runs all at once where the call sets ${what}`, async () => {
    await using codex = await installFakeCodex();
    await using swarm = await startSwarm({ codex });
    const agents = Array.from({ length: 3 }, () => ({ prompt: "fake:hold(all)" }));
    const calling = swarm.call("spawn_agents_parallel", { agents, ...bound });
    await waitFor(() => codex.mostAtOnce() === 3, { message: "all three to run" });
    await release(swarm, "all");
    assert.equal((await calling).structured.result.length, 3);
  });
}

Deno.test("spawn_agents_parallel gives all ids at once with wait=false, also of those that are queued", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  await swarm.call("spawn_agent", { prompt: "fake:say(x)" });
  const agents = [{ prompt: "fake:hold(go) fake:say(0)" }, { prompt: "" }, { prompt: "fake:say(2)" }, {
    prompt: "fake:say(3)",
  }];
  const { structured, isError } = await swarm.call("spawn_agents_parallel", { agents, max_parallel: 1, wait: false });
  assert.equal(isError, false);
  const entry = { task_id: "AGENT_ID", status: "running", started_at: "TIME" };
  assert.deepEqual(plain(structured.result, swarm), [
    { index: "0", ...entry, log_file: log(0) },
    { index: "1", error: { code: "empty_prompt", kind: "validation_error", message: "The prompt is empty." } },
    { index: "2", ...entry, log_file: log(2) },
    { index: "3", ...entry, log_file: log(3) },
  ]);
  assert.match(structured.note, /^3 agents were started; all end with this server\. At most 1 of them run at once/);
  const ids = structured.result.flatMap(({ task_id }: { task_id?: string }) => task_id ?? []);
  const listed = (await swarm.call("list_agent_tasks")).structured;
  assert.deepEqual([listed.total, listed.running], [3, 3]);
  await waitFor(() => codex.ledger().length === 2, { message: "the first agent to run" });
  // Those that began in the same millisecond are in no order.
  assert.deepEqual(listed.tasks.map(({ task_id }: { task_id: string }) => task_id).toSorted(), ids.toSorted());
  await release(swarm, "go");
  for (const id of ids) await waitForAgent(swarm, id, "completed");
  assert.equal(codex.mostAtOnce(), 1);
  // Nobody is told to end when done.
  assert.ok(codex.ledger().every(({ prompt }) => !prompt.includes("IMPORTANT")));
});

Deno.test("spawn_agents_parallel leaves a queue that is true after its server was killed", async () => {
  await using codex = await installFakeCodex();
  await using owner = await startSwarm({ codex, args: ["--orphan-grace", "0"] });
  const agents = [{ prompt: "fake:hold(never)" }, { prompt: "fake:say(never said)" }];
  const { structured } = await owner.call("spawn_agents_parallel", { agents, max_parallel: 1, wait: false });
  const [running, queued] = structured.result.map(({ task_id }: { task_id: string }) => task_id);
  await waitFor(() => codex.ledger().length === 1, { message: "the first agent to run" });
  owner.process.kill("SIGKILL");
  await owner.process.ended;
  await using next = await startSwarm({ codex, stateDir: owner.stateDir, cwd: owner.cwd });
  for (const id of [running, queued]) {
    const { error } = await waitForAgent(next, id, "failed");
    assert.deepEqual([error.kind, error.code === "agent_timeout"], ["runtime_error", false]);
  }
  assert.equal(codex.ledger().length, 1);
});

Deno.test("spawn_agents_parallel says how long its agents run where the server decides", async () => {
  await using swarm = await startSwarm({ args: ["--on-exit", "keep"] });
  const agents = [{ prompt: "fake:say(1)" }];
  const { structured } = await swarm.call("spawn_agents_parallel", { agents, wait: false });
  assert.match(structured.note, /^1 agents were started; all run on when this server ends\. get_agent_status/);
  await waitForAgent(swarm, structured.result[0].task_id, "completed");
});

Deno.test("spawn_agents_parallel stops all its agents when the call is cancelled", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  const cancelling = new AbortController();
  const agents = [{ prompt: "fake:hold(never)" }, { prompt: "fake:hold(never)" }, { prompt: "fake:say(no)" }];
  const calling = swarm.call("spawn_agents_parallel", { agents, max_parallel: 2 }, { signal: cancelling.signal });
  await waitFor(() => codex.ledger().length === 2, { message: "two agents to run" });
  cancelling.abort();
  await assert.rejects(calling);
  await waitFor(async () => {
    const tasks: { status: string }[] = await swarm.resource("tasks");
    return tasks.length === 3 && tasks.every(({ status }) => status === "cancelled");
  }, { message: "all three to be cancelled" });
  assert.equal(codex.ledger().length, 2);
});

Deno.test("spawn_agents_parallel refuses calls without agents, or with a wrong list", async () => {
  await using swarm = await startSwarm();
  const refusals = [
    [{ agents: [] }, "agents_empty"],
    [{ agents: "go" }, "invalid_agents_type"],
    [{}, "invalid_agents_type"],
    [{ agents: [{ prompt: "go" }], max_parallel: 0 }, "invalid_max_parallel"],
    [{ agents: [{ prompt: "go" }], maxParallel: "two" }, "invalid_max_parallel"],
  ] as const;
  for (const [input, code] of refusals) {
    const error = errorOf(await swarm.call("spawn_agents_parallel", input));
    assert.deepEqual([error.code, error.kind], [code, "validation_error"]);
  }
  assert.deepEqual(await swarm.resource("tasks"), []);
});

Deno.test("spawn_agents_parallel keeps its shape within what the client passes on", async () => {
  await using codex = await installQuickCodex();
  await using fake = await installFakeCodex();
  for (const [count, prompt, used] of [[3, "fake:huge(20000)", fake], [40, "quick: events=1", codex]] as const) {
    await using swarm = await startSwarm({ codex: used, clientName: "codex-mcp-client" });
    const agents = Array.from({ length: count }, () => ({ prompt }));
    const answer = await swarm.client.callTool(
      { name: "spawn_agents_parallel", arguments: { agents } },
      { timeout: 60_000 },
    );
    const length = answer.content.reduce((sum, block) => sum + (block.type === "text" ? block.text.length : 0), 0);
    assert.ok(length <= 10_000 && length > 3_000, `${length}`);
    assert.ok(JSON.stringify(answer.structuredContent).length <= 10_000);
    const { result } = JSON.parse(JSON.stringify(answer.structuredContent));
    assert.equal(result.length, count);
    for (const [index, one] of result.entries()) {
      assert.equal(one.index, String(index));
      assert.equal(typeof one.output, "string");
    }
    assert.doesNotMatch(swarm.process.stderr, /an answer was longer/);
  }
});
