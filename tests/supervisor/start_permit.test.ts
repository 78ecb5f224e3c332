import assert from "node:assert/strict";
import { FollowedTask } from "../../src/supervisor/followed_task.ts";
import { awaitPermit } from "../../src/supervisor/start_permit.ts";
import { defined } from "../../src/task/defined.ts";
import type { TaskSpec } from "../../src/task/spec.ts";
import type { Task } from "../../src/task/task.ts";
import { hostYard } from "../helpers/host_yard.ts";
import { TASK } from "../helpers/tool_calls.ts";
import { waitFor } from "../helpers/wait_for.ts";

const NAMES = Array.from({ length: 9 }, (_, index) => String(index));

/** Waits until a task may start that comes after others, which end when they are told to. */
async function enterAfter(startsAfter: NonNullable<TaskSpec["startsAfter"]>): Promise<
  AsyncDisposable & {
    /** Those that are waited for. */
    readonly pending: ReadonlySet<string>;
    readonly hasEntered: () => boolean;
    end(name: string): void;
  }
> {
  const stack = new AsyncDisposableStack();
  const yard = stack.use(await hostYard());
  const { directory } = await yard.follow();
  const ends = new Map(startsAfter.tasks.map((name) => [name, Promise.withResolvers<void>()]));
  const pending = new Set<string>();
  const ended = async (name: string, signal: AbortSignal): Promise<null> => {
    pending.add(name);
    const aborted = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => aborted.reject(signal.reason), { once: true });
    try {
      await Promise.race([ends.get(name)?.promise, aborted.promise]);
      return null;
    } finally {
      pending.delete(name);
    }
  };
  const followed = new FollowedTask({ ...TASK, spec: { ...TASK.spec, startsAfter } }, directory);
  let hasEntered = false;
  const entering = awaitPermit(followed, { isFirst: false }, { ...yard.services, ended }).then((permit) => {
    hasEntered = true;
    permit?.[Symbol.dispose]();
  });
  stack.defer(async () => {
    for (const { resolve } of ends.values()) resolve();
    await entering;
  });
  return {
    pending,
    hasEntered: () => hasEntered,
    end: (name) => ends.get(name)?.resolve(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

Deno.test("a task that comes after others waits for few of them at a time", async () => {
  await using task = await enterAfter({ tasks: NAMES, count: 7 });
  for (const [index, name] of NAMES.slice(0, 7).entries()) {
    const awaited = NAMES.slice(index, index + 3).join();
    await waitFor(() => [...task.pending].join() === awaited, {
      message: `no others than ${awaited} to be waited for`,
    });
    assert.equal(task.hasEntered(), false);
    task.end(name);
  }
  await waitFor(task.hasEntered, { message: "the permit" });
  assert.equal(task.pending.size, 0);
});

Deno.test("a task that comes after others is let in as soon as enough have ended, whichever these are", async () => {
  await using task = await enterAfter({ tasks: NAMES, count: 7 });
  for (const name of ["8", "3", "7", "5", "4", "1"]) task.end(name);
  await waitFor(() => task.pending.has("6"), { message: "the last ones to be waited for" });
  assert.deepEqual([[...task.pending].sort(), task.hasEntered()], [["0", "2", "6"], false]);
  task.end("2");
  await waitFor(task.hasEntered, { message: "the permit" });
});

Deno.test("a task on a thread waits for those before the one that it comes after, which may never have had its turn", async () => {
  await using yard = await hostYard();
  const { directory } = await yard.follow();
  const first = Promise.withResolvers<void>();
  const asked: string[] = [];
  const spec = (afterTaskId?: string): TaskSpec => ({ ...TASK.spec, ...defined({ afterTaskId }) });
  const ended = async (id: string): Promise<Task | null> => {
    asked.push(id);
    if (id === "first") await first.promise;
    return id === "second" ? { ...TASK, spec: spec("first") } : { ...TASK, spec: spec() };
  };
  const followed = new FollowedTask({ ...TASK, spec: spec("second") }, directory);
  let hasEntered = false;
  const entering = awaitPermit(followed, { isFirst: false }, { ...yard.services, ended }).then((permit) => {
    hasEntered = true;
    permit?.[Symbol.dispose]();
  });
  await waitFor(() => asked.length === 2, { message: "both to be waited for" });
  assert.deepEqual([asked, hasEntered], [["second", "first"], false]);
  first.resolve();
  await entering;
  assert.deepEqual([asked, hasEntered], [["second", "first"], true]);
});

Deno.test("a task whose account meets a usage limit while it is in the queue lets others of the queue go first", async () => {
  await using yard = await hostYard();
  const { slots, usageLimits, closing } = yard.services;
  const followed = await yard.follow();
  const busy = await slots.acquire("busy", closing);
  const permit = awaitPermit(followed, { isFirst: false }, yard.services);
  await waitFor(() => slots.position(TASK.id) === 1, { message: "the task to be in the queue" });
  await usageLimits.met(TASK.spec.account, new Date(Date.now() + 3_600_000));
  busy[Symbol.dispose]();
  const other = slots.acquire("other", closing);
  const first = await Promise.race([permit.then(() => "the task"), other.then(() => "the other")]);
  assert.equal(first, "the other");
  (await other)[Symbol.dispose]();
  followed.noteStop("cancelled");
  assert.equal(await permit, null);
});
