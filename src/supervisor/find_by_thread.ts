import { parseEvent } from "../codex/parse_events.ts";
import { readFirstLine } from "../storage/first_line.ts";
import type { TaskIndex } from "../storage/task_index.ts";
import { isFinished, type Task } from "../task/task.ts";
import { FollowedTask } from "./followed_task.ts";
import type { Registry } from "./registry.ts";
import type { TaskTable } from "./task_table.ts";

/** The task that last worked, works or will work on the thread, whichever server's it is; `null` when there is none. */
export async function findByThread(
  threadId: string,
  { table, registry, index }: {
    readonly table: TaskTable;
    readonly registry: Registry;
    readonly index: TaskIndex;
  },
): Promise<Task | null> {
  let latest: Task | null = null;
  const live = new Set([...table.own().map(({ task }) => task.id), ...await index.liveIds()]);
  for (const id of live) {
    const task = table.get(id)?.task ?? await registry.read(id).catch(() => null);
    if (task === null || !isLater(task, latest)) continue;
    if (await threadOf(task, { table, registry }) === threadId) latest = task;
  }
  if (latest !== null && !isFinished(latest)) return latest;
  // What has just ended, or was driven by a server that was killed then, stands among the live ones alone.
  const id = await index.taskOfThread(threadId);
  const found = id === null ? null : await table.find(id).catch(() => null);
  const noted = found instanceof FollowedTask ? found.task : found;
  return noted !== null && isLater(noted, latest) ? noted : latest;
}

/** One that has not ended works on the thread after all that have. */
function isLater(task: Task, than: Task | null): boolean {
  if (than === null) return true;
  if (isFinished(task) !== isFinished(than)) return isFinished(than);
  return task.createdAt >= than.createdAt;
}

async function threadOf(
  task: Task,
  { table, registry }: { readonly table: TaskTable; readonly registry: Registry },
): Promise<string | null> {
  if (task.spec.resumeThreadId !== undefined) return task.spec.resumeThreadId;
  if (isFinished(task)) return task.state.progress.threadId;
  const followed = table.get(task.id);
  if (followed !== undefined) return (await followed.refresh()).threadId;
  // Codex says it first of all.
  const line = await readFirstLine(registry.directory(task.id).eventsFile);
  const event = line === null ? null : parseEvent(line);
  return event?.type === "thread_started" ? event.threadId : null;
}
