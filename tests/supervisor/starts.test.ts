import assert from "node:assert/strict";
import { join } from "node:path";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { startTask } from "../helpers/tasks.ts";

Deno.test("the first run on a cold CODEX_HOME starts alone, the others once its thread is there", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  const hold = "fake:hold(go)";
  const prompts = Array.from(
    { length: 4 },
    (_, index) => `fake:say(${index}) ${index === 0 ? "fake:silent(0.2)" : ""} ${hold}`,
  );
  const ids = await Promise.all(prompts.map((prompt) => startTask(swarm, prompt)));
  await Deno.writeTextFile(join(swarm.cwd, "go"), "");
  const { structured } = await swarm.call("codex_wait", { task_ids: ids });
  assert.equal(structured.tasks.length, 4);
  const [first, ...others] = codex.ledger();
  assert.ok(first?.startedAt !== null && first !== undefined);
  for (const { startedAt } of others) assert.ok(startedAt !== null && startedAt > first.startedAt);
  assert.ok(codex.mostAtOnce() >= 2, `${codex.mostAtOnce()}`);
});

Deno.test("a start that dies of shared state is tried again, one that dies of anything else is not", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  const again = await swarm.call("codex", { prompt: "fake:fail_first(1,Error: database is locked) fake:say(made it)" });
  assert.equal(again.structured.content, "made it");
  assert.deepEqual(codex.ledger().map(({ exitCode }) => exitCode), [1, 0]);

  const never = await swarm.call("codex", { prompt: "fake:fail_first(1,Error: unexpected status 401 Unauthorized)" });
  assert.equal(never.isError, true);
  assert.equal(never.structured.failure.class, "authentication");
  assert.equal(codex.ledger().length, 3);

  // It had begun to work: nobody knows what a second run would do twice.
  const begun = await swarm.call("codex", { prompt: "fake:stderr(Error: database is locked) fake:crash(1)" });
  assert.equal(begun.structured.status, "failed");
  assert.equal(codex.ledger().length, 4);
});
