/** What clients pass on to their models: answers keep within it, whole ones stay on disk. */
import assert from "node:assert/strict";
import { assertWithin } from "../helpers/answer_budget.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { release, startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";

const CLIENTS = [
  { clientName: "claude-code", era: "2026", budget: 40_000 },
  { clientName: "codex-mcp-client", era: "2025", budget: 10_000 },
  { clientName: "some-editor", era: "2025", budget: 20_000 },
  { clientName: "some-editor", era: "2026", budget: 20_000 },
] as const;
const MARK = /\[… [\d,]+ characters in all, the middle is left out; whole: (\S+) …\]/;

Deno.test("answers stay within what each client passes on, cut in the middle, with the path to the whole", async () => {
  await using codex = await installFakeCodex();
  await using owner = await startSwarm({ codex });
  const { stateDir, cwd } = owner;
  const large = await startTask(owner, "fake:huge(100000)");
  const ids: string[] = [];
  for (let index = 0; index < 12; index++) ids.push(await startTask(owner, `fake:say(${index}${'"'.repeat(4_998)}!)`));
  await owner.call("codex_wait", { task_ids: [large, ...ids] });

  for (const { clientName, era, budget } of CLIENTS) {
    await using swarm = await startSwarm({ codex, stateDir, cwd, clientName, era });
    for (const [tool, task_ids] of [["codex_wait", [large]], ["codex_wait", ids], ["codex_status", ids]] as const) {
      const { text, structured } = await swarm.call(tool, { task_ids });
      const dataLength = JSON.stringify(structured).length;
      assert.ok(text.length <= budget, `${clientName}: ${tool} gave a text of ${text.length}`);
      assert.ok(dataLength <= budget, `${clientName}: ${tool} gave data of ${dataLength}`);
      const answers: string[] = structured.tasks.map(({ answer }: { answer: string }) => answer);
      assert.ok(tool === "codex_status" || text.length > budget / 2);
      assert.ok(dataLength > budget / 2, `${clientName}: ${tool} gave data of ${dataLength} only`);
      assert.equal(answers.length, task_ids.length);
      for (const [index, answer] of answers.entries()) {
        const path = MARK.exec(answer)?.[1] ?? "";
        assert.equal(path, structured.tasks[index].answer_file);
        const whole = await Deno.readTextFile(path);
        const [head = "", tail = ""] = answer.split(MARK).filter((_, part) => part !== 1);
        assert.ok(head.length > 10 && whole.startsWith(head.trimEnd()));
        assert.ok(tail.length > 10 && whole.endsWith(tail.trimStart()));
      }
    }
  }
  assert.equal((await Deno.readTextFile(`${stateDir}/tasks/${large}/answer.md`)).length, 100_000);
});

Deno.test("a blocking answer stays within what the client passes on, the words of a failure too", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex, clientName: "codex-mcp-client" });
  const { text, structured } = await swarm.call("codex", { prompt: "fake:huge(100000)" });
  assert.ok(text.length <= 10_000 && text.length > 5_000, `${text.length}`);
  assert.ok(JSON.stringify(structured).length <= 10_000);
  assert.equal(MARK.exec(text)?.[1], structured.answer_file);
  assert.equal(MARK.exec(structured.content)?.[1], structured.answer_file);
  assert.match(text, /\n---\nThread ID: /);

  const failed = await swarm.call("codex", { prompt: `fake:huge(100000) fake:fail(${"no ".repeat(20_000)})` });
  assert.ok(failed.text.length <= 10_000, `${failed.text.length}`);
  assert.ok(JSON.stringify(failed.structured).length <= 10_000);
  const wrong = await swarm.call("codex", {
    prompt: `fake:say([${Array(20_000).fill('"x"').join(",")}])`,
    "output-schema": { type: "array", items: { type: "number" } },
  });
  assert.equal(wrong.structured.output_schema_verdict.valid, false);
  assert.ok(wrong.text.length <= 10_000, `${wrong.text.length}`);
  assert.ok(JSON.stringify(wrong.structured).length <= 10_000, `${JSON.stringify(wrong.structured).length}`);
  const silent = await swarm.call("codex", { prompt: `fake:fail(${"no ".repeat(20_000)})` });
  assert.ok(silent.text.length <= 10_000, `${silent.text.length}`);
  assert.ok(JSON.stringify(silent.structured).length <= 10_000, `${JSON.stringify(silent.structured).length}`);
});

