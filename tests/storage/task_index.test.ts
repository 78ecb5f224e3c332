import assert from "node:assert/strict";
import { join } from "node:path";
import { TaskDirectory } from "../../src/storage/task_directory.ts";
import { repositoryDigest } from "../../src/storage/task_history.ts";
import { TaskIndex } from "../../src/storage/task_index.ts";
import { emptyProgress } from "../../src/task/progress.ts";
import type { Task } from "../../src/task/task.ts";
import { exampleId, exampleTask } from "../helpers/example_task.ts";
import { runFixture } from "../helpers/run_fixture.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

/** Starts tasks as a server does. */
async function start(index: TaskIndex, tasksDir: string, ...tasks: readonly Task[]): Promise<void> {
  for (const task of tasks) {
    using _lock = await new TaskDirectory(tasksDir, task.id).create(task, { prompt: "go" });
    await index.noteStarted(task);
  }
}

/** The task after it has worked on a thread. */
function finished(task: Task, threadId: string | null): Task {
  return {
    ...task,
    state: {
      status: "completed",
      startedAt: task.createdAt,
      endedAt: task.createdAt,
      run: 1,
      prompts: 0,
      outcome: { status: "completed", exitCode: 0, statusInferred: false },
      progress: { ...emptyProgress(), threadId },
    },
  };
}

async function end(index: TaskIndex, tasksDir: string, task: Task, threadId: string): Promise<void> {
  await new TaskDirectory(tasksDir, task.id).write(finished(task, threadId));
  await index.noteThread(threadId, task.id);
  await index.noteEnded(task.id);
}

const ALL = { limit: 1_000_000 };

/** All that an index tells. */
async function tell(index: TaskIndex): Promise<unknown> {
  return {
    live: (await index.liveIds()).sort(),
    newest: await index.newestIds(ALL),
    other: await index.newestIds({ repository: "/other", ...ALL }),
    threads: [await index.taskOfThread("thread-1"), await index.taskOfThread("thread-2")],
    oldest: await Array.fromAsync(index.oldestBefore(exampleTask(3).createdAt)),
  };
}

const TOLD = {
  live: [exampleId(2)],
  newest: [exampleId(4), exampleId(3), exampleId(2), exampleId(1)],
  other: [exampleId(3), exampleId(2)],
  threads: [exampleId(4), exampleId(3)],
  oldest: [exampleId(1), exampleId(2)],
};

/** The tasks that {@linkcode TOLD} tells of. */
async function startFour(index: TaskIndex, tasksDir: string): Promise<void> {
  const tasks = [exampleTask(1), exampleTask(2, "/other"), exampleTask(3, "/other"), exampleTask(4)] as const;
  await start(index, tasksDir, ...tasks);
  await end(index, tasksDir, tasks[0], "thread-1");
  await end(index, tasksDir, tasks[2], "thread-2");
  await end(index, tasksDir, tasks[3], "thread-1");
}

function listTree(path: string): string[] {
  return Array.from(Deno.readDirSync(path)).flatMap(({ name, isDirectory }) =>
    isDirectory ? [`${name}/`, ...listTree(join(path, name)).map((inner) => `${name}/${inner}`)] : [name]
  ).sort();
}

Deno.test("TaskIndex gives what was noted", async () => {
  await using temp = await tempDirectory();
  const index = new TaskIndex(temp.path);
  assert.deepEqual(await index.open(), { tasks: 0, added: [], removed: [], unreadable: [] });
  assert.equal(await index.open(), null);
  await startFour(index, temp.path);
  assert.deepEqual(await tell(index), TOLD);
  assert.deepEqual(await tell(new TaskIndex(temp.path)), TOLD);
  assert.deepEqual(await index.newestIds({ limit: 2 }), TOLD.newest.slice(0, 2));
  assert.deepEqual(await index.newestIds({ limit: 1, repository: "/other" }), [exampleId(3)]);
  assert.deepEqual(await index.newestIds({ limit: 0 }), []);
  assert.equal(await index.taskOfThread("thread-3"), null);
});

Deno.test("TaskIndex has nothing to tell, and makes nothing, where there are no tasks yet", async () => {
  await using temp = await tempDirectory();
  const index = new TaskIndex(join(temp.path, "tasks"));
  assert.deepEqual(await tell(index), { live: [], newest: [], other: [], threads: [null, null], oldest: [] });
  assert.deepEqual(listTree(temp.path), []);
});

Deno.test({ name: "TaskIndex is for its owner alone", ignore: Deno.build.os === "windows" }, async () => {
  await using temp = await tempDirectory();
  const index = new TaskIndex(temp.path);
  await startFour(index, temp.path);
  await index.open();
  for (const name of ["", ...listTree(join(temp.path, ".index"))]) {
    const { mode, isDirectory } = Deno.statSync(join(temp.path, ".index", name));
    assert.equal((mode ?? 0) & 0o777, isDirectory ? 0o700 : 0o600, name);
  }
});

