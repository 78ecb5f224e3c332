import assert from "node:assert/strict";
import { join } from "node:path";
import { Bell } from "../../src/storage/bell.ts";
import { OpenTasks } from "../../src/storage/open_tasks.ts";
import { TaskDirectory } from "../../src/storage/task_directory.ts";
import { TaskIndex } from "../../src/storage/task_index.ts";
import { Housekeeping } from "../../src/supervisor/housekeeping.ts";
import { emptyProgress } from "../../src/task/progress.ts";
import { finish, startRun } from "../../src/task/transitions.ts";
import { exampleId, exampleTask } from "../helpers/example_task.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const DAY_MS = 86_400_000;
const LOG = { debug: (): void => {}, info: (): void => {}, warning: (): void => {}, error: (): void => {} };

Deno.test("Housekeeping removes what has ended long ago, and not what was started long ago and has just ended", async () => {
  await using temp = await tempDirectory();
  const tasksDir = join(temp.path, "tasks");
  Deno.mkdirSync(tasksDir);
  const index = new TaskIndex(tasksDir);
  await index.open();
  const startedAt = exampleTask(1).createdAt;
  for (const [number, days] of [[1, 1], [2, 14]] as const) {
    const task = exampleTask(number);
    using _lock = await new TaskDirectory(tasksDir, task.id).create(task, { prompt: "go" });
    await index.noteStarted(task);
    const running = startRun(task, { at: startedAt, run: 1, input: "prompt.txt", prompts: 0 });
    const at = new Date(startedAt.getTime() + days * DAY_MS);
    const outcome = { status: "completed", exitCode: 0, statusInferred: false } as const;
    await new TaskDirectory(tasksDir, task.id).write(finish(running, { at, outcome, progress: emptyProgress() }));
    await index.noteEnded(task.id);
  }
  const bell = new Bell(join(temp.path, "ended"));
  const aged: Date[] = [];
  const housekeeping = new Housekeeping({
    stateDir: temp.path,
    tasksDir,
    taskMaxAgeMs: 10 * DAY_MS,
    index,
    open: new OpenTasks(join(temp.path, "open")),
    bell,
    work: { age: (before) => Promise.resolve(void aged.push(before)) },
    log: LOG,
    now: () => new Date(startedAt.getTime() + 15 * DAY_MS),
  });
  assert.deepEqual(await housekeeping.clean(), [exampleId(1)]);
  assert.deepEqual(aged, [new Date(startedAt.getTime() + 5 * DAY_MS)]);
  assert.equal(new TaskDirectory(tasksDir, exampleId(2)).isThere(), true);
  bell.close();
});

Deno.test("Housekeeping does each step, whatever keeps it from the others", async () => {
  await using temp = await tempDirectory();
  const tasksDir = join(temp.path, "tasks");
  Deno.mkdirSync(join(temp.path, "ended"));
  Deno.writeTextFileSync(join(temp.path, "ended", exampleId(1)), "");
  for (const name of ["handles", "requests"]) Deno.writeTextFileSync(join(temp.path, name), "in the way");
  const bell = new Bell(join(temp.path, "ended"));
  const failed: unknown[] = [];
  const housekeeping = new Housekeeping({
    stateDir: temp.path,
    tasksDir,
    taskMaxAgeMs: 10 * DAY_MS,
    index: new TaskIndex(tasksDir),
    open: new OpenTasks(join(temp.path, "open")),
    bell,
    work: { age: () => Promise.reject(new Error("no git")) },
    log: { ...LOG, error: (_message, fields) => void failed.push(fields?.["what"]) },
    now: () => new Date(),
  });
  assert.deepEqual(await housekeeping.clean(), []);
  assert.deepEqual(failed, ["old worktrees", "old handles", "old requests"]);
  assert.deepEqual([...Deno.readDirSync(join(temp.path, "ended"))], []);
  bell.close();
});
