import assert from "node:assert/strict";
import { join } from "node:path";
import type { RunHost } from "../../src/process/run_host.ts";
import { noteStop } from "../../src/process/run_files.ts";
import { takeTask } from "../../src/storage/task_lock.ts";
import { AgentLogs } from "../../src/supervisor/agent_logs.ts";
import { FollowedTask } from "../../src/supervisor/followed_task.ts";
import { Registry } from "../../src/supervisor/registry.ts";
import type { RunTaskServices } from "../../src/supervisor/services.ts";
import { isAbandoned } from "../../src/supervisor/take_over.ts";
import { TaskTable } from "../../src/supervisor/task_table.ts";
import { TaskError } from "../../src/task/errors.ts";
import { type HostYard, hostYard } from "../helpers/host_yard.ts";
import { PLANNED, TASK } from "../helpers/tool_calls.ts";
import { waitFor } from "../helpers/wait_for.ts";

const { id } = TASK;

/** The tasks as one server sees them. */
function makeTable({ path, services }: HostYard, replaced: Partial<RunTaskServices> = {}): TaskTable {
  const own = { ...services, ...replaced };
  return new TaskTable({
    registry: new Registry(join(path, "tasks")),
    services: own,
    logs: new AgentLogs(own),
    isReadOnly: false,
  });
}

async function findFollowed(table: TaskTable): Promise<FollowedTask> {
  const found = await table.find(id);
  assert.ok(found instanceof FollowedTask);
  return found;
}

/** A server that finds no Codex, and how often it has looked for it; it notes its warnings and errors. */
function withoutCodex(
  { services: { log } }: HostYard,
): { replaced: Partial<RunTaskServices>; readonly looks: number; readonly said: string[] } {
  const said: string[] = [];
  const note = (message: string): void => void said.push(message);
  let looks = 0;
  const probe = (): Promise<never> => {
    looks++;
    return Promise.reject(new TaskError("codex_missing", "Cannot find Codex"));
  };
  return {
    replaced: { probe, log: { ...log, warning: note, error: note } },
    said,
    get looks() {
      return looks;
    },
  };
}

/** How the task ends, when its server has done all that belongs to it. */
async function endOf(table: TaskTable): Promise<string | undefined> {
  const found = await table.find(id);
  const ended = found instanceof FollowedTask ? await found.finishedWithin(8_000) : found;
  await waitFor(() => table.get(id) === undefined, { message: "the task to be done with" });
  return ended?.state.status;
}

/** Waits until nobody drives the task. */
async function untilLeft(followed: FollowedTask): Promise<void> {
  await waitFor(() => isAbandoned(followed.directory.path), { message: "the task to be left" });
}

/** A queued task that a server without Codex has given up. */
async function leftToOthers(
  yard: HostYard,
): Promise<
  { readonly poor: ReturnType<typeof withoutCodex>; readonly table: TaskTable; readonly followed: FollowedTask }
> {
  await yard.follow();
  const poor = withoutCodex(yard);
  const table = makeTable(yard, poor.replaced);
  const followed = await findFollowed(table);
  await untilLeft(followed);
  return { poor, table, followed };
}

Deno.test("TaskTable lets go of a task that it could not look at, and takes it over at the next look", async () => {
  await using yard = await hostYard();
  await yard.follow(new Date());
  let looks = 0;
  const sight: RunHost["sight"] = () => {
    if (++looks === 1) return Promise.reject(new Error("Too many open files (os error 24)"));
    return Promise.resolve({ state: "lost" });
  };
  const { runner } = yard.services;
  const table = makeTable(yard, { runner: { ...runner, host: { ...yard.host, sight } } });
  await assert.rejects(table.find(id), /os error 24/);
  assert.deepEqual([await endOf(table), yard.asked], ["failed", ["start 2"]]);
});

