import assert from "node:assert/strict";
import { startSwarm } from "../helpers/swarm.ts";
import { startTask, waitForStatus } from "../helpers/tasks.ts";

const STATE = "codex-swarm:///tasks/{id}";
const EVENTS = "codex-swarm:///tasks/{id}/events{?after}";
const DIFF = "codex-swarm:///tasks/{id}/diff";

for (const era of ["2025", "2026"] as const) {
  Deno.test(`ids of tasks are completed, newest first, in templates and prompts (${era} era)`, async () => {
    await using swarm = await startSwarm({ era });
    const ids: string[] = [];
    for (let count = 0; count < 3; count++) {
      const id = await startTask(swarm, "fake:say(done)");
      await waitForStatus(swarm, id, "completed");
      ids.unshift(id);
    }
    const [newest = "", ...others] = ids;
    const complete = async (uri: string, name: string, value: string): Promise<unknown> =>
      (await swarm.client.complete({ ref: { type: "ref/resource", uri }, argument: { name, value } })).completion;
    const none = { values: [], total: 0, hasMore: false };
    for (const uri of [STATE, EVENTS, DIFF]) {
      assert.deepEqual(await complete(uri, "id", ""), { values: ids, total: 3, hasMore: false });
    }
    const prefix = newest.slice(0, 7);
    const matching = ids.filter((id) => id.startsWith(prefix));
    assert.deepEqual(await complete(STATE, "id", prefix), { values: matching, total: matching.length, hasMore: false });
    assert.deepEqual(await complete(STATE, "id", "../"), none);
    assert.deepEqual(await complete(EVENTS, "after", "1"), none);
    assert.deepEqual(await complete("codex-swarm:///tasks", "id", ""), none);

    const completePrompt = async (name: string, argument: string, value: string): Promise<unknown> =>
      (await swarm.client.complete({ ref: { type: "ref/prompt", name }, argument: { name: argument, value } }))
        .completion;
    const [second = ""] = others;
    assert.deepEqual(await completePrompt("review_and_merge", "task_ids", ""), {
      values: ids,
      total: 3,
      hasMore: false,
    });
    assert.deepEqual(await completePrompt("review_and_merge", "task_ids", `${newest}, ${second}`), {
      values: [`${newest}, ${second}`],
      total: 1,
      hasMore: false,
    });
    // What stands in the list already is not offered again.
    assert.deepEqual(await completePrompt("review_and_merge", "task_ids", `${newest}, `), {
      values: others.map((id) => `${newest}, ${id}`),
      total: 2,
      hasMore: false,
    });
    assert.deepEqual(await completePrompt("fan_out", "task", "x"), none);

    await assert.rejects(
      complete("codex-swarm:///tasks/{name}", "name", ""),
      /Cannot complete for resource template .*: known ones are codex-swarm:\/\/\/tasks\/\{id\}, /,
    );
    await assert.rejects(
      completePrompt("nope", "x", ""),
      /Cannot complete for prompt "nope": known ones are fan_out, review_and_merge\./,
    );
  });
}

Deno.test("a completion names 100 ids at most, and says how many there are", async () => {
  await using swarm = await startSwarm();
  const first = await startTask(swarm, "fake:say(done)");
  await waitForStatus(swarm, first, "completed");
  const path = `${swarm.stateDir}/tasks/.index/history`;
  const [line = ""] = Deno.readTextFileSync(path).split("\n");
  const ids = Array.from({ length: 150 }, (_, index) => `f${String(index).padStart(7, "0")}`);
  for (const id of ids) Deno.mkdirSync(`${swarm.stateDir}/tasks/${id}`);
  Deno.writeTextFileSync(path, ids.map((id) => `${id}${line.slice(8)}\n`).join(""), { append: true });
  const complete = async (value: string): Promise<unknown> =>
    (await swarm.client.complete({ ref: { type: "ref/resource", uri: STATE }, argument: { name: "id", value } }))
      .completion;
  const all = ids.toReversed().slice(0, 100);
  const count = first.startsWith("f0000") ? 151 : 150;
  assert.deepEqual(await complete("f0000"), { values: all, total: count, hasMore: true });
  assert.deepEqual(await complete(""), { values: all, total: 151, hasMore: true });
});
