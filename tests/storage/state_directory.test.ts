import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isNewerState, makeStateDirectory, refuseNewerState, STATE_FORMAT } from "../../src/storage/state_directory.ts";
import { listTaskIds } from "../../src/storage/list_task_ids.ts";
import { WorkDirectories } from "../../src/storage/work_directory.ts";
import { TaskDirectory } from "../../src/storage/task_directory.ts";
import { TaskIndex } from "../../src/storage/task_index.ts";
import { TaskError } from "../../src/task/errors.ts";
import { isFinished } from "../../src/task/task.ts";
import { contentsOf, readTree, writeTree } from "../helpers/directory_tree.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

/** Directories as versions of this program have left them on people's disks. */
const STATE = fileURLToPath(new URL("../fixtures/state", import.meta.url));

function formatIn(stateDir: string): string {
  return Deno.readTextFileSync(join(stateDir, "format"));
}

for (const { name: version } of Deno.readDirSync(STATE)) {
  Deno.test(`every task of a state directory of format ${version} can be read and found`, async () => {
    await using temp = await tempDirectory();
    writeTree(temp.path, readTree(join(STATE, version)));
    const tasksDir = join(temp.path, "tasks");
    await makeStateDirectory(temp.path, [tasksDir]);
    assert.equal(formatIn(temp.path), `${STATE_FORMAT}\n`);
    const ids = (await listTaskIds(tasksDir)).sort();
    assert.ok(ids.length > 0);
    const tasks = await Promise.all(ids.map((id) => new TaskDirectory(tasksDir, id).read()));
    assert.deepEqual(tasks.map((task) => task?.id), ids);
    const index = new TaskIndex(tasksDir);
    assert.deepEqual((await index.open())?.unreadable ?? [], []);
    assert.deepEqual((await index.newestIds({ limit: 1_000 })).sort(), ids);
    const unfinished = tasks.flatMap((task) => task === null || isFinished(task) ? [] : [task.id]);
    assert.deepEqual((await index.liveIds()).sort(), unfinished);
    const directories = new WorkDirectories(join(temp.path, "work"));
    const work = (await directories.ids()).sort();
    assert.deepEqual(await Promise.all(work.map(async (id) => (await directories.of(id).read())?.spec.id)), work);
    const worktrees = new Set(tasks.flatMap((task) => task?.spec.worktree?.id ?? []));
    assert.equal(worktrees.size > 0, work.length > 0);
  });
}

Deno.test("makeStateDirectory() says which format the directory has, once", async () => {
  await using temp = await tempDirectory();
  const stateDir = join(temp.path, "state");
  await makeStateDirectory(stateDir, []);
  assert.equal(formatIn(stateDir), `${STATE_FORMAT}\n`);
  const { ino } = Deno.statSync(join(stateDir, "format"));
  await makeStateDirectory(stateDir, []);
  assert.equal(Deno.statSync(join(stateDir, "format")).ino, ino);
  assert.equal(await isNewerState(stateDir), false);
});

for (const text of ["", "\0\0", "soon", "1\n", "-3"]) {
  Deno.test(`makeStateDirectory() takes over a directory whose format reads ${JSON.stringify(text)}`, async () => {
    await using temp = await tempDirectory();
    Deno.writeTextFileSync(join(temp.path, "format"), text);
    await makeStateDirectory(temp.path, []);
    assert.equal(formatIn(temp.path), `${STATE_FORMAT}\n`);
  });
}

for (const format of ["4", "99\n", "100.1"]) {
  Deno.test(`a state directory of format ${format.trim()} is read, and not a byte of it is changed`, async () => {
    await using temp = await tempDirectory();
    writeTree(temp.path, readTree(join(STATE, "1")));
    const tasksDir = join(temp.path, "tasks");
    const newer = JSON.stringify({ format: 99, id: "ffffffff", shape: "unheard of" });
    Deno.mkdirSync(join(tasksDir, "ffffffff"));
    Deno.writeTextFileSync(join(tasksDir, "ffffffff", "task.json"), newer);
    Deno.writeTextFileSync(join(temp.path, "format"), format);
    const before = contentsOf(readTree(temp.path));
    const isRefusal = (error: unknown): boolean =>
      error instanceof TaskError && error.code === "state_not_writable" &&
      /newer codex-swarm\. Update codex-swarm, or name another directory with --state-dir/.test(error.message);
    await assert.rejects(makeStateDirectory(temp.path, [join(temp.path, "bell")]), isRefusal);
    await assert.rejects(refuseNewerState(temp.path), isRefusal);
    assert.equal(await isNewerState(temp.path), true);
    const old = (await listTaskIds(tasksDir)).filter((id) => id !== "ffffffff").sort();
    for (const id of old) assert.equal((await new TaskDirectory(tasksDir, id).read())?.id, id);
    await assert.rejects(
      new TaskDirectory(tasksDir, "ffffffff").read(),
      (error) =>
        error instanceof TaskError && error.code === "unreadable_task" && /update codex-swarm/.test(error.message),
    );
    const index = new TaskIndex(tasksDir, { isReadOnly: true });
    assert.equal(await index.open(), null);
    assert.deepEqual((await index.newestIds({ limit: 100 })).sort(), old);
    assert.deepEqual(contentsOf(readTree(temp.path)), before);
    // The control: an older one is written to by the same calls.
    Deno.writeTextFileSync(join(temp.path, "format"), "1");
    await makeStateDirectory(temp.path, [join(temp.path, "bell")]);
    await new TaskIndex(tasksDir).open();
    assert.notDeepEqual(contentsOf(readTree(temp.path)), before);
  });
}
