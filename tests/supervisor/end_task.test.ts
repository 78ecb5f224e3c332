import assert from "node:assert/strict";
import { join } from "node:path";
import type { RunHost } from "../../src/process/run_host.ts";
import { TaskDrive } from "../../src/supervisor/task_drive.ts";
import type { FinishedTask } from "../../src/task/task.ts";
import type { FollowedTask } from "../../src/supervisor/followed_task.ts";
import { type HostYard, hostYard } from "../helpers/host_yard.ts";
import { PLANNED } from "../helpers/tool_calls.ts";

const EVENTS = [
  { type: "thread.started", thread_id: "0190a0b0-0000-7000-8000-000000000001" },
  { type: "turn.started" },
  { type: "item.completed", item: { id: "i", type: "agent_message", text: "{}" } },
  { type: "turn.completed", usage: { input_tokens: 1, cached_input_tokens: 0, output_tokens: 1 } },
].map((event) => `${JSON.stringify(event)}\n`).join("");

/** A task whose only run has just ended. */
async function endedRun(yard: HostYard, startedAt = new Date()): Promise<FollowedTask> {
  const followed = await yard.follow(startedAt);
  await Deno.writeTextFile(join(followed.directory.path, "exit"), "1 0\n");
  await Deno.writeTextFile(followed.directory.eventsFile, EVENTS);
  return followed;
}

/** The task as it was written down. */
async function end(
  followed: FollowedTask,
  { services }: HostYard,
  replaced: Partial<RunHost> = {},
): Promise<FinishedTask["state"]> {
  followed.noteDriven();
  const host = { ...services.runner.host, ...replaced };
  const drive = new TaskDrive(followed, {
    runnable: () => Promise.resolve(PLANNED),
    services: { ...services, runner: { ...services.runner, host } },
  });
  await drive.toEnd();
  const written = await followed.directory.read();
  assert.ok(written !== null && "endedAt" in written.state);
  return written.state;
}

Deno.test("a task ends whatever its output schema does to the validator", async () => {
  await using yard = await hostYard();
  const followed = await endedRun(yard);
  followed.update({ ...followed.task, spec: { ...followed.task.spec, outputSchema: { $ref: "#" } } });
  const { status, outcome } = await end(followed, yard);
  assert.deepEqual([status, outcome.outputSchemaVerdict], ["completed", {
    valid: false,
    errors: ["the answer could not be checked: it is nested too deep"],
    unchecked: [""],
  }]);
});

Deno.test("a task ends although what it has left behind cannot be counted", async () => {
  await using yard = await hostYard();
  const countLeftBehind = (): Promise<never> => Promise.reject(new Error("no such luck"));
  const { status, outcome } = await end(await endedRun(yard), yard, { countLeftBehind });
  assert.deepEqual([status, outcome.leftBehind], ["completed", undefined]);
});

Deno.test("a task's end is counted anew when files or processes were short", async () => {
  await using yard = await hostYard();
  let looks = 0;
  const countLeftBehind = (): Promise<number> =>
    ++looks === 1 ? Promise.reject(new Error("Too many open files (os error 24)")) : Promise.resolve(2);
  const { status, outcome } = await end(await endedRun(yard), yard, { countLeftBehind });
  assert.deepEqual([status, outcome.leftBehind], ["completed", 2]);
});

for (const name of ["stderr.log", "events.jsonl"]) {
  Deno.test(`a task ends although its ${name} cannot be read`, async () => {
    await using yard = await hostYard();
    const followed = await endedRun(yard);
    const path = join(followed.directory.path, name);
    await Deno.remove(path).catch(() => undefined);
    await Deno.mkdir(path);
    const { status } = await end(followed, yard);
    assert.equal(status, name === "events.jsonl" ? "failed" : "completed");
  });
}

Deno.test("a task ends neither before its start nor in the future, whatever date its files bear", async () => {
  await using yard = await hostYard();
  const startedAt = new Date(Date.now() - 60_000);
  for (const year of [1970, 2100]) {
    const followed = await endedRun(yard, startedAt);
    const date = new Date(Date.UTC(year, 0));
    await Deno.utime(join(followed.directory.path, "exit"), date, date);
    const { endedAt } = await end(followed, yard);
    if (year === 1970) assert.deepEqual(endedAt, startedAt);
    else assert.ok(endedAt > startedAt && endedAt <= new Date());
    await Deno.remove(followed.directory.path, { recursive: true });
  }
});

for (
  const { what, events, expected } of [
    { what: "has said something", events: EVENTS, expected: undefined },
    { what: "has said nothing", events: EVENTS.replace("agent_message", "reasoning"), expected: false },
    { what: "has left events that cannot be read", events: null, expected: undefined },
  ] as const
) {
  Deno.test(`a task ends with whether it has an answer, of an agent that ${what}`, async () => {
    await using yard = await hostYard();
    const followed = await endedRun(yard);
    const { eventsFile } = followed.directory;
    await Deno.remove(eventsFile);
    if (events === null) await Deno.mkdir(eventsFile);
    else await Deno.writeTextFile(eventsFile, events);
    assert.equal((await end(followed, yard)).hasAnswer, expected);
  });
}