Deno.test("F41: TaskIndex is made from the tasks where there is none, and says what it found", async () => {
  await using temp = await tempDirectory();
  await startFour(new TaskIndex(temp.path), temp.path);
  await Deno.remove(join(temp.path, ".index"), { recursive: true });
  for (const [name, record] of [["ffffffff", "torn"], ["eeeeeeee", '{"format":99}']] as const) {
    Deno.mkdirSync(join(temp.path, name));
    Deno.writeTextFileSync(join(temp.path, name, "task.json"), record);
  }
  // One that is only just being made.
  Deno.mkdirSync(join(temp.path, "dddddddd"));
  const index = new TaskIndex(temp.path);
  assert.deepEqual(await index.open(), {
    tasks: 4,
    added: TOLD.newest.toReversed(),
    removed: [],
    unreadable: ["eeeeeeee", "ffffffff"],
  });
  assert.deepEqual(await tell(index), TOLD);
});

Deno.test("TaskIndex finds the thread of a task that still runs in its events", async () => {
  await using temp = await tempDirectory();
  const [running, queued] = [exampleTask(1), exampleTask(2)];
  await start(new TaskIndex(temp.path), temp.path, running);
  const resumed = { ...queued, spec: { ...queued.spec, resumeThreadId: "thread-2" } };
  await start(new TaskIndex(temp.path), temp.path, resumed);
  Deno.writeTextFileSync(
    new TaskDirectory(temp.path, running.id).eventsFile,
    '{"type":"thread.started","thread_id":"thread-1"}\n{"type":"turn.started"}\n',
  );
  const index = new TaskIndex(temp.path);
  await index.open();
  assert.equal(await index.taskOfThread("thread-1"), running.id);
  assert.equal(await index.taskOfThread("thread-2"), queued.id);
});

for (
  const [damage, act] of [
    ["a mark that is missing", (path: string) => Deno.removeSync(join(path, "complete"))],
    ["lines that are none", (path: string) => {
      const text = Deno.readTextFileSync(join(path, "history"));
      Deno.writeTextFileSync(join(path, "history"), `${text.slice(0, 61)}\0\0\0\n${text.slice(95)}`);
    }],
  ] as const
) {
  Deno.test(`F41: TaskIndex is made anew after ${damage}`, async () => {
    await using temp = await tempDirectory();
    const index = new TaskIndex(temp.path);
    await startFour(index, temp.path);
    await index.open();
    act(join(temp.path, ".index"));
    // Whoever meets the damage gets what can be read of it.
    assert.ok((await new TaskIndex(temp.path).newestIds(ALL)).length >= 2);
    assert.deepEqual(await tell(new TaskIndex(temp.path)), TOLD);
  });
}

Deno.test("TaskIndex passes over the entries of tasks that are gone, and over lines that come twice", async () => {
  await using temp = await tempDirectory();
  const index = new TaskIndex(temp.path);
  await startFour(index, temp.path);
  await index.open();
  await start(index, temp.path, exampleTask(5));
  await index.noteThread("thread-5", exampleId(5));
  await index.noteStarted(exampleTask(2, "/other"));
  await Deno.remove(join(temp.path, exampleId(5)), { recursive: true });
  assert.deepEqual(await tell(index), {
    ...TOLD,
    newest: [2, 4, 3, 1].map(exampleId),
    other: [2, 3].map(exampleId),
    oldest: [1, 2, 2].map(exampleId),
  });
  assert.equal(await index.taskOfThread("thread-5"), null);
});

Deno.test("TaskIndex removes the live entry of a task that is gone, but not of one that is only just being made", async () => {
  await using temp = await tempDirectory();
  const index = new TaskIndex(temp.path);
  await index.open();
  await index.noteStarted(exampleTask(1));
  await index.noteStarted(exampleTask(2));
  const live = join(temp.path, ".index", "live");
  Deno.utimeSync(join(live, exampleId(1)), new Date(0), new Date(0));
  assert.deepEqual(await index.liveIds(), []);
  assert.deepEqual(listTree(live), [exampleId(2)]);
});

