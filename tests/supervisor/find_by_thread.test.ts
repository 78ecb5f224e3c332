import assert from "node:assert/strict";
import { join } from "node:path";
import { TaskDirectory } from "../../src/storage/task_directory.ts";
import { AgentLogs } from "../../src/supervisor/agent_logs.ts";
import { findByThread } from "../../src/supervisor/find_by_thread.ts";
import { FollowedTask } from "../../src/supervisor/followed_task.ts";
import { Registry } from "../../src/supervisor/registry.ts";
import { TaskTable } from "../../src/supervisor/task_table.ts";
import type { Task } from "../../src/task/task.ts";
import { emptyProgress } from "../../src/task/progress.ts";
import { finish } from "../../src/task/transitions.ts";
import { type HostYard, hostYard } from "../helpers/host_yard.ts";
import { PLANNED, TASK } from "../helpers/tool_calls.ts";

const THREAD = "0190a0b0-0000-7000-8000-000000000001";

function taskOf(id: string, created: number): Task {
  const spec = { ...TASK.spec, resumeThreadId: THREAD };
  return { ...TASK, id, createdAt: new Date(created), spec };
}

function cancelled(task: Task): Task {
  const outcome = { status: "cancelled", exitCode: null, statusInferred: false } as const;
  return finish(task, { at: new Date(9), outcome, progress: emptyProgress() });
}

/** What a server knows that drives `own`, in this order, and finds `noted` on disk, the last one as the thread's. */
async function finderOf(
  { path, services }: HostYard,
  { own, noted }: { readonly own: readonly Task[]; readonly noted: readonly Task[] },
): Promise<() => Promise<string | undefined>> {
  const tasksDir = join(path, "tasks");
  const registry = new Registry(tasksDir);
  const table = new TaskTable({ registry, services, logs: new AgentLogs(services), isReadOnly: false });
  const { index } = services;
  await index.open();
  for (const task of own) table.add(new FollowedTask(task, registry.directory(task.id)), PLANNED);
  for (const task of noted) {
    using _lock = await new TaskDirectory(tasksDir, task.id).create(task, PLANNED.files);
    await index.noteThread(THREAD, task.id);
  }
  return async () => (await findByThread(THREAD, { table, registry, index }))?.id;
}

Deno.test("findByThread() finds the task that still works on the thread, whatever has ended since it began", async () => {
  await using yard = await hostYard();
  const own = [cancelled(taskOf("0000000b", 2)), taskOf("0000000a", 1), cancelled(taskOf("0000000c", 3))];
  const find = await finderOf(yard, { own, noted: [cancelled(taskOf("0000000d", 4))] });
  assert.equal(await find(), "0000000a");
});

Deno.test("findByThread() finds the one that comes last of those that have not ended", async () => {
  await using yard = await hostYard();
  const find = await finderOf(yard, { own: [taskOf("0000000b", 2), taskOf("0000000a", 1)], noted: [] });
  assert.equal(await find(), "0000000b");
});

for (const [newest, created] of [["0000000c", 3], ["0000000a", 1]] as const) {
  const where = created === 3 ? "in the index" : "among those that count as live";
  Deno.test(`findByThread() finds the newest of those that have ended ${where}`, async () => {
    await using yard = await hostYard();
    const own = [cancelled(taskOf("0000000b", 2)), cancelled(taskOf("00000009", 0))];
    const find = await finderOf(yard, { own, noted: [cancelled(taskOf(newest, created))] });
    assert.equal(await find(), created === 3 ? newest : "0000000b");
  });
}
