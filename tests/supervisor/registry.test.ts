import assert from "node:assert/strict";
import { removeTask } from "../../src/storage/age_out.ts";
import { TaskDirectory } from "../../src/storage/task_directory.ts";
import { Registry } from "../../src/supervisor/registry.ts";
import { emptyProgress } from "../../src/task/progress.ts";
import { finish } from "../../src/task/transitions.ts";
import { exampleTask } from "../helpers/example_task.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const ENDED = finish(exampleTask(1), {
  at: new Date(0),
  outcome: { status: "cancelled", exitCode: null, statusInferred: false },
  progress: emptyProgress(),
});

Deno.test("Registry.read() knows no task any more that was removed since it was read, by whichever server", async () => {
  await using temp = await tempDirectory();
  const registry = new Registry(temp.path);
  using _lock = await new TaskDirectory(temp.path, ENDED.id).create(ENDED, { prompt: "go" });
  for (let look = 0; look < 2; look++) assert.deepEqual(await registry.read(ENDED.id), ENDED);
  await removeTask(temp.path, ENDED.id);
  await assert.rejects(registry.read(ENDED.id), { code: "unknown_task" });
});

Deno.test("Registry.read() tells of a task whose directory was gone when it ended", async () => {
  await using temp = await tempDirectory();
  const registry = new Registry(temp.path);
  registry.keep(ENDED);
  assert.deepEqual(await registry.read(ENDED.id), ENDED);
});
