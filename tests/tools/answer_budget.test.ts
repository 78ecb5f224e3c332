/** What clients pass on to their models: answers keep within it, whole ones stay on disk. */
import assert from "node:assert/strict";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { startTask } from "../helpers/tasks.ts";

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
