import assert from "node:assert/strict";
import { TaskChanges } from "../../src/storage/task_changes.ts";
import { TaskDirectory } from "../../src/storage/task_directory.ts";
import { TaskIndex } from "../../src/storage/task_index.ts";
import { emptyProgress } from "../../src/task/progress.ts";
import type { Task } from "../../src/task/task.ts";
import { exampleId, exampleTask } from "../helpers/example_task.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const ended = (task: Task): Task => ({
  ...task,
  state: {
    status: "completed",
    startedAt: task.createdAt,
    endedAt: task.createdAt,
    run: 1,
    prompts: 0,
    outcome: { status: "completed", exitCode: 0, statusInferred: false },
    progress: emptyProgress(),
  },
});

for (const hasIndex of [true, false]) {
  Deno.test(`TaskChanges notices what happens to tasks, ${hasIndex ? "by" : "and without"} the index`, async () => {
    await using temp = await tempDirectory();
    const index = new TaskIndex(temp.path);
    if (hasIndex) await index.open();
    const changes = new TaskChanges(temp.path);
    const task = exampleTask(1);
    const directory = new TaskDirectory(temp.path, task.id);
    const { id } = task;
    const facts = (): Readonly<Record<string, string | null>> => ({
      all: changes.all(),
      record: changes.record(id),
      events: changes.events(id),
    });
    let last = facts();
    /** What differs from the last time, and that it stays as it is then. */
    const changed = (): string[] => {
      const now = facts();
      assert.deepEqual(facts(), now);
      const names = Object.keys(now).filter((name) => now[name] !== last[name]);
      last = now;
      return names;
    };
    assert.deepEqual([last["record"], last["events"]], [null, null]);

    {
      using _lock = await directory.create(task, { prompt: "go" });
      if (hasIndex) await index.noteStarted(task);
    }
    assert.deepEqual(changed(), ["all", "record", "events"]);
    // As long as before: it is another file.
    await directory.write({ ...task, createdAt: exampleTask(2).createdAt });
    assert.deepEqual(changed(), ["all", "record"]);
    for (let count = 0; count < 3; count++) {
      Deno.writeTextFileSync(directory.eventsFile, "{}\n", { append: true });
      assert.deepEqual(changed(), ["events"]);
    }
    await directory.write(ended(task));
    if (hasIndex) await index.noteEnded(id);
    assert.deepEqual(changed(), ["all", "record"]);
    if (hasIndex) await index.forget(id);
    Deno.removeSync(directory.path, { recursive: true });
    assert.deepEqual(changed(), ["all", "record", "events"]);
    assert.deepEqual([last["record"], last["events"]], [null, null]);
  });
}

Deno.test("TaskChanges looks at the records of those tasks only that have not ended", async () => {
  await using temp = await tempDirectory();
  const index = new TaskIndex(temp.path);
  for (const number of [1, 2, 3]) {
    const task = exampleTask(number);
    using _lock = await new TaskDirectory(temp.path, task.id).create(task, { prompt: "go" });
    await index.noteStarted(task);
  }
  await index.open();
  await index.noteEnded(exampleId(2));
  const lines = new TaskChanges(temp.path).all().split("\n").slice(1);
  assert.deepEqual(lines.map((line) => line.split(" ")[0]), [exampleId(1), exampleId(3)]);
});

Deno.test("TaskChanges tells of a directory that is not there yet", async () => {
  await using temp = await tempDirectory();
  const changes = new TaskChanges(`${temp.path}/tasks`);
  const before = changes.all();
  Deno.mkdirSync(`${temp.path}/tasks`);
  assert.notEqual(changes.all(), before);
});
