import assert from "node:assert/strict";
import { join } from "node:path";
import { noteStop } from "../../src/process/run_files.ts";
import type { RunHost, StopReport } from "../../src/process/run_host.ts";
import { SlotFiles } from "../../src/storage/slot_files.ts";
import type { FollowedTask } from "../../src/supervisor/followed_task.ts";
import type { RunTaskServices } from "../../src/supervisor/services.ts";
import { Slots } from "../../src/supervisor/slots.ts";
import { NotForThisServer } from "../../src/supervisor/take_over.ts";
import { TaskDrive } from "../../src/supervisor/task_drive.ts";
import { awaitRun } from "../../src/task/transitions.ts";
import { hostYard } from "../helpers/host_yard.ts";
import { PLANNED } from "../helpers/tool_calls.ts";

async function drive(followed: FollowedTask, services: RunTaskServices): Promise<void> {
  followed.noteDriven();
  await new TaskDrive(followed, { runnable: () => Promise.resolve(PLANNED), services }).toEnd();
}

Deno.test("TaskDrive starts a run and ends the task with it", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow();
  await drive(followed, yard.services);
  assert.deepEqual([yard.asked, followed.task.state.status], [["start 1"], "failed"]);
});

Deno.test("TaskDrive stops a run whose task was stopped in the moment of its start", async () => {
  const stopped = Promise.withResolvers<void>();
  await using yard = await hostYard({ ended: stopped.promise });
  const { services } = yard;
  const followed = await yard.follow();
  // The instant of the start is the last thing that is asked for before it.
  const now = (): Date => {
    followed.noteStop("cancelled");
    return new Date();
  };
  const stop: RunHost["stop"] = async (options) => {
    stopped.resolve();
    return await yard.host.stop(options);
  };
  const driven = drive(followed, { ...services, now, runner: { ...services.runner, host: { ...yard.host, stop } } });
  const ended = await followed.finishedWithin(5_000);
  stopped.resolve();
  await driven;
  assert.deepEqual([yard.asked, ended?.state.status], [["start 1", "stop: cancelled"], "cancelled"]);
});

Deno.test("TaskDrive starts nothing when another server has stopped the task", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow();
  await noteStop(followed.directory.path, "cancelled");
  await drive(followed, yard.services);
  assert.deepEqual([yard.asked, followed.task.state.status], [[], "cancelled"]);
});

Deno.test("TaskDrive starts a run again that was never started, and no other one in its place", async () => {
  await using yard = await hostYard({ sighting: { state: "lost" } });
  const followed = await yard.follow(new Date());
  await drive(followed, yard.services);
  assert.deepEqual([yard.asked, followed.task.state.status], [["start 2"], "failed"]);
});

Deno.test("TaskDrive tells the end of a task that its shim has stopped only when nobody is left of it", async () => {
  await using yard = await hostYard();
  const { services } = yard;
  const followed = await yard.follow();
  const sweep = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const host: RunHost = {
    ...yard.host,
    start: async (options) => {
      await noteStop(options.directory, "timeout");
      return await yard.host.start(options);
    },
    stop: async (options) => {
      asked.resolve();
      await sweep.promise;
      return await yard.host.stop(options);
    },
  };
  const driven = drive(followed, { ...services, runner: { ...services.runner, host } });
  await asked.promise;
  assert.equal(followed.task.state.status, "running");
  sweep.resolve();
  await driven;
  assert.deepEqual([yard.asked, followed.task.state.status], [["start 1", "stop: timeout"], "timed_out"]);
});

Deno.test("TaskDrive gives its slot back when files are too short to see whether the task was stopped", async () => {
  await using yard = await hostYard();
  const { services } = yard;
  const followed = await yard.follow();
  const { directory } = followed;
  let isShort = false;
  Object.defineProperty(followed, "directory", {
    get: () => {
      if (isShort) throw new Error("Too many open files (os error 24)");
      return directory;
    },
  });
  let claims = 0;
  const files = new SlotFiles({
    directory: join(yard.path, "slots"),
    limit: 1,
    isHandedOver: () => {
      isShort = ++claims === 1;
      return Promise.resolve(true);
    },
  });
  const warning = (message: string): void => {
    if (message.includes("go on with a task")) isShort = false;
  };
  const slots = new Slots({ ...services, files });
  const driven = drive(followed, { ...services, slots, log: { ...services.log, warning } });
  const ended = await followed.finishedWithin(5_000);
  assert.deepEqual([ended?.state.status, yard.asked], ["failed", ["start 1"]]);
  await driven;
});

