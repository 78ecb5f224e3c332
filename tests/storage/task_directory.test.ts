import assert from "node:assert/strict";
import { join } from "node:path";
import { noteStop } from "../../src/process/run_files.ts";
import { listTaskIds } from "../../src/storage/list_task_ids.ts";
import { isTaskId, TaskDirectory } from "../../src/storage/task_directory.ts";
import { TaskError } from "../../src/task/errors.ts";
import type { Task } from "../../src/task/task.ts";
import { SPEC } from "../helpers/example_spec.ts";
import { namesIn, tempDirectory } from "../helpers/temp_directory.ts";

const TASK: Task = {
  id: "0a1b2c3d",
  createdAt: new Date("2026-11-04T09:30:00.000Z"),
  repository: "/repo/.git",
  depth: 0,
  spec: { ...SPEC, envNames: ["TOKEN"] },
  state: { status: "queued" },
};

function modeOf(path: string): string {
  return ((Deno.statSync(path).mode ?? 0) & 0o777).toString(8);
}

Deno.test("create() writes all that was asked, for its owner alone", async () => {
  await using temp = await tempDirectory();
  const directory = new TaskDirectory(temp.path, TASK.id);
  using _lock = await directory.create(TASK, {
    prompt: "- do it\n",
    outputSchema: { type: "object" },
    baseInstructions: "Be brief.",
  });
  const names = ["base_instructions.md", "output_schema.json", "prompt.txt", "task.json", "task.lock"];
  assert.deepEqual(namesIn(directory.path), names);
  assert.equal(Deno.readTextFileSync(join(directory.path, "prompt.txt")), "- do it\n");
  assert.deepEqual(await directory.read(), TASK);
  if (Deno.build.os === "windows") return;
  assert.equal(modeOf(directory.path), "700");
  assert.deepEqual(names.map((name) => modeOf(join(directory.path, name))), names.map(() => "600"));
});

Deno.test("create() leaves nothing behind when a file cannot be written", async () => {
  await using temp = await tempDirectory();
  const endless: Record<string, unknown> = {};
  endless["self"] = endless;
  await assert.rejects(
    new TaskDirectory(temp.path, TASK.id).create(TASK, { prompt: "go", outputSchema: endless }),
    (error) => error instanceof TaskError && error.code === "state_not_writable" && /--state-dir/.test(error.message),
  );
  assert.deepEqual(namesIn(temp.path), []);
});

Deno.test("create() leaves nothing behind of a task that is stopped while it cannot be written", async () => {
  await using temp = await tempDirectory();
  const directory = new TaskDirectory(temp.path, TASK.id);
  const stopAndFail = async (): Promise<never> => {
    await noteStop(directory.path, "server_exit");
    throw new Error("no room");
  };
  await assert.rejects(directory.create(TASK, { prompt: "go" }, stopAndFail), /no room/);
  assert.deepEqual(namesIn(temp.path), []);
});

Deno.test("create() says so when there is no place for the directory", async () => {
  await using temp = await tempDirectory();
  const file = join(temp.path, "file");
  Deno.writeTextFileSync(file, "");
  await assert.rejects(
    new TaskDirectory(join(file, "tasks"), TASK.id).create(TASK, { prompt: "go" }),
    (error) => error instanceof TaskError && error.code === "state_not_writable",
  );
  assert.deepEqual(namesIn(temp.path), ["file"]);
});

Deno.test("create() leaves a task alone whose id it was given once more", async () => {
  await using temp = await tempDirectory();
  const directory = new TaskDirectory(temp.path, TASK.id);
  using _lock = await directory.create(TASK, { prompt: "first" });
  await assert.rejects(directory.create(TASK, { prompt: "second" }));
  assert.equal(Deno.readTextFileSync(join(directory.path, "prompt.txt")), "first");
});

Deno.test("read() gives null for a task that is not there", async () => {
  await using temp = await tempDirectory();
  assert.equal(await new TaskDirectory(temp.path, TASK.id).read(), null);
});

