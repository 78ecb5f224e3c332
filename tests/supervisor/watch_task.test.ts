import assert from "node:assert/strict";
import { join } from "node:path";
import { lookAtTask } from "../../src/supervisor/watch_task.ts";
import { hostYard } from "../helpers/host_yard.ts";

for (const { ageMs, isLost } of [{ ageMs: 5_000, isLost: false }, { ageMs: 15_000, isLost: true }]) {
  const what = isLost ? "ends it" : "waits for its sign of life";
  Deno.test(`lookAtTask() finds nobody of a run that began ${ageMs} ms ago and ${what}`, async () => {
    const startedAt = new Date("2026-01-01T00:00:00Z");
    await using yard = await hostYard({ now: () => new Date(startedAt.getTime() + ageMs) });
    const followed = await yard.follow(startedAt);
    const isOver = await lookAtTask(followed, yard.services, { isOwner: false });
    assert.deepEqual([isOver, followed.task.state.status], [isLost, isLost ? "interrupted" : "running"]);
  });
}

Deno.test("lookAtTask() ends a task when its run ended, not when somebody came to look", async () => {
  const [startedAt, endedAt] = [new Date("2026-01-01T00:00:00Z"), new Date("2026-01-01T00:00:07Z")];
  await using yard = await hostYard({ sighting: { state: "ended", exitCode: 3, oom: null } });
  const followed = await yard.follow(startedAt);
  const exit = join(followed.directory.path, "exit");
  await Deno.writeTextFile(exit, "1 3\n");
  await Deno.utime(exit, endedAt, endedAt);
  await lookAtTask(followed, yard.services, { isOwner: false });
  const { task: { state } } = followed;
  assert.deepEqual("endedAt" in state ? [state.startedAt, state.endedAt] : state, [startedAt, endedAt]);
});
