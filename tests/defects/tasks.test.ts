/** Defects of codex-mcp-swarm in how it kept tasks; the numbers are those of the project's list. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parseTask } from "../../src/storage/stored_task.ts";
import type { Task } from "../../src/task/task.ts";
import { installFakeCodex, installQuickCodex } from "../helpers/fake_codex.ts";
import { startSwarm, type Swarm } from "../helpers/swarm.ts";
import { startTask } from "../helpers/tasks.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { tempRepo } from "../helpers/temp_repo.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { wrapCodex } from "../helpers/wrap_codex.ts";

const ignore = Deno.build.os === "windows";

Deno.test({
  name: "B13: no more agents run at once than --max-concurrent allows, and all come to run",
  ignore,
  async fn(): Promise<void> {
    await using codex = await installQuickCodex();
    await using repo = await tempRepo();
    // On a used home nobody waits for the first run.
    Deno.mkdirSync(join(codex.home, "sessions"));
    const held = wrapCodex(
      codex,
      `echo >>'${repo.path}/starts'; until [ -e '${repo.path}/go' ]; do sleep 0.02; done`,
    );
    await using swarm = await startSwarm({ codex: held, cwd: repo.path, args: ["--max-concurrent", "3"] });
    const ids = await Promise.all(Array.from({ length: 9 }, () => startTask(swarm, "quick: seconds=0.05")));
    const starts = (): number => Deno.readTextFileSync(join(repo.path, "starts")).length;
    await waitFor(() => starts() >= 3, { message: "three agents to start" });
    const { structured: { tasks } } = await swarm.call("codex_status", { task_ids: ids });
    const queued = tasks.filter(({ status }: { readonly status: string }) => status === "queued").length;
    assert.deepEqual([starts(), queued], [3, 6]);
    await Deno.writeTextFile(join(repo.path, "go"), "");
    const { structured } = await swarm.call("codex_wait", { task_ids: ids });
    assert.deepEqual([structured.running, codex.ledger().length], [[], 9]);
    assert.ok(codex.mostAtOnce() <= 3, `${codex.mostAtOnce()}`);
  },
});

for (const isCold of [true, false]) {
  const others = isCold ? "waited for by the others" : "waited for by nobody (control)";
  Deno.test({
    name: `B13: the first run on a ${isCold ? "cold" : "used"} CODEX_HOME is ${others}`,
    ignore,
    async fn(): Promise<void> {
      await using codex = await installQuickCodex();
      await using repo = await tempRepo();
      if (!isCold) Deno.mkdirSync(join(codex.home, "sessions"));
      const [starts, go] = ["starts", "go"].map((name) => join(repo.path, name));
      const held = wrapCodex(codex, `echo start >>'${starts}'; until [ -e '${go}' ]; do sleep 0.02; done`);
      await using swarm = await startSwarm({ codex: held, cwd: repo.path });
      const ids: string[] = [];
      for (let index = 0; index < 4; index++) ids.push(await startTask(swarm, "quick:"));
      const count = (): number => Deno.readTextFileSync(starts ?? "").split("\n").length - 1;
      await waitFor(() => count() >= (isCold ? 1 : 4), { message: "the agents to start" });
      await swarm.call("codex_status", { task_ids: ids });
      assert.equal(count(), isCold ? 1 : 4);
      await Deno.writeTextFile(go ?? "", "");
      const { structured } = await swarm.call("codex_wait", { task_ids: ids });
      assert.deepEqual(structured.tasks.map((task: { status: string }) => task.status), ids.map(() => "completed"));
    },
  });
}

Deno.test("B13: a start that dies of a locked database is tried again", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  const prompt = "fake:fail_first(1,Error: database is locked) fake:say(made it)";
  const { structured } = await swarm.call("codex", { prompt });
  assert.equal(structured.content, "made it");
  assert.deepEqual(codex.ledger().map(({ exitCode }) => exitCode), [1, 0]);
});

Deno.test("B21: servers with state directories of their own know nothing of each other, and nobody else reads them", async () => {
  await using codex = await installFakeCodex();
  await using mine = await startSwarm({ codex });
  await using yours = await startSwarm({ codex, cwd: mine.cwd });
  const { structured: { task_id: id } } = await mine.call("codex", { prompt: "fake:say(mine)" });
  assert.equal((await yours.call("codex_cancel", { task_id: id })).isError, true);
  assert.deepEqual((await yours.call("codex_status", { all: true })).structured.tasks, []);
  if (Deno.build.os === "windows") return;
  const shown = [...walk(join(mine.stateDir, "tasks")), ...walk(join(mine.stateDir, "logs"))].filter(isOpenToOthers);
  assert.deepEqual(shown, []);
});

Deno.test("B21: a server whose state directory cannot be made starts, and says so in the calls that need it", async () => {
  await using temp = await tempDirectory();
  const file = join(temp.path, "file");
  Deno.writeTextFileSync(file, "");
  await using swarm = await startSwarm({ stateDir: join(file, "state") });
  await swarm.client.ping();
  assert.ok((await swarm.client.listTools()).tools.length > 0);
  const { text, isError } = await swarm.call("codex", { prompt: "go" });
  assert.match(text, /^Cannot write .*--state-dir/);
  assert.equal(isError, true);
});

function* walk(path: string): Generator<string> {
  yield path;
  for (const { name, isDirectory } of Deno.readDirSync(path)) {
    if (isDirectory) yield* walk(join(path, name));
    else yield join(path, name);
  }
}

function isOpenToOthers(path: string): boolean {
  return ((Deno.statSync(path).mode ?? 0) & 0o077) !== 0;
}

/** Reads the records of all tasks there are; a record that is not whole throws. */
function readRecords(stateDir: string): Map<string, Task> {
  const records = new Map<string, Task>();
  const tasks = join(stateDir, "tasks");
  try {
    for (const { name } of Deno.readDirSync(tasks)) {
      const text = readText(join(tasks, name, "task.json"));
      if (text !== null) records.set(name, parseTask(text));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return records;
}

function readText(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

Deno.test({
  name: "B22: every record is whole at any time, though its server is killed while it writes",
  ignore,
  async fn(): Promise<void> {
    await using codex = await installQuickCodex();
    await using stateDir = await tempDirectory();
    await using repo = await tempRepo();
    const options = { codex, stateDir: stateDir.path, cwd: repo.path };
    await using killed = await startSwarm(options);
    const starts = Array.from({ length: 20 }, () => startTask(killed, "quick: events=1").catch(() => null));
    const seen = new Set<string>();
    await waitFor(() => {
      for (const { state } of readRecords(stateDir.path).values()) seen.add(state.status);
      return seen.has("completed");
    }, { message: "some tasks to be written over and over" });
    killed.process.kill("SIGKILL");
    await killed.process.ended;
    const ids = (await Promise.all(starts)).filter((id) => id !== null);
    const records = readRecords(stateDir.path);
    for (const id of ids) assert.ok(records.has(id), `task ${id} was answered and is gone`);
    await using next = await startSwarm(options);
    const known = new Set((await next.resource("tasks")).map((task: { task_id: string }) => task.task_id));
    assert.deepEqual([...records.keys()].filter((id) => !known.has(id)), []);
    // One whose agent had not been started yet counts as young for some seconds more.
    const started = [...records.keys()].filter((id) => readText(join(stateDir.path, "tasks", id, "process")) !== null);
    const { structured } = await next.call("codex_wait", { task_ids: started });
    assert.deepEqual(structured.running, []);
  },
});

Deno.test("B23: a task that ends while it is cancelled has one end, the same for everybody and for ever", async () => {
  await using codex = await installQuickCodex();
  await using one = await startSwarm({ codex });
  await using other = await startSwarm({ codex, stateDir: one.stateDir, cwd: one.cwd });
  const ids = await Promise.all(Array.from({ length: 6 }, () => startTask(one, "quick: seconds=0.05")));
  const cancels = ids.flatMap((id, index) => {
    const cancel = (swarm: Swarm): Promise<unknown> => swarm.call("codex_cancel", { task_id: id });
    return index % 2 === 0 ? [cancel(one), cancel(other)] : [cancel(other)];
  });
  const waits = [one, other].map((swarm) => swarm.call("codex_wait", { task_ids: ids }));
  await Promise.all([...cancels, ...waits]);
  const first = readRecords(one.stateDir);
  for (const swarm of [one, other]) {
    const { structured: { tasks } } = await swarm.call("codex_status", { task_ids: ids });
    assert.deepEqual(
      tasks.map((task: Record<string, unknown>) => [task["task_id"], task["status"]]),
      ids.map((id) => [id, first.get(id)?.state.status]),
    );
  }
  assert.deepEqual(readRecords(one.stateDir), first);
  for (const [id, { state }] of first) {
    assert.ok("outcome" in state, `task ${id} has not ended`);
    const { status, exitCode } = state.outcome;
    // The end that was recorded is the one that the process had.
    assert.ok(
      status === "completed" ? exitCode === 0 : status === "cancelled" && exitCode !== 0,
      `${status} ${exitCode}`,
    );
  }
});

Deno.test("B30: many agents that end in the same moment each have their own exit code", async () => {
  await using codex = await installQuickCodex();
  await using swarm = await startSwarm({ codex, args: ["--max-concurrent", "12"] });
  const codes = Array.from({ length: 12 }, (_, index) => index * 10);
  const ids = await Promise.all(codes.map((code) => startTask(swarm, `quick: exit=${code} seconds=0.1`)));
  await swarm.call("codex_wait", { task_ids: ids });
  const records = readRecords(swarm.stateDir);
  const ends = ids.map((id) => {
    const state = records.get(id)?.state;
    return state !== undefined && "outcome" in state ? state.outcome.exitCode : null;
  });
  assert.deepEqual(ends, codes);
});