Deno.test("TaskIndex loses one entry at most when a line was only half written", async () => {
  await using temp = await tempDirectory();
  const history = join(temp.path, ".index", "history");
  const index = new TaskIndex(temp.path);
  await startFour(index, temp.path);
  await index.open();
  const whole = Deno.readTextFileSync(history);
  for (let length = whole.length - 39; length < whole.length; length++) {
    Deno.writeTextFileSync(history, whole.slice(0, length));
    const newest = length === whole.length - 1 ? TOLD.newest : TOLD.newest.slice(1);
    assert.deepEqual(await index.newestIds(ALL), newest, `${length}`);
    // Of several that come after it none is lost.
    await index.noteStarted(exampleTask(1));
    assert.deepEqual(
      Deno.readTextFileSync(history).split("\n").slice(-3, -1).at(-1),
      whole.split("\n")[0],
      `${length}`,
    );
    await index.open();
  }
});

Deno.test("TaskIndex reads the tasks themselves where it cannot be written", async () => {
  await using temp = await tempDirectory();
  const index = new TaskIndex(temp.path);
  await startFour(index, temp.path);
  Deno.removeSync(join(temp.path, ".index"), { recursive: true });
  Deno.writeTextFileSync(join(temp.path, ".index"), "no directory");
  assert.equal(await index.open(), null);
  assert.deepEqual(await tell(index), TOLD);
  await start(index, temp.path, exampleTask(5));
  assert.deepEqual(await index.newestIds({ limit: 1 }), [exampleId(5)]);
  assert.deepEqual((await index.liveIds()).sort(), [exampleId(2), exampleId(5)]);
  await index.forget(exampleId(5));
  Deno.removeSync(join(temp.path, ".index"));
  assert.equal((await index.open())?.tasks, 5);
  await Deno.remove(join(temp.path, exampleId(5)), { recursive: true });
  assert.deepEqual(await tell(index), TOLD);
});

Deno.test("TaskIndex writes nothing into a directory that it may only read", async () => {
  await using temp = await tempDirectory();
  await startFour(new TaskIndex(temp.path), temp.path);
  for (const hasIndex of [true, false]) {
    if (!hasIndex) Deno.removeSync(join(temp.path, ".index"), { recursive: true });
    else await new TaskIndex(temp.path).open();
    const before = listTree(temp.path);
    const index = new TaskIndex(temp.path, { isReadOnly: true });
    assert.equal(await index.open(), null);
    assert.deepEqual(await tell(index), TOLD);
    await index.noteStarted(exampleTask(9));
    await index.noteThread("thread-9", exampleId(4));
    await index.noteEnded(exampleId(2));
    await index.forget(exampleId(1));
    assert.deepEqual(listTree(temp.path), before);
  }
});

Deno.test("forget() takes a task out of the index, but not the later one of its thread", async () => {
  await using temp = await tempDirectory();
  const index = new TaskIndex(temp.path);
  await startFour(index, temp.path);
  await index.open();
  for (const number of [1, 2, 3]) {
    await index.forget(exampleId(number));
    await Deno.remove(join(temp.path, exampleId(number)), { recursive: true });
  }
  assert.deepEqual(await index.liveIds(), []);
  assert.deepEqual(await index.newestIds(ALL), [exampleId(4)]);
  assert.deepEqual(listTree(join(temp.path, ".index", "threads")), ["thread-1"]);
  assert.equal(await index.taskOfThread("thread-1"), exampleId(4));
});

Deno.test("F36: TaskIndex makes no path of a thread's name", async () => {
  await using temp = await tempDirectory();
  const index = new TaskIndex(temp.path);
  await startFour(index, temp.path);
  await index.open();
  for (const threadId of ["../../evil", "a/b", "", ".", "..", "A\n", "x".repeat(5_000), "ü"]) {
    await index.noteThread(threadId, exampleId(1));
    assert.equal(await index.taskOfThread(threadId), exampleId(1));
  }
  assert.deepEqual(listTree(temp.path).filter((name) => name.includes("evil") || name.includes("a/b")), []);
  assert.equal(listTree(join(temp.path, ".index", "threads")).length, 2 + 8);
});

Deno.test("TaskIndex is made once by servers that start at the same moment, and loses nothing that starts meanwhile", async () => {
  await using temp = await tempDirectory();
  await startFour(new TaskIndex(temp.path), temp.path);
  for (let round = 0; round < 10; round++) {
    await Deno.remove(join(temp.path, ".index"), { recursive: true });
    const [starting, first, second] = [new TaskIndex(temp.path), new TaskIndex(temp.path), new TaskIndex(temp.path)];
    const task = exampleTask(100 + round);
    const [, ...opened] = await Promise.all([start(starting, temp.path, task), first.open(), second.open()]);
    assert.equal(opened.filter((rebuild) => rebuild !== null).length, 1);
    const newest = Array.from({ length: round + 1 }, (_, number) => exampleId(100 + number)).reverse();
    assert.deepEqual(await first.newestIds(ALL), [...newest, ...TOLD.newest]);
    assert.deepEqual((await first.liveIds()).sort(), [...TOLD.live, ...newest.toReversed()]);
  }
});

