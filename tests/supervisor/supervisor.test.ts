import assert from "node:assert/strict";
import { join } from "node:path";
import { TaskDrive } from "../../src/supervisor/task_drive.ts";
import { takeTask } from "../../src/storage/task_lock.ts";
import { Supervisor, type SupervisorOptions } from "../../src/supervisor/supervisor.ts";
import { type HostYard, hostYard } from "../helpers/host_yard.ts";
import { PLANNED, TASK } from "../helpers/tool_calls.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { namesIn } from "../helpers/temp_directory.ts";

function createSupervisor({ path, services }: HostYard, options: Partial<SupervisorOptions> = {}): Supervisor {
  return new Supervisor({
    stateDir: path,
    isReadOnly: false,
    tasksDir: join(path, "tasks"),
    openTasksDir: join(path, "open"),
    slotsDir: join(path, "slots"),
    usageLimitsDir: join(path, "limits"),
    codexHome: join(path, "home"),
    cwd: path,
    runner: services.runner,
    worktrees: services.worktrees,
    worktreesDir: join(path, "worktrees"),
    work: { age: () => Promise.resolve() },
    env: {},
    givenEnvNames: new Set(),
    maxConcurrent: 1,
    offlineTimeoutMs: 60_000,
    stallAfterMs: 60_000,
    stallAction: "report",
    onUsageLimit: "wait",
    taskMaxAgeMs: 60_000,
    probe: () => Promise.resolve(PLANNED.probe),
    log: services.log,
    now: services.now,
    newId: () => TASK.id,
    ...options,
  });
}

/** A task's end is told before all of it is written down; the lock goes last. */
async function concluded({ path }: HostYard): Promise<void> {
  using _lock = await waitFor(() => takeTask(join(path, "tasks", TASK.id)), { message: "the task to be let go" });
}

Deno.test("Supervisor.close() lets go of every run that goes on", async () => {
  const ended = Promise.withResolvers<void>();
  await using yard = await hostYard({ ended: ended.promise });
  const supervisor = createSupervisor(yard);
  await supervisor.start(PLANNED);
  // The task is running a moment before its run is there.
  await waitFor(() => yard.asked.length > 0, { message: "the run to start" });
  await supervisor.close();
  assert.deepEqual(yard.asked, ["start 1", "release 1"]);
  ended.resolve();
  await supervisor.ended(TASK.id, new AbortController().signal);
  await concluded(yard);
});

Deno.test("Supervisor.start() writes nothing down once the server ends", async () => {
  await using yard = await hostYard();
  const supervisor = createSupervisor(yard);
  await supervisor.close();
  await assert.rejects(supervisor.start(PLANNED), { code: "start_failed", message: /the server is ending/ });
  assert.deepEqual([namesIn(join(yard.path, "tasks")), yard.asked], [[], []]);
});

Deno.test("Supervisor.stop() ends a task that waits in the queue of a server that is gone, and starts nothing", async () => {
  await using yard = await hostYard();
  await yard.follow();
  const supervisor = createSupervisor(yard);
  const answer = await supervisor.stop(TASK.id, "cancelled");
  const { task } = await supervisor.view(TASK.id);
  await supervisor.close();
  await concluded(yard);
  assert.deepEqual([answer, task.state.status, yard.asked], [{ answer: "stopped", report: null }, "cancelled", []]);
});

Deno.test("Supervisor.start() notes a task before its record is there, so that none is missed, and takes a note back", async () => {
  await using yard = await hostYard();
  const supervisor = createSupervisor(yard);
  const live = (): string[] =>
    Array.from(Deno.readDirSync(join(yard.path, "tasks", ".index", "live")), ({ name }) => name);
  let noted: string[] = [];
  const spec = {
    ...PLANNED.spec,
    // Read when the record is written.
    get label(): string {
      noted = live();
      throw new Error("no room");
    },
  };
  await assert.rejects(supervisor.start({ ...PLANNED, spec }), /no room/);
  await supervisor.close();
  assert.deepEqual([noted, live()], [[TASK.id], []]);
});

Deno.test("Supervisor.ended() ends with a signal that comes while the task is still being looked for", async () => {
  await using yard = await hostYard({ sighting: { state: "running", isShimLost: false } });
  await yard.follow(new Date());
  const supervisor = createSupervisor(yard);
  const over = new AbortController();
  const ended = supervisor.ended(TASK.id, over.signal);
  over.abort(new Error("the time is over"));
  await assert.rejects(ended, /the time is over/);
  await supervisor.close();
});

Deno.test("Supervisor.start() takes another id where a task of that one is there", async () => {
  await using yard = await hostYard();
  const { directory } = await yard.follow();
  const ids = [TASK.id, "ffffffff"];
  const supervisor = createSupervisor(yard, { newId: () => ids.shift() ?? "" });
  const started = await supervisor.start(PLANNED);
  await supervisor.ended(started.id, new AbortController().signal);
  // What follows an end is not waited for by those who are told of it.
  await waitFor(() => {
    using lock = takeTask(join(yard.path, "tasks", started.id));
    return lock !== null;
  }, { message: "the task to be let go" });
  await supervisor.close();
  assert.deepEqual([started.id, yard.asked], ["ffffffff", ["start 1"]]);
  assert.deepEqual(await directory.read(), TASK);
});

Deno.test("Supervisor.start() takes nothing away of a task that another server makes of the same id at the same time", async () => {
  await using yard = await hostYard();
  const live = join(yard.path, "tasks", ".index", "live");
  const newId = (): string => {
    // When it has been looked for.
    queueMicrotask(() => Deno.mkdirSync(join(yard.path, "tasks", TASK.id)));
    return TASK.id;
  };
  await yard.services.index.open();
  Deno.writeTextFileSync(join(live, TASK.id), "");
  const supervisor = createSupervisor(yard, { newId });
  await assert.rejects(supervisor.start(PLANNED), { code: "state_not_writable" });
  await supervisor.close();
  assert.deepEqual([namesIn(live), namesIn(join(yard.path, "tasks", TASK.id))], [[TASK.id], []]);
});

Deno.test("a task whose end cannot be written down is concluded by the next server", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow();
  await yard.services.index.open();
  await yard.services.index.noteStarted(TASK);
  const record = join(followed.directory.path, "task.json");
  const text = await Deno.readTextFile(record);
  // Nothing can be renamed over it.
  await Deno.remove(record);
  await Deno.mkdir(record);
  followed.noteDriven();
  const closing = new AbortController();
  const services = { ...yard.services, closing: closing.signal };
  const drive = new TaskDrive(followed, { runnable: () => Promise.resolve(PLANNED), services }).toEnd();
  const { state } = await followed.finished;
  closing.abort();
  await drive;
  await Deno.remove(record);
  await Deno.writeTextFile(
    record,
    text.replace('"queued"', '"running", "startedAt": "2026-11-04T09:30:00Z", "run": 1'),
  );
  const supervisor = createSupervisor(yard);
  supervisor.open();
  await waitFor(async () => (await followed.directory.read())?.state.status === state.status, {
    message: "the end to be written down",
  });
  await supervisor.close();
  assert.deepEqual([state.status, yard.asked], ["failed", ["start 1"]]);
  await waitFor(() => namesIn(join(yard.path, "tasks", ".index", "live")).length === 0, { message: "no entry" });
});