for (
  const [what, attempt] of [
    ["nothing", (): Promise<StopReport> => Promise.resolve({ signals: [], isGone: false, swept: 0 })],
    ["a fault", (): Promise<StopReport> => Promise.reject(new Error("no processes to spare"))],
  ] as const
) {
  Deno.test(`TaskDrive sweeps what a stopped task has left when the first attempt came to ${what}`, async () => {
    await using yard = await hostYard();
    const followed = await yard.follow(new Date());
    await Deno.writeTextFile(join(followed.directory.path, "exit"), "1 3\n");
    followed.noteStop("cancelled");
    await followed.noteStopping(attempt()).catch(() => undefined);
    await drive(followed, { ...yard.services, runner: { ...yard.services.runner, host: endedHost(yard.host) } });
    assert.deepEqual([yard.asked, followed.task.state.status], [["stop: cancelled"], "cancelled"]);
  });
}

Deno.test("TaskDrive sweeps a stopped task once when that has ended it", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow(new Date());
  await Deno.writeTextFile(join(followed.directory.path, "exit"), "1 3\n");
  followed.noteStop("cancelled");
  await followed.noteStopping(yard.host.stop({ directory: followed.directory.path, reason: "cancelled" }));
  await drive(followed, { ...yard.services, runner: { ...yard.services.runner, host: endedHost(yard.host) } });
  assert.deepEqual([yard.asked, followed.task.state.status], [["stop: cancelled"], "cancelled"]);
});

/** A host whose run is over. */
function endedHost(host: RunHost): RunHost {
  return { ...host, sight: () => Promise.resolve({ state: "ended", exitCode: 3, oom: null }) };
}

Deno.test("TaskDrive ends a task as its last run did when what it was to be told was taken back", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow(new Date());
  const { directory } = followed;
  await Deno.writeTextFile(join(directory.path, "exit"), "1 0\n");
  await Deno.writeTextFile(directory.eventsFile, EVENTS);
  followed.update(awaitRun(followed.task, { until: null, isDueAgain: false }));
  await directory.removePrompt(await directory.addPrompt("more"));
  await drive(followed, yard.services);
  assert.deepEqual([yard.asked, followed.task.state.status], [[], "completed"]);
  assert.equal(await directory.readAnswer(), "done");
});

const EVENTS = [
  { type: "thread.started", thread_id: "0190a0b0-0000-7000-8000-000000000001" },
  { type: "turn.started" },
  { type: "item.completed", item: { id: "i", type: "agent_message", text: "done" } },
  { type: "turn.completed", usage: { input_tokens: 1, cached_input_tokens: 0, output_tokens: 1 } },
].map((event) => `${JSON.stringify(event)}\n`).join("");

Deno.test("TaskDrive tells an agent whose usage limit has lifted to go on, also when a prompt was taken back", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow(new Date());
  const { directory } = followed;
  await Deno.writeTextFile(directory.eventsFile, EVENTS);
  await followed.refresh();
  followed.update(awaitRun(followed.task, { until: new Date(0), isDueAgain: false }));
  await directory.removePrompt(await directory.addPrompt("more"));
  await drive(followed, yard.services);
  assert.deepEqual(yard.asked, ["start 2"]);
  assert.match(await directory.readInput("input_2.txt"), /usage limit .* has lifted/);
});

for (const lifetime of ["detached", "server-bound"] as const) {
  const what = lifetime === "detached" ? "leaves a task to others" : "ends a task that is bound to it";
  Deno.test(`TaskDrive ${what} which its server cannot run when it has its turn`, async () => {
    await using yard = await hostYard();
    const followed = await yard.follow();
    followed.update({ ...followed.task, spec: { ...followed.task.spec, lifetime } });
    followed.noteDriven();
    const { services } = yard;
    const runnable = (): Promise<never> => Promise.reject(new NotForThisServer("no Codex here"));
    const driven = new TaskDrive(followed, { runnable, services }).toEnd();
    if (lifetime === "detached") await assert.rejects(driven, NotForThisServer);
    else await driven;
    const { state } = followed.task;
    const reason = "outcome" in state ? state.outcome.failure?.message : undefined;
    assert.deepEqual([state.status, reason, yard.asked], [
      ...(lifetime === "detached" ? ["queued", undefined] : ["failed", "Codex could not be started: no Codex here"]),
      [],
    ]);
    using _slot = await services.slots.acquire("next", services.closing);
  });
}

Deno.test("TaskDrive ends a task that is stopped with its run, and never says that another one is to come", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow(new Date());
  const { directory } = followed;
  await Deno.writeTextFile(join(directory.path, "exit"), "1 0\n");
  await Deno.writeTextFile(directory.eventsFile, EVENTS);
  await directory.addPrompt("more");
  await noteStop(directory.path, "cancelled");
  const written: string[] = [];
  const write = directory.write.bind(directory);
  directory.write = async (task): Promise<void> => {
    written.push(task.state.status);
    await write(task);
  };
  await drive(followed, { ...yard.services, runner: { ...yard.services.runner, host: endedHost(yard.host) } });
  assert.deepEqual([written, yard.asked], [["cancelled"], ["stop: cancelled"]]);
});
