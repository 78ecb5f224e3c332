/** Defects of codex-mcp-swarm in what it answered; the numbers are those of the project's list. */
import assert from "node:assert/strict";
import { clientLimits } from "../../src/server/client.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { residentKib } from "../helpers/processes.ts";
import { type Answer, startSwarm } from "../helpers/swarm.ts";
import { release, startTask, waitForTask } from "../helpers/tasks.ts";
import { wrapCodex } from "../helpers/wrap_codex.ts";

const ignore = Deno.build.os === "windows";

Deno.test("answers tell what happened, when it happened", async (t) => {
  await using swarm = await startSwarm();
  await t.step("B7: a failure is a failure: isError, its exit code and its reason", async () => {
    const crashed = await swarm.call("codex", { prompt: "fake:stderr(error: no such thing) fake:crash(2)" });
    assert.deepEqual(
      { isError: crashed.isError, status: crashed.structured.status, exit_code: crashed.structured.exit_code },
      { isError: true, status: "failed", exit_code: 2 },
    );
    assert.match(crashed.text, /^Codex FAILED \(exit 2\)\nCause: .*\nCategory: .*\nRetryable: .*\nAction: /);
    const failed = await swarm.call("codex", { prompt: "fake:fail(the model does not exist)" });
    assert.deepEqual([failed.isError, failed.structured.failure.message], [true, "the model does not exist"]);
  });

  await t.step("B9: a poll reads what is new and nothing twice", async () => {
    const id = await startTask(swarm, "fake:flood(2000) fake:hold(polled)");
    const { events_file: events } = await waitForTask(swarm, id, (task) => task.tools_called === 2_000);
    // Whoever read these bytes again would find no events in them.
    const { size } = await Deno.stat(events);
    const file = await Deno.open(events, { write: true });
    await file.write(new Uint8Array(size).fill(120));
    file.close();
    await release(swarm, "polled");
    const { structured: { tasks: [task] } } = await swarm.call("codex_wait", { task_ids: [id] });
    assert.deepEqual({ tools: task.tools_called, status: task.status, unreadable: task.unreadable_events }, {
      tools: 2_000,
      status: "completed",
      unreadable: undefined,
    });
  });

  await t.step("B18: a task is collected when it ends, not at the next tick of a clock", async () => {
    const lateMs: number[] = [];
    for (const gate of ["one", "two", "three"]) {
      const id = await startTask(swarm, `fake:hold(${gate})`);
      await waitForTask(swarm, id, (task) => task.status === "running");
      const wait = swarm.call("codex_wait", { task_ids: [id] });
      await release(swarm, gate);
      const { structured: { tasks: [task] } } = await wait;
      lateMs.push(Date.now() - new Date(task.ended_at).getTime());
    }
    // The best of several: what else the machine does must not decide.
    assert.ok(Math.min(...lateMs) < 1_000, `the answers came ${lateMs.join(", ")} ms after the ends`);
  });

  await t.step("B20: the live status shows reasoning as reasoning, and everything else that Codex tells", async () => {
    const steps = [
      "fake:reason(a deep thought)",
      "fake:run(echo noise)",
      "fake:write(new.txt, hello)",
      "fake:mcp(docs.find)",
      "fake:search(deno)",
      "fake:plan(read*,write)",
      "fake:subagent(help)",
      "fake:say(so far)",
      "fake:hold(shown)",
      "fake:usage(700,30)",
    ];
    const id = await startTask(swarm, steps.join(" "), { sandbox: "workspace-write" });
    await waitForTask(swarm, id, (task) => task.answer === "so far");
    const { text } = await swarm.call("codex_status", { task_ids: [id] });
    for (
      const line of [
        "Thinking: a deep thought",
        "Last tool: exec_command(/bin/bash -lc 'echo noise')",
        "Tools called: 3",
        "Plan: [x] read; [ ] write",
        "Sub-agents: 1",
        "Output: so far",
      ]
    ) assert.ok(text.split("\n").includes(line), `${line} is not in\n${text}`);
    assert.match(text, /^Files changed: 1 \(add .*new\.txt\)$/m);
    assert.doesNotMatch(text, /Thinking: noise/);
    await release(swarm, "shown");
    const { structured: { tasks: [task] } } = await swarm.call("codex_wait", { task_ids: [id] });
    assert.deepEqual([task.usage.this_task.input_tokens, task.usage.this_task.output_tokens], [700, 30]);
  });
});

/** Characters of an answer, in the two forms that a client may pass on. */
function lengths({ text, structured }: Answer): readonly [number, number] {
  return [text.length, JSON.stringify(structured).length];
}