Deno.test("TaskIndex keeps every entry that several processes write, also while the history is replaced", async () => {
  await using temp = await tempDirectory();
  const index = new TaskIndex(temp.path);
  await startFour(index, temp.path);
  await index.open();
  const gone = await goneEntries(3_000);
  const history = join(temp.path, ".index", "history");
  let isRunning = true;
  const writers = Promise.all(
    [1_000, 2_000].map((from) => runFixture("storage_writer.ts", ["history", temp.path, `${from}`, "40"])),
  )
    .finally(() => isRunning = false);
  let compactions = 0;
  while (isRunning) {
    const before = Deno.statSync(history).size;
    // As after the ageing out of most of them.
    Deno.writeTextFileSync(join(temp.path, ".index", "gone"), ".".repeat(1_000_000));
    await index.forget("dddddddd");
    if (Deno.statSync(history).size < before - 1_000) compactions++;
    Deno.writeTextFileSync(history, gone, { append: true });
  }
  await writers;
  assert.ok(compactions > 2, `only ${compactions} compactions`);
  const started = [2_039, 1_039].flatMap((last) => Array.from({ length: 40 }, (_, number) => exampleId(last - number)));
  const newest = await index.newestIds(ALL);
  assert.deepEqual(newest.toSorted(), [...started, ...TOLD.newest].toSorted());
});

/** Lines of tasks that are gone. */
async function goneEntries(count: number): Promise<string> {
  const digest = await repositoryDigest("/gone");
  return Array.from({ length: count }, (_, number) => `${exampleId(0xf000_0000 + number)} ${digest} 1790000000000\n`)
    .join("");
}

Deno.test("forget() compacts the history when more than half of it is gone", async () => {
  await using temp = await tempDirectory();
  const index = new TaskIndex(temp.path);
  await startFour(index, temp.path);
  await index.open();
  const history = join(temp.path, ".index", "history");
  Deno.writeTextFileSync(history, await goneEntries(1_000), { append: true });
  Deno.writeTextFileSync(join(temp.path, ".index", "gone"), ".".repeat(500));
  await index.forget(exampleId(0xf000_0001));
  assert.equal(Deno.statSync(history).size, 40 * 1_004);
  await index.forget(exampleId(0xf000_0002));
  await index.forget(exampleId(0xf000_0003));
  assert.equal(Deno.statSync(history).size, 40 * 4);
  assert.equal(Deno.statSync(join(temp.path, ".index", "gone")).size, 0);
  assert.deepEqual(await index.newestIds(ALL), TOLD.newest);
});

Deno.test("newestIds() reads the end of a long history only", async () => {
  await using temp = await tempDirectory();
  const index = new TaskIndex(temp.path);
  await index.open();
  await start(index, temp.path, exampleTask(1, "/rare"));
  const history = join(temp.path, ".index", "history");
  Deno.writeTextFileSync(history, await goneEntries(100_000), { append: true });
  const ids = Array.from({ length: 40 }, (_, number) => exampleId(10 + number));
  const digest = await repositoryDigest("/repo/.git");
  Deno.writeTextFileSync(history, ids.map((id) => `${id} ${digest} 1790000000000\n`).join(""), { append: true });
  for (const id of ids) Deno.mkdirSync(join(temp.path, id));
  const page = ids.toReversed().slice(0, 20);
  const time = async (look: () => Promise<void>): Promise<number> => {
    const started = performance.now();
    await look();
    return performance.now() - started;
  };
  let [pageMs, allMs] = [Infinity, Infinity];
  // In turns, and the best of many: what else the machine does must not decide.
  for (let round = 0; round < 20; round++) {
    const looked = await time(async () => {
      assert.deepEqual(await index.newestIds({ repository: "/repo/.git", limit: 20 }), page);
    });
    const lookedThrough = await time(async () => {
      assert.deepEqual(await index.newestIds({ repository: "/rare", limit: 20 }), [exampleId(1)]);
    });
    pageMs = Math.min(pageMs, looked);
    allMs = Math.min(allMs, lookedThrough);
  }
  // The control: who has to look through all of it takes many times as long.
  assert.ok(pageMs * 2 < allMs, `${pageMs} ms for a page, ${allMs} ms for all`);
});

Deno.test("liveIds() looks at no more than so many tasks at once, and at all of them", async () => {
  await using temp = await tempDirectory();
  const index = new TaskIndex(temp.path);
  await index.open();
  const ids = Array.from({ length: 150 }, (_, number) => exampleId(number));
  for (const id of ids) {
    Deno.mkdirSync(join(temp.path, id));
    Deno.writeTextFileSync(join(temp.path, ".index", "live", id), "");
  }
  assert.deepEqual((await index.liveIds()).sort(), ids);
});
