import assert from "node:assert/strict";
import { instructions } from "../../src/server/instructions.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { startSwarm, type Swarm } from "../helpers/swarm.ts";
import { startTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

Deno.test("instructions() stays within 1,000 characters", () => {
  assert.ok(instructions({ running: 999_999, unread: 999_999 }).length <= 1_000);
});

function lastLine({ client }: Swarm): string | undefined {
  return client.getInstructions()?.split("\n").at(-1);
}

Deno.test("a server says at start how many tasks of its repository run or ended unread", async () => {
  await using codex = await installFakeCodex();
  await using first = await startSwarm({ codex });
  const { stateDir, cwd } = first;
  assert.equal(lastLine(first), "At start, this repository had 0 task(s) still running and 0 ended unread.");
  const running = await startTask(first, "fake:hold(never)");
  const unread = await startTask(first, "fake:say(unread)");
  const read = await startTask(first, "fake:say(read)");
  // Both have ended; a list does not count as reading.
  await waitFor(async () => {
    const { structured } = await first.call("codex_status");
    const ended = structured.tasks.filter(({ status }: { status: string }) => status === "completed");
    return ended.length === 2;
  }, { message: `${unread} and ${read} to end` });
  await first.call("codex_wait", { task_ids: [read] });
  {
    await using second = await startSwarm({ codex, stateDir, cwd, era: "2026" });
    assert.equal(
      lastLine(second),
      "At start, this repository had 1 task(s) still running and 1 ended unread: see codex_status().",
    );
    await using elsewhere = await startSwarm({ codex, stateDir });
    assert.match(lastLine(elsewhere) ?? "", / 0 task\(s\) still running and 0 ended unread\.$/);
  }
  await first.call("codex_cancel", { task_id: running });
});
