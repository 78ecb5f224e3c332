import assert from "node:assert/strict";
import { join } from "node:path";
import { TaskDirectory } from "../../src/storage/task_directory.ts";
import { TaskIndex } from "../../src/storage/task_index.ts";
import type { Task } from "../../src/task/task.ts";
import { SPEC } from "../helpers/example_spec.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

function idOf(number: number): string {
  return number.toString(16).padStart(8, "0");
}

/** A queued task, started `number` seconds after the first. */
function exampleTask(number: number, repository = "/repo/.git"): Task {
  return {
    id: idOf(number),
    createdAt: new Date(1_790_000_000_000 + 1_000 * number),
    repository,
    depth: 0,
    spec: SPEC,
    state: { status: "queued" },
  };
}

/** Starts tasks as a server does. */
async function start(tasksDir: string, index: TaskIndex, ...tasks: readonly Task[]): Promise<void> {
  for (const task of tasks) {
    using _lock = await new TaskDirectory(tasksDir, task.id).create(task, { prompt: "go" });
    await index.noteStarted(task);
  }
}

Deno.test("TaskIndex gives what was noted", async () => {
  await using temp = await tempDirectory();
  const index = new TaskIndex(temp.path);
  assert.deepEqual(await index.open(), { tasks: 0, added: [], removed: [], unreadable: [] });
  assert.equal(await index.open(), null);
  await start(temp.path, index, exampleTask(1), exampleTask(2, "/other"), exampleTask(3));
  await index.noteThread("thread-1", idOf(1));
  await index.noteEnded(idOf(2));
  assert.deepEqual((await index.liveIds()).sort(), [idOf(1), idOf(3)]);
  assert.deepEqual(await index.newestIds({ limit: 10 }), [idOf(3), idOf(2), idOf(1)]);
  assert.deepEqual(await index.newestIds({ limit: 1, repository: "/other" }), [idOf(2)]);
  assert.equal(await index.taskOfThread("thread-1"), idOf(1));
  assert.equal(await index.taskOfThread("thread-2"), null);
  assert.deepEqual(await Array.fromAsync(index.oldestBefore(exampleTask(3).createdAt)), [idOf(1), idOf(2)]);
});

Deno.test("TaskIndex is made from the tasks where there is none", async () => {
  await using temp = await tempDirectory();
  const index = new TaskIndex(temp.path);
  await start(temp.path, index, exampleTask(1), exampleTask(2, "/other"));
  await Deno.remove(join(temp.path, ".index"), { recursive: true });
  assert.deepEqual(await index.newestIds({ limit: 10 }), [idOf(2), idOf(1)]);
  assert.deepEqual((await index.liveIds()).sort(), [idOf(1), idOf(2)]);
});
