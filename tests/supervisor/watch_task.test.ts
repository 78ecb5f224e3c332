import assert from "node:assert/strict";
import { join } from "node:path";
import { readInterruptedRun } from "../../src/process/run_files.ts";
import type { RunSighting } from "../../src/process/run_host.ts";
import { concludeTask, judgeRun } from "../../src/supervisor/end_task.ts";
import { untilRunOver } from "../../src/supervisor/watch_task.ts";
import { hostYard } from "../helpers/host_yard.ts";

Deno.test("untilRunOver() calls off a run of which there is no sign, so that it can never start later", async () => {
  await using yard = await hostYard({ sighting: { state: "lost" } });
  const followed = await yard.follow(new Date());
  assert.deepEqual(await untilRunOver(followed, null, yard.services), { kind: "unstarted", exitCode: null });
  assert.equal(await readInterruptedRun(followed.directory.path), 1);
});

Deno.test("untilRunOver() knows no exit code of an agent that has noted itself and is gone", async () => {
  await using yard = await hostYard({ sighting: { state: "lost" } });
  const followed = await yard.follow(new Date());
  await Deno.writeTextFile(join(followed.directory.path, "process"), "1 10 100 11 110 boot flock\n");
  assert.deepEqual(await untilRunOver(followed, null, yard.services), { kind: "over", exitCode: null });
});

Deno.test("untilRunOver() looks again when an agent notes itself after a look that found nobody", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow(new Date());
  const closing = new AbortController();
  const { runner } = yard.services;
  const sight = async (): Promise<RunSighting> => {
    await Deno.writeTextFile(join(followed.directory.path, "process"), "1 10 100 11 110 boot flock\n");
    closing.abort();
    return { state: "lost" };
  };
  const services = {
    ...yard.services,
    closing: closing.signal,
    runner: { ...runner, host: { ...runner.host, sight } },
  };
  assert.equal(await untilRunOver(followed, null, services), null);
  assert.equal(await readInterruptedRun(followed.directory.path), null);
});

Deno.test("concludeTask() ends a task when its run ended, not when somebody came to look", async () => {
  const [startedAt, endedAt] = [new Date("2026-01-01T00:00:00Z"), new Date("2026-01-01T00:00:07Z")];
  await using yard = await hostYard();
  const followed = await yard.follow(startedAt);
  const exit = join(followed.directory.path, "exit");
  await Deno.writeTextFile(exit, "1 3\n");
  await Deno.utime(exit, endedAt, endedAt);
  await concludeTask(followed, await judgeRun(followed, 3, yard.services), yard.services);
  const { task: { state } } = followed;
  assert.deepEqual("endedAt" in state ? [state.startedAt, state.endedAt] : state, [startedAt, endedAt]);
});
