import assert from "node:assert/strict";
import { assertWithin } from "../helpers/answer_budget.ts";
import { installQuickCodex } from "../helpers/fake_codex.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { startTask } from "../helpers/tasks.ts";

Deno.test("lists and waits keep within the budget with hundreds of tasks", async () => {
  await using codex = await installQuickCodex();
  await using swarm = await startSwarm({ codex, args: ["--max-concurrent", "1", "--max-wait", "0.2"] });
  const { stateDir, cwd } = swarm;
  const ids: string[] = [];
  for (let index = 0; index < 300; index++) {
    ids.push(await startTask(swarm, "quick: seconds=600", { label: `n${index}` }));
  }
  const list = await swarm.call("codex_status");
  assertWithin(list, 20_000);
  assert.equal(list.structured.tasks.length + list.structured.tasks_not_shown, 300);
  assert.match(list.structured.next, /^More: codex_status\(task_ids=\["[0-9a-f]{8}"/);
  await using small = await startSwarm({
    codex,
    stateDir,
    cwd,
    clientName: "codex-mcp-client",
    args: ["--max-wait", "0.2"],
  });
  const others = Array.from({ length: 400 }, (_, index) => `f${index.toString(16).padStart(7, "0")}`);
  const waited = await small.call("codex_wait", { task_ids: ids, cursor: others.join(",") });
  assertWithin(waited, 10_000);
  const { running, running_not_shown, cursor, next } = waited.structured;
  assert.equal(running.length + running_not_shown, 300);
  assert.equal(JSON.stringify(waited.structured).split(others.at(-1) ?? "").length, 2, "the cursor stands there once");
  assert.ok(cursor.length > 3_500 && cursor.length <= 4_000);
  assert.match(next, /with this answer's cursor, then with \d+ more\.$/);
  assertWithin(await small.call("codex_status", { task_ids: ids }), 10_000);
  await Promise.all(ids.toReversed().map((task_id) => swarm.call("codex_cancel", { task_id })));
  const ends = await small.call("codex_wait", { task_ids: ids });
  assertWithin(ends, 10_000);
  const told = ends.structured.tasks.map(({ task_id }: { task_id: string }) => task_id);
  assert.equal(ends.structured.cursor, told.join(","));
  assert.deepEqual(told, ids.slice(0, told.length));
});