Deno.test("B8: an answer stays within what the client passes on, however much agents wrote", async () => {
  await using swarm = await startSwarm({ clientName: "codex-mcp-client" });
  const prompts = [
    "fake:huge(300000)",
    "fake:flood(3000) fake:hold(never)",
    `fake:say(${'"\\\\\n'.repeat(20_000)})`,
    "fake:say(short)",
    `fake:fail(${"very ".repeat(20_000)}bad)`,
  ];
  const ids: string[] = [];
  for (const prompt of prompts) ids.push(await startTask(swarm, prompt));
  const [, killed = ""] = ids;
  await waitForTask(swarm, killed, (task) => task.tools_called === 3_000);
  const answers = [await swarm.call("codex_cancel", { task_id: killed })];
  for (const tool of ["codex_wait", "codex_status"]) answers.push(await swarm.call(tool, { task_ids: ids }));
  answers.push(await swarm.call("codex", { prompt: "fake:huge(300000)" }));
  answers.push(await swarm.call("codex", { prompt: `fake:fail(${"very ".repeat(20_000)}bad)` }));
  for (const answer of answers) {
    const [text, structured] = lengths(answer);
    assert.ok(
      Math.max(text, structured) <= 10_000,
      `${text} and ${structured} characters: ${answer.text.slice(0, 200)}`,
    );
  }
  // What was cut can be had whole.
  const { structured: { tasks } } = answers[1] ?? {};
  const whole = await Deno.readTextFile(tasks[0].answer_file);
  assert.deepEqual([whole.length, tasks[3].answer], [300_000, "short"]);
});

Deno.test({
  name: "B19: a turn that failed is a failure though Codex ended with exit code 0",
  ignore,
  async fn(): Promise<void> {
    await using codex = await installFakeCodex();
    const friendly = wrapCodex(codex, '"$FAKE" "$@"; exit 0');
    await using swarm = await startSwarm({ codex: friendly });
    const { structured, isError } = await swarm.call("codex", { prompt: "fake:fail(no quota left)" });
    assert.deepEqual({ isError, status: structured.status, exit_code: structured.exit_code }, {
      isError: true,
      status: "failed",
      exit_code: 0,
    });
    assert.equal(structured.failure.message, "no quota left");
    const silent = await swarm.call("codex", { prompt: "fake:say(almost) fake:no_terminal" });
    assert.deepEqual([silent.isError, silent.structured.status], [true, "failed"]);
  },
});

Deno.test("B27: a wait is answered before the client gives up, whatever least is configured", async () => {
  await using swarm = await startSwarm({ args: ["--max-wait", "0.3s"], env: { CODEX_SWARM_MIN_WAIT: "150" } });
  const id = await startTask(swarm, "fake:hold(go)");
  const { text, structured } = await swarm.call("codex_wait", { task_ids: [id], timeout: 1_800 });
  assert.match(text, /STILL RUNNING/);
  assert.deepEqual(structured.running, [id]);
  await release(swarm, "go");
  // What clients bear unless they are told otherwise: 60 s most of them, 300 s Codex.
  for (const [name, bearsMs] of [[undefined, 60_000], ["claude-ai", 60_000], ["codex-mcp-client", 300_000]] as const) {
    const { waitMs } = clientLimits(name, { transport: "stdio", maxWaitMs: null });
    assert.ok(waitMs < bearsMs, `${name}: ${waitMs}`);
  }
});

Deno.test({
  name: "B29: 200 MB of output leave no trace in the server's memory",
  ignore,
  async fn(): Promise<void> {
    await using codex = await installFakeCodex();
    const item = (text: string): string =>
      JSON.stringify({
        type: "item.completed",
        item: { id: "i", type: "command_execution", command: "x", ...JSON.parse(text) },
      });
    const line = item(JSON.stringify({ aggregated_output: "y".repeat(100_000), exit_code: 0, status: "completed" }));
    const loud = wrapCodex(
      codex,
      `cat >/dev/null; echo '{"type":"thread.started","thread_id":"01a1f744-634e-71b1-a39a-93788d7eea39"}'; ` +
        `yes '${line}' | head -n 2000; echo '{"type":"turn.completed"}'; exit 0`,
    );
    await using swarm = await startSwarm({ codex: loud });
    const before = await residentKib(swarm.process.pid);
    const { structured, isError } = await swarm.call("codex", { prompt: "write" });
    assert.deepEqual({ isError, tools: structured.tools_called }, { isError: false, tools: 2_000 });
    assert.ok((await Deno.stat(structured.events_file)).size > 200_000_000);
    const after = await residentKib(swarm.process.pid);
    assert.ok(after < 2 * before, `${before} KiB before, ${after} KiB after`);
  },
});