Deno.test("answers keep within the budget whatever an agent reports", async () => {
  await using swarm = await startSwarm({ clientName: "codex-mcp-client" });
  const warned = await swarm.call("codex", { prompt: "fake:bulk(warnings,20,2000) fake:say(done)" });
  assertWithin(warned, 10_000);
  assert.deepEqual([warned.structured.content, warned.structured.warnings.length], ["done", 3]);
  assert.match(warned.structured.warnings[2], /^\/19\/x{250,}…$/);
  const { task_id } = warned.structured;
  const cancelled = await swarm.call("codex_cancel", { task_id });
  assertWithin(cancelled, 10_000);
  assert.deepEqual([cancelled.structured.task_id, cancelled.structured.status], [task_id, "completed"]);

  const changed = await swarm.call("codex", { prompt: "fake:bulk(files,60,3000) fake:say(done)" });
  assertWithin(changed, 10_000);
  const { files_changed, files_changed_not_shown, thread_id } = changed.structured;
  assert.equal(files_changed.length + files_changed_not_shown, 60);
  assert.match(files_changed[0].path, /^\/0\/x+…x+$/);
  assertWithin(await swarm.call("codex_reply", { threadId: thread_id, prompt: "fake:bulk(files,60,3000)" }), 10_000);

  const id = await startTask(swarm, "fake:bulk(files,60,3000) fake:bulk(plan,100,1900) fake:hold(go) fake:say(done)");
  const { plan, plan_steps_not_shown } = await waitForTask(swarm, id, (task) => task.plan !== undefined);
  assert.equal(plan.length + plan_steps_not_shown, 100);
  const looks = [{ task_ids: [id] }, {}, { task_ids: [id, changed.structured.task_id, task_id] }];
  for (const look of looks) assertWithin(await swarm.call("codex_status", look), 10_000);
  const status = await swarm.call("codex_status", { task_ids: [id] });
  assert.match(status.text, /^Plan: \[ \] \/0\/x+…; .*; … \d+ more$/m);
  assert.match(status.text, /^Files changed: 60 \(add \/0\/x+…x+, /m);
  await release(swarm, "go");
  await waitForStatus(swarm, id, "completed");
  for (const look of looks) assertWithin(await swarm.call("codex_status", look), 10_000);
  assertWithin(await swarm.call("codex_wait", { task_ids: [id] }), 10_000);
  assert.doesNotMatch(swarm.process.stderr, /an answer was longer/);
});

Deno.test("answers keep within the budget whatever ids a caller asks for", async () => {
  await using swarm = await startSwarm({ clientName: "codex-mcp-client" });
  const known = await startTask(swarm, "fake:say(done)");
  await waitForStatus(swarm, known, "completed");
  const unknown = Array.from({ length: 1_000 }, (_, index) => index.toString(16).padStart(8, "0"));
  for (const [tool, task_ids] of [["codex_wait", unknown], ["codex_status", [...unknown, known]]] as const) {
    const answer = await swarm.call(tool, { task_ids });
    assertWithin(answer, 10_000);
    const missing = answer.structured.tasks.filter(({ status }: { status: string }) => status === "not_found");
    assert.ok(missing.length > 5);
    assert.equal(missing.length + answer.structured.ids_not_shown, 1_000);
    assert.match(answer.text, /… and \d+ more ids of which there is no task to tell\.$/);
    assert.equal(answer.text.includes(`=== Task ${known} `), tool === "codex_status");
  }
  const long = "f".repeat(200_000);
  for (const [tool, input] of [["codex_status", { task_ids: [long] }], ["codex_cancel", { task_id: long }]] as const) {
    const { text, structured } = await swarm.call(tool, input);
    assert.ok(text.length < 1_000 && JSON.stringify(structured).length < 1_000);
    assert.match(JSON.stringify(structured), new RegExp(`"task_id":"f{79}…".*known tasks are ${known}`));
  }
  const wait = await swarm.call("codex_wait", { task_ids: [known], cursor: `${unknown.join(",")},${long}` });
  assertWithin(wait, 10_000);
  assert.deepEqual([wait.structured.tasks[0].answer, wait.structured.next], ["done", "All have ended."]);
  assert.ok(wait.structured.cursor.endsWith(`,${known}`));
  for (const effort of ["e".repeat(30_000), '"\\\u0001'.repeat(10_000)]) {
    const started = await swarm.call("codex_async", { prompt: "fake:say(x)", "reasoning-effort": effort });
    assertWithin(started, 10_000);
    assert.match(started.text, /^Note: reasoning-effort ".*…/m);
    assertWithin(await swarm.call("codex", { prompt: "fake:say(x)", "reasoning-effort": effort }), 10_000);
  }
  const refused = await swarm.call("codex", { prompt: "fake:say(x)", cwd: `/${long}` });
  assert.equal(refused.isError, true);
  assertWithin(refused, 10_000);
  assert.doesNotMatch(swarm.process.stderr, /an answer was longer/);
});
