import assert from "node:assert/strict";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { release, startTask, waitForStatus } from "../helpers/tasks.ts";

Deno.test("tasks beyond --max-concurrent are queued, with their positions, and run in their order", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex, args: ["--max-concurrent", "1"] });
  const ids = [await startTask(swarm, "fake:hold(go)")];
  for (const name of ["b", "c", "d"]) ids.push(await startTask(swarm, `fake:say(${name})`));
  const [, , third = ""] = ids;
  const headings = async (): Promise<(string | undefined)[]> => {
    const { text } = await swarm.call("codex_status", { task_ids: ids });
    return [...text.matchAll(/=== Task [0-9a-f]{8} \((.*)\) ===/g)].map((match) => match[1]?.replace(/\d+s/, "Ns"));
  };
  await waitForStatus(swarm, ids[0] ?? "", "running");
  assert.deepEqual(await headings(), [
    "Ns elapsed",
    "queued, position 1",
    "queued, position 2",
    "queued, position 3",
  ]);
  const { structured } = await swarm.call("codex_status", { task_ids: ids });
  assert.deepEqual(
    structured.tasks.map(({ queue_position }: { queue_position?: number }) => queue_position),
    [undefined, 1, 2, 3],
  );

  await swarm.call("codex_cancel", { task_id: third });
  assert.equal((await headings())[3], "queued, position 2");
  await release(swarm, "go");
  await swarm.call("codex_wait", { task_ids: ids });
  assert.deepEqual(await headings(), ["COMPLETED in Ns", "COMPLETED in Ns", "CANCELLED after Ns", "COMPLETED in Ns"]);
  assert.deepEqual(codex.ledger().map(({ prompt }) => prompt), ["fake:hold(go)", "fake:say(b)", "fake:say(d)"]);
  assert.equal(codex.mostAtOnce(), 1);
});