Deno.test("TaskTable gives nobody a task that it does not go on to follow", async () => {
  await using yard = await hostYard();
  await yard.follow(new Date());
  let other: Promise<PromiseSettledResult<unknown>[]> | undefined;
  const sight: RunHost["sight"] = () => {
    other ??= Promise.allSettled([table.find(id)]);
    return Promise.reject(new Error("Too many open files (os error 24)"));
  };
  const { runner } = yard.services;
  const table = makeTable(yard, { runner: { ...runner, host: { ...yard.host, sight } } });
  await assert.rejects(table.find(id), /os error 24/);
  assert.deepEqual((await other)?.map(({ status }) => status), ["rejected"]);
  assert.equal(table.get(id), undefined);
});

Deno.test("a task of another server that somebody removes ends for those who wait for it", async () => {
  await using yard = await hostYard();
  const { directory: { path } } = await yard.follow();
  const errors: string[] = [];
  const log = { ...yard.services.log, error: (message: string): void => void errors.push(message) };
  using _lock = takeTask(path);
  const table = makeTable(yard, { log });
  const followed = await findFollowed(table);
  await Deno.remove(path, { recursive: true });
  await yard.services.bell.ring(id);
  await assert.rejects(followed.finishedWithin(5_000), { code: "unknown_task" });
  await assert.rejects(table.find(id), { code: "unknown_task" });
  assert.deepEqual([errors, table.get(id)], [[], undefined]);
});

Deno.test("a queued task that a server cannot run waits for another one, and ends for those who wait here", async () => {
  await using yard = await hostYard();
  const { poor, table, followed } = await leftToOthers(yard);
  assert.deepEqual([followed.task.state.status, table.isOwn(id), poor.looks], ["queued", false, 1]);

  // A look of its own shows it what stands on disk now, and no more than that.
  await followed.directory.write({ ...followed.task, depth: 1 });
  await yard.services.bell.ring(id);
  await waitFor(() => followed.task.depth === 1, { message: "the task to be looked at" });
  assert.deepEqual([table.isOwn(id), poor.looks], [false, 1]);

  // Who asks may have installed Codex meanwhile.
  await table.refresh(followed);
  await waitFor(() => poor.looks === 2, { message: "Codex to be looked for" });
  await untilLeft(followed);
  assert.deepEqual([followed.task.state.status, poor.said], [
    "queued",
    ["a task is left to other servers, since this one cannot run it"],
  ]);

  const ends = await Promise.all([endOf(table), endOf(makeTable(yard))]);
  assert.deepEqual([ends, yard.asked], [["failed", "failed"], ["start 1"]]);
});

Deno.test("a task that a server cannot run does not wait for its turn there", async () => {
  await using yard = await hostYard();
  await yard.follow();
  using _slot = await yard.services.slots.acquire("another", yard.services.closing);
  await untilLeft(await findFollowed(makeTable(yard, withoutCodex(yard).replaced)));
});

Deno.test("a queued task that no server can run is cancelled all the same", async () => {
  await using yard = await hostYard();
  const { poor, table, followed } = await leftToOthers(yard);
  await noteStop(followed.directory.path, "cancelled");
  followed.noteStop("cancelled");
  await yard.services.bell.ring(id);
  assert.deepEqual([await endOf(table), poor.looks], ["cancelled", 1]);
});

Deno.test("a queued task that was stopped ends by the hand of a server that could not run it", async () => {
  await using yard = await hostYard();
  const { directory } = await yard.follow();
  await noteStop(directory.path, "cancelled");
  const poor = withoutCodex(yard);
  assert.deepEqual([await endOf(makeTable(yard, poor.replaced)), poor.looks], ["cancelled", 0]);
});

Deno.test("a task that a server has planned itself fails at once when it cannot be started", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow();
  const host: RunHost = { ...yard.host, start: () => Promise.reject(new Error("no such file (os error 2)")) };
  const poor = withoutCodex(yard);
  const table = makeTable(yard, { ...poor.replaced, runner: { ...yard.services.runner, host } });
  const lock = takeTask(followed.directory.path);
  assert.ok(lock !== null);
  await table.drive(followed, table.add(followed, PLANNED), { lock });
  assert.deepEqual([followed.task.state.status, table.get(id)], ["failed", undefined]);
});
