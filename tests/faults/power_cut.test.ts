import assert from "node:assert/strict";
import { join } from "node:path";
import { TaskDirectory } from "../../src/storage/task_directory.ts";
import { TaskIndex } from "../../src/storage/task_index.ts";
import { emptyProgress } from "../../src/task/progress.ts";
import { TaskError } from "../../src/task/errors.ts";
import { isFinished } from "../../src/task/task.ts";
import { finish, startRun } from "../../src/task/transitions.ts";
import { readTree, type TreeFile, writeTree } from "../helpers/directory_tree.ts";
import { exampleTask } from "../helpers/example_task.ts";
import { seededRandom } from "../helpers/random.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const CUTS = 200;
const THREAD = "0199a213-81c0-7800-8aa1-bbab2a035a53";
const PROMPT = "Do it well.\n".repeat(30);
/** What is never seen half written, because it gets its name when it is whole. */
const WRITTEN_ASIDE = /\/(task\.json|answer\.md|prompt_\d+\.txt|input_\d+\.txt|threads\/[^/]+|complete)$/;

type Tree = ReadonlyMap<string, TreeFile>;

/** What a disk may hold at one moment, and what must be found there. */
interface Moment {
  readonly tree: Tree;
  /** Ids that a caller has been given. */
  readonly known: readonly string[];
  readonly ended: readonly string[];
}

/** Does what a server and an agent do for two tasks, and gives the disk after each step. */
async function record(tasksDir: string): Promise<Moment[]> {
  const [first, second] = [exampleTask(1), exampleTask(2, "/other")];
  const [directory, other] = [first, second].map(({ id }) => new TaskDirectory(tasksDir, id));
  assert.ok(directory && other);
  const index = new TaskIndex(tasksDir);
  await index.open();
  const known: string[] = [];
  const ended: string[] = [];
  const moments: Moment[] = [];
  const step = async (act: () => Promise<unknown>): Promise<void> => {
    await act();
    moments.push({ tree: readTree(tasksDir), known: [...known], ended: [...ended] });
  };
  const start = async (): Promise<void> => {
    using _lock = await directory.create(first, { prompt: PROMPT, outputSchema: { type: "object" } });
    await index.noteStarted(first);
    known.push(first.id);
  };
  const say = (type: string): Promise<void> =>
    Deno.writeTextFile(directory.eventsFile, `${JSON.stringify({ type, thread_id: THREAD })}\n`, { append: true });
  const at = first.createdAt;
  const running = startRun(first, { at, run: 1, input: "prompt.txt", prompts: 0 });
  const again = startRun(running, { at, run: 2, input: "input_2.txt", prompts: 1 });
  const completed = finish(again, {
    at,
    outcome: { status: "completed", exitCode: 0, statusInferred: false },
    progress: { ...emptyProgress(), threadId: THREAD, lastMessage: "Done." },
  });
  await step(() => Promise.resolve());
  await step(start);
  await step(() => directory.write(running));
  await step(() => say("thread.started"));
  await step(() => Deno.writeTextFile(directory.stderrFile, "a word\n", { append: true }));
  await step(() => directory.addPrompt(PROMPT));
  await step(() => directory.markRun(2));
  await step(() => directory.writeInput(2, PROMPT));
  await step(() => directory.write(again));
  await step(() => say("turn.started"));
  await step(async () => {
    using _lock = await other.create(second, { prompt: PROMPT });
    await index.noteStarted(second);
    known.push(second.id);
  });
  await step(() => say("turn.completed"));
  await step(() => directory.writeAnswer("Done."));
  await step(() => directory.write(completed));
  await step(() => index.noteThread(THREAD, first.id));
  await step(async () => {
    await index.noteEnded(first.id);
    ended.push(first.id);
  });
  return moments;
}

/** The disk in the middle of a step: of each file all, nothing or a part of what the step has done to it. */
function cut(before: Tree, after: Tree, random: (below: number) => number): Tree {
  const tree = new Map(before);
  for (const name of before.keys()) if (!after.has(name) && random(2) === 0) tree.delete(name);
  for (const [name, file] of after) {
    const old = before.get(name);
    if (old !== undefined && old.ino === file.ino && equals(old.bytes, file.bytes)) continue;
    const isAside = old === undefined ? WRITTEN_ASIDE.test(`/${name}`) : old.ino !== file.ino;
    if (isAside) {
      if (random(2) === 0) tree.set(name, file);
      else tree.set(`${name}.8c1e.tmp`, { ...file, bytes: file.bytes.slice(0, random(file.bytes.length + 1)) });
      continue;
    }
    assert.ok(
      old === undefined || equals(old.bytes, file.bytes.subarray(0, old.bytes.length)),
      `${name} is overwritten`,
    );
    const least = old?.bytes.length ?? 0;
    const length = least + random(file.bytes.length - least + 1);
    const bytes = file.bytes.slice(0, length);
    // Some file systems have made room for what they have not written yet.
    if (random(4) === 0) bytes.fill(0, least + random(length - least + 1));
    if (old !== undefined || random(5) > 0) tree.set(name, { ...file, bytes });
  }
  return tree;
}

