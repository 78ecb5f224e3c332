import assert from "node:assert/strict";
import { join } from "node:path";
import { emptyTrash, removeTask } from "../../src/storage/age_out.ts";
import { TaskDirectory } from "../../src/storage/task_directory.ts";
import { exampleId, exampleTask } from "../helpers/example_task.ts";
import { namesIn, tempDirectory } from "../helpers/temp_directory.ts";

Deno.test("removeTask() removes a task with all that is in it, and nothing else", async () => {
  await using temp = await tempDirectory();
  for (const task of [exampleTask(1), exampleTask(2)]) {
    const directory = new TaskDirectory(temp.path, task.id);
    using _lock = await directory.create(task, { prompt: "go" });
    Deno.mkdirSync(join(directory.path, "deep", "deeper"), { recursive: true });
  }
  assert.equal(await removeTask(temp.path, exampleId(1)), true);
  assert.deepEqual(namesIn(temp.path), [".trash", exampleId(2)]);
  assert.deepEqual(namesIn(join(temp.path, ".trash")), []);
  assert.deepEqual(await new TaskDirectory(temp.path, exampleId(2)).read(), exampleTask(2));
  assert.equal(await removeTask(temp.path, exampleId(1)), false);
});

Deno.test("removeTask() makes no directory where there is nothing to remove", async () => {
  await using temp = await tempDirectory();
  assert.equal(await removeTask(join(temp.path, "tasks"), exampleId(1)), false);
  assert.deepEqual(namesIn(temp.path), []);
});

Deno.test("removeTask() is done by one of several servers", async () => {
  await using temp = await tempDirectory();
  for (let round = 0; round < 10; round++) {
    Deno.mkdirSync(join(temp.path, exampleId(1), "deep"), { recursive: true });
    const removals = [1, 2, 3].map(() => removeTask(temp.path, exampleId(1)));
    const [answers] = await Promise.all([Promise.all(removals), emptyTrash(temp.path), emptyTrash(temp.path)]);
    assert.deepEqual(answers.filter((answer) => answer), [true]);
    assert.deepEqual(namesIn(join(temp.path, ".trash")), []);
  }
});

for (const id of ["", ".", "..", "../x", ".index", "0a1b2c3", "0a1b2c3d/..", "0A1B2C3D"]) {
  Deno.test(`F36: removeTask() refuses ${JSON.stringify(id)}`, async () => {
    await using temp = await tempDirectory();
    const tasksDir = join(temp.path, "tasks");
    Deno.mkdirSync(join(tasksDir, ".index"), { recursive: true });
    Deno.mkdirSync(join(temp.path, "x"));
    await assert.rejects(removeTask(tasksDir, id), /names no task/);
    assert.deepEqual(namesIn(temp.path), ["tasks", "x"]);
    assert.deepEqual(namesIn(tasksDir), [".index"]);
  });
}

Deno.test("removeTask() and emptyTrash() follow no links", { ignore: Deno.build.os === "windows" }, async () => {
  await using temp = await tempDirectory();
  const [tasksDir, precious] = [join(temp.path, "tasks"), join(temp.path, "precious")];
  for (const path of [tasksDir, precious]) Deno.mkdirSync(path);
  Deno.writeTextFileSync(join(precious, "work"), "days of it");
  Deno.symlinkSync(precious, join(tasksDir, exampleId(1)));
  Deno.mkdirSync(join(tasksDir, exampleId(2)));
  Deno.symlinkSync(precious, join(tasksDir, exampleId(2), "link"));
  assert.equal(await removeTask(tasksDir, exampleId(1)), true);
  assert.equal(await removeTask(tasksDir, exampleId(2)), true);
  Deno.symlinkSync(precious, join(tasksDir, ".trash", "link"));
  await emptyTrash(tasksDir);
  assert.deepEqual(namesIn(tasksDir), [".trash"]);
  Deno.removeSync(join(tasksDir, ".trash"));
  Deno.symlinkSync(precious, join(tasksDir, ".trash"));
  await emptyTrash(tasksDir);
  assert.deepEqual(namesIn(precious), ["work"]);
});

Deno.test("emptyTrash() removes what a server has left that died while it removed", async () => {
  await using temp = await tempDirectory();
  await emptyTrash(join(temp.path, "tasks"));
  await emptyTrash(temp.path);
  assert.deepEqual(namesIn(temp.path), []);
  // Half of a task, whose id has been used again since.
  const half = join(temp.path, ".trash", `${exampleId(1)}.half`);
  Deno.mkdirSync(join(half, "deep"), { recursive: true });
  Deno.mkdirSync(join(temp.path, exampleId(1)));
  assert.equal(await removeTask(temp.path, exampleId(1)), true);
  assert.deepEqual(namesIn(join(temp.path, ".trash")), [`${exampleId(1)}.half`]);
  await emptyTrash(temp.path);
  assert.deepEqual(namesIn(join(temp.path, ".trash")), []);
});