Deno.test("read() refuses the record of a newer program and says what to do", async () => {
  await using temp = await tempDirectory();
  const directory = new TaskDirectory(temp.path, TASK.id);
  using _lock = await directory.create(TASK, { prompt: "go" });
  const record = join(directory.path, "task.json");
  const text = Deno.readTextFileSync(record).replace(/"format": \d+/, '"format": 99');
  Deno.writeTextFileSync(record, text);
  await assert.rejects(directory.read(), { message: /format 99 is newer than this program's \d+: update codex-swarm/ });
  assert.equal(Deno.readTextFileSync(record), text);
});

Deno.test("listTaskIds() passes over everything that is no task", async () => {
  await using temp = await tempDirectory();
  assert.deepEqual(await listTaskIds(join(temp.path, "missing")), []);
  for (const name of ["0a1b2c3d", "0A1B2C3D", "0a1b2c3", "notes"]) Deno.mkdirSync(join(temp.path, name));
  Deno.writeTextFileSync(join(temp.path, "ffffffff"), "a file");
  assert.deepEqual(await listTaskIds(temp.path), ["0a1b2c3d"]);
});

for (const id of ["", "0a1b2c3", "0a1b2c3d4", "0A1B2C3D", "../0a1b2", "0a1b2c3d\n", "0a1b/c3d", "........"]) {
  Deno.test(`F36: isTaskId() refuses ${JSON.stringify(id)}`, () => assert.equal(isTaskId(id), false));
}

Deno.test("stderrTail() gives what the last run wrote, or the end of it", async () => {
  await using temp = await tempDirectory();
  const directory = new TaskDirectory(temp.path, TASK.id);
  using _lock = await directory.create(TASK, { prompt: "go" });
  assert.equal(await directory.stderrTail(), "");
  Deno.writeTextFileSync(directory.stderrFile, "first\nhalf a line");
  assert.equal(await directory.stderrTail(), "first\nhalf a line");
  await directory.markRun(2);
  assert.equal(await directory.stderrTail(), "");
  Deno.writeTextFileSync(directory.stderrFile, "second\n", { append: true });
  assert.equal(await directory.stderrTail(), "second\n");
  await directory.markRun(3);
  Deno.writeTextFileSync(directory.stderrFile, `third\n${"x".repeat(20_000)}\n`, { append: true });
  assert.equal(await directory.stderrTail(), `${"x".repeat(16 * 1024 - 1)}\n`);
});

Deno.test("markRun() tells the events of runs apart, whatever the one before has left", async () => {
  await using temp = await tempDirectory();
  const directory = new TaskDirectory(temp.path, TASK.id);
  using _lock = await directory.create(TASK, { prompt: "go" });
  Deno.writeTextFileSync(directory.eventsFile, '{"type":"turn.started"}\n{"type":"ite');
  await directory.markRun(2);
  const lines = (await Array.fromAsync(directory.events().read())).filter((line) => line !== "");
  assert.deepEqual(lines, ['{"type":"turn.started"}', '{"type":"ite', '{"type":"codex_swarm.run","run":2}']);
  if (Deno.build.os === "windows") return;
  assert.deepEqual([directory.eventsFile, directory.stderrFile].map(modeOf), ["600", "600"]);
});

Deno.test("events() passes over what was dropped of them", async () => {
  await using temp = await tempDirectory();
  const directory = new TaskDirectory(temp.path, TASK.id);
  using _lock = await directory.create(TASK, { prompt: "go" });
  Deno.writeTextFileSync(directory.eventsFile, "one\nt\0\0\0\0\0e\nfour\n");
  Deno.writeTextFileSync(join(directory.path, "events.dropped"), "5 10\n");
  const log = directory.events();
  assert.deepEqual(await Array.fromAsync(log.read()), ["one", "four"]);
  assert.equal(log.droppedBytes, "t\0\0\0\0\0e\n".length);
});

Deno.test("a run's input is a file of its task's directory and no other", async () => {
  await using temp = await tempDirectory();
  const directory = new TaskDirectory(temp.path, TASK.id);
  using _lock = await directory.create(TASK, { prompt: "go" });
  assert.equal(await directory.readInput("prompt.txt"), "go");
  const name = await directory.writeInput(2, "go on");
  assert.deepEqual([name, await directory.readInput(name)], ["input_2.txt", "go on"]);
  Deno.writeTextFileSync(join(temp.path, "secret"), "");
  await assert.rejects(directory.readInput("../secret"), Deno.errors.NotFound);
});
