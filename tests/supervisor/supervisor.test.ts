import assert from "node:assert/strict";
import { join } from "node:path";
import { Supervisor } from "../../src/supervisor/supervisor.ts";
import { hostYard } from "../helpers/host_yard.ts";
import { PLANNED, TASK } from "../helpers/tool_calls.ts";
import { waitFor } from "../helpers/wait_for.ts";

Deno.test("Supervisor.close() lets go of every run that goes on", async () => {
  const ended = Promise.withResolvers<void>();
  await using yard = await hostYard({ ended: ended.promise });
  const supervisor = new Supervisor({
    tasksDir: join(yard.path, "tasks"),
    openTasksDir: join(yard.path, "open"),
    codexHome: join(yard.path, "home"),
    runner: yard.services.runner,
    env: {},
    maxConcurrent: 1,
    offlineTimeoutMs: 60_000,
    probe: () => Promise.resolve(PLANNED.probe),
    log: yard.services.log,
    now: yard.services.now,
    newId: () => TASK.id,
  });
  await supervisor.start(PLANNED);
  // The task is running a moment before its run is there.
  await waitFor(() => yard.asked.length > 0, { message: "the run to start" });
  await supervisor.close();
  assert.deepEqual(yard.asked, ["start 1", "release 1"]);
  ended.resolve();
  await supervisor.ended(TASK.id, new AbortController().signal);
});