function equals(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** What a server finds that starts after the power cut. */
async function check(tasksDir: string, { known, ended }: Moment, isRebuilt: boolean): Promise<void> {
  if (isRebuilt) await Deno.remove(join(tasksDir, ".index", "complete"));
  const index = new TaskIndex(tasksDir);
  const rebuild = await index.open();
  assert.deepEqual(rebuild?.unreadable ?? [], []);
  const newest = await index.newestIds({ limit: 100 });
  const live = await index.liveIds();
  await Array.fromAsync(index.oldestBefore(new Date(8e15)));
  const ofThread = await index.taskOfThread(THREAD);
  assert.ok(ofThread === null || ofThread === exampleTask(1).id);
  for (const task of [exampleTask(1), exampleTask(2)]) {
    const directory = new TaskDirectory(tasksDir, task.id);
    const read = await directory.read();
    assert.ok(read === null || read.id === task.id);
    if (read !== null && isRebuilt) assert.ok(newest.includes(task.id));
    await Array.fromAsync(directory.events().read());
    await directory.stderrTail();
    if (!known.includes(task.id)) continue;
    assert.ok(read !== null, "a task has vanished");
    assert.ok(newest.includes(task.id), "a task has vanished from the index");
    assert.ok(live.includes(task.id) || isFinished(read), "an unfinished task has vanished from the index");
    if (ended.includes(task.id)) assert.ok(isFinished(read) && !live.includes(task.id));
    assert.equal(await directory.readPrompt(0), PROMPT);
    for (let number = await directory.countPrompts(); number > 0; number--) {
      assert.equal(await directory.readPrompt(number), PROMPT);
    }
    if (!isFinished(read) && read.state.status === "running") {
      assert.equal(await directory.readInput(read.state.input), PROMPT);
    }
  }
}

Deno.test("F5: every disk that a power cut can leave can be read, with all tasks that anybody knows of", async () => {
  await using temp = await tempDirectory();
  const tasksDir = join(temp.path, "tasks");
  Deno.mkdirSync(tasksDir);
  const moments = await record(tasksDir);
  const random = seededRandom(5);
  for (let number = 0; number < CUTS; number++) {
    const step = 1 + random(moments.length - 1);
    const [before, after] = moments.slice(step - 1, step + 1);
    assert.ok(before && after);
    const copy = join(temp.path, `${number}`);
    writeTree(copy, cut(before.tree, after.tree, random));
    try {
      await check(copy, before, number % 8 === 0);
    } catch (error) {
      throw new Error(`cut ${number}, in step ${step}`, { cause: error });
    }
    await Deno.remove(copy, { recursive: true });
  }
});

Deno.test("F5: a record that was written in place would be torn by a power cut (control)", async () => {
  await using temp = await tempDirectory();
  const moments = await record(temp.path);
  const directory = new TaskDirectory(temp.path, exampleTask(1).id);
  const whole = moments.at(-1)?.tree.get(`${exampleTask(1).id}/task.json`);
  assert.ok(whole);
  Deno.writeFileSync(join(directory.path, "task.json"), whole.bytes.slice(0, 500));
  await assert.rejects(directory.read(), (error) => error instanceof TaskError && error.code === "unreadable_task");
});

Deno.test("F5: a server goes on working on what a power cut has left", async () => {
  await using temp = await tempDirectory();
  const tasksDir = join(temp.path, "tasks");
  Deno.mkdirSync(tasksDir);
  const moments = await record(tasksDir);
  const random = seededRandom(55);
  for (let step = 1; step < moments.length; step++) {
    const [before, after] = moments.slice(step - 1, step + 1);
    assert.ok(before && after);
    const copy = join(temp.path, `${step}`);
    writeTree(copy, cut(before.tree, after.tree, random));
    const index = new TaskIndex(copy);
    const task = exampleTask(3);
    using _lock = await new TaskDirectory(copy, task.id).create(task, { prompt: PROMPT });
    await index.noteStarted(task);
    const [newest, ...others] = await index.newestIds({ limit: 100 });
    assert.equal(newest, task.id, `step ${step}`);
    for (const id of before.known) assert.ok(others.includes(id), `step ${step}`);
    assert.ok((await index.liveIds()).includes(task.id));
  }
});
