/** A task that a machine left behind when it was switched off: its process id belongs to somebody else by now. */
import { join } from "node:path";
import { TaskIndex } from "../../src/storage/task_index.ts";
import type { Task } from "../../src/task/task.ts";
import { newRequest } from "./requests.ts";
import { keyOf, promptOf, type Step } from "./steps.ts";
import type { World } from "./world.ts";

/** A boot that was never this machine's, and a start that no process of this boot has. */
const OTHER_BOOT = "00000000-0000-4000-8000-000000000000";
const OTHER_START = "1";

/** Leaves a copy of a task as if it still ran. Every other one is said to be of this very boot. */
export async function leaveRecycledTask(
  { number, of }: Extract<Step, { kind: "recycled" }>,
  world: World,
): Promise<void> {
  const original = world.requests.get(keyOf(of));
  const originalId = await world.taskOf(original);
  const task = originalId === null ? null : await world.directory(originalId).read();
  // One that goes on with another thread would end for that.
  if (original === undefined || task === null || task.spec.resumeThreadId !== undefined) return;
  const id = crypto.randomUUID().slice(0, 8);
  const threadId = crypto.randomUUID();
  const pid = world.strangers.start("other task", { taskId: id, threadId, directory: "/" });
  const boot = number % 2 === 0 ? OTHER_BOOT : (await Deno.readTextFile("/proc/sys/kernel/random/boot_id")).trim();
  const request = newRequest({
    step: number,
    lifetime: task.spec.lifetime,
    agent: original.agent,
    server: null,
    isRecycled: true,
  });
  const startedAt = new Date(Date.now() - 1_000);
  const copy: Task = {
    ...task,
    id,
    createdAt: startedAt,
    state: { status: "running", startedAt, run: 1, input: "prompt.txt", prompts: 0 },
  };
  const directory = world.directory(id);
  world.add(request);
  using _lock = await directory.create(copy, { prompt: promptOf(request.key, request.agent) });
  await Deno.writeTextFile(
    directory.eventsFile,
    `${JSON.stringify({ type: "thread.started", thread_id: threadId })}\n`,
  );
  const process = [1, pid, OTHER_START, pid, OTHER_START, boot, "flock"];
  await Deno.writeTextFile(join(directory.path, "process"), `${process.join(" ")}\n`);
  world.identify(request, id);
  await new TaskIndex(world.tasksDir).noteStarted(copy);
}
