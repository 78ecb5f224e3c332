import assert from "node:assert/strict";
import { noteStop } from "../../src/process/run_files.ts";
import { runTask } from "../../src/supervisor/run_task.ts";
import { hostYard } from "../helpers/host_yard.ts";
import { PLANNED } from "../helpers/tool_calls.ts";

function started(): void {}

Deno.test("runTask() starts a run and ends the task with it", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow();
  await runTask(followed, PLANNED, { ...yard.services, started });
  assert.deepEqual([yard.asked, followed.task.state.status], [["start 1"], "failed"]);
});

Deno.test("runTask() stops a run whose task was stopped in the moment of its start", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow();
  // The instant of the start is the last thing that is asked for before it.
  const now = (): Date => {
    followed.noteStop("cancelled");
    return new Date();
  };
  await runTask(followed, PLANNED, { ...yard.services, now, started });
  assert.deepEqual([yard.asked, followed.task.state.status], [["start 1", "stop: cancelled"], "cancelled"]);
});

Deno.test("runTask() starts nothing when another server has stopped the task", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow();
  await noteStop(followed.directory.path, "cancelled");
  await runTask(followed, PLANNED, { ...yard.services, started });
  assert.deepEqual([yard.asked, followed.task.state.status], [[], "cancelled"]);
});
