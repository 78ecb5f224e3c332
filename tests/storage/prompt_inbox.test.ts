import assert from "node:assert/strict";
import { join } from "node:path";
import { addPrompt, countPrompts, promptFile } from "../../src/storage/prompt_inbox.ts";
import { TaskDirectory } from "../../src/storage/task_directory.ts";
import { exampleTask } from "../helpers/example_task.ts";
import { runFixture } from "../helpers/run_fixture.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

Deno.test("a task's directory keeps the prompts that were added to it", async () => {
  await using temp = await tempDirectory();
  const task = exampleTask(1);
  const directory = new TaskDirectory(temp.path, task.id);
  using _lock = await directory.create(task, { prompt: "first" });
  assert.equal(await directory.countPrompts(), 0);
  assert.equal(await directory.addPrompt("second\n"), 1);
  assert.equal(await directory.addPrompt(""), 2);
  assert.equal(await directory.countPrompts(), 2);
  assert.deepEqual(await Promise.all([0, 1, 2].map((number) => directory.readPrompt(number))), [
    "first",
    "second\n",
    "",
  ]);
  assert.equal(await directory.removePrompt(2), true);
  assert.equal(await directory.removePrompt(2), false);
  assert.deepEqual([await directory.countPrompts(), await directory.readPrompt(2)], [1, null]);
  assert.equal(await directory.addPrompt("third"), 3);
  assert.equal(await directory.removePrompt(3), true);
  assert.deepEqual(Array.from(Deno.readDirSync(directory.path), ({ name }) => name).sort(), [
    "prompt.txt",
    "prompt_1.txt",
    "prompt_2.txt.taken",
    "prompt_3.txt.taken",
    "task.json",
    "task.lock",
  ]);
  if (Deno.build.os === "windows") return;
  assert.equal((Deno.statSync(join(directory.path, promptFile(1))).mode ?? 0) & 0o777, 0o600);
});

Deno.test("countPrompts() counts nothing else", async () => {
  await using temp = await tempDirectory();
  for (
    const name of ["prompt.txt", "prompt_0.txt", "prompt_03.txt", "prompt_7.txt.taken", "prompt.x.tmp", "prompt_a.txt"]
  ) {
    Deno.writeTextFileSync(join(temp.path, name), "");
  }
  assert.equal(await countPrompts(temp.path), 0);
});

Deno.test("addPrompt() leaves nothing behind where it cannot write", async () => {
  await using temp = await tempDirectory();
  await assert.rejects(addPrompt(join(temp.path, "gone"), "go on"), Deno.errors.NotFound);
  assert.deepEqual(Array.from(Deno.readDirSync(temp.path)), []);
});

Deno.test("a prompt that has a number is whole, and no two writers get the same", async () => {
  await using temp = await tempDirectory();
  const names = ["a", "b"];
  let isRunning = true;
  const writers = Promise.all(names.map((name) => runFixture("storage_writer.ts", ["prompts", temp.path, name, "20"])))
    .finally(() => isRunning = false);
  let looks = 0;
  while (isRunning) {
    for (let number = await countPrompts(temp.path); number > 0; number--) {
      const text = await Deno.readTextFile(join(temp.path, promptFile(number)));
      assert.match(text, /^[ab] \d+ x{20000}$/);
      looks++;
    }
  }
  const given = (await writers).flatMap((printed) => JSON.parse(printed));
  assert.ok(looks > 0);
  const all = Array.from({ length: 40 }, (_, index) => index + 1);
  assert.deepEqual(given.toSorted((x, y) => x - y), all);
  const texts = await Promise.all(all.map((number) => Deno.readTextFile(join(temp.path, promptFile(number)))));
  const wanted = names.flatMap((name) => Array.from({ length: 20 }, (_, number) => `${name} ${number}`));
  assert.deepEqual(texts.map((text) => text.slice(0, -20_001)).sort(), wanted.sort());
});
