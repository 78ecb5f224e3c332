import assert from "node:assert/strict";
import { join } from "node:path";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { startTask } from "../helpers/tasks.ts";
import { tempRepo } from "../helpers/temp_repo.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { wrapCodex } from "../helpers/wrap_codex.ts";

Deno.test({
  name: "the first run on a cold CODEX_HOME starts alone, the others once its thread is there",
  ignore: Deno.build.os === "windows",
  async fn(): Promise<void> {
    await using codex = await installFakeCodex();
    await using repo = await tempRepo();
    const [seen, begin, go] = ["seen", "begin", "go"].map((name) => join(repo.path, name));
    // Each run notes how many threads there are when it starts, and the first one takes its time.
    const lines =
      `find "$CODEX_HOME" -name '*.jsonl' | wc -l >>'${seen}'; until [ -e '${begin}' ]; do sleep 0.02; done`;
    await using swarm = await startSwarm({ codex: wrapCodex(codex, lines), cwd: repo.path });
    const ids: string[] = [];
    for (let index = 0; index < 4; index++) ids.push(await startTask(swarm, "fake:hold(go)"));
    const threadsSeen = (): number[] => Deno.readTextFileSync(seen ?? "").trim().split("\n").map(Number);
    await waitFor(() => threadsSeen().length > 0, { message: "the first run to start" });
    await Deno.writeTextFile(begin ?? "", "");
    await waitFor(() => codex.ledger().length === 4, { message: "all runs to be at work" });
    await Deno.writeTextFile(go ?? "", "");
    const { structured } = await swarm.call("codex_wait", { task_ids: ids });
    assert.deepEqual(structured.running, []);
    assert.deepEqual(threadsSeen().map((count) => count > 0), [false, true, true, true]);
    assert.equal(codex.mostAtOnce(), 4);
  },
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
