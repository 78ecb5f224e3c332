import type { TaskIndex } from "../storage/task_index.ts";
import type { Log } from "../log.ts";
import { isFinished, type Task } from "../task/task.ts";
import { FollowedTask } from "./followed_task.ts";
import { forEachOf } from "./for_each_of.ts";
import type { Registry } from "./registry.ts";
import type { TaskTable } from "./task_table.ts";

/** Tasks that have not ended, and the newest of those that have, at most `limit` of these; oldest first. */
export async function listTasks(
  options: { readonly repository?: string; readonly limit: number },
  { table, registry, index, log }: {
    readonly table: TaskTable;
    readonly registry: Registry;
    readonly index: TaskIndex;
    readonly log: Log;
  },
): Promise<Task[]> {
  const live = new Set(table.own().map(({ task }) => task.id));
  let newest: readonly string[];
  try {
    for (const id of await index.liveIds()) live.add(id);
    newest = await index.newestIds({ ...options, limit: options.limit + live.size });
  } catch (error) {
    // What stands in the way of the index mostly does in that of the tasks, where there is a way out to tell.
    await registry.ids();
    throw error;
  }
  const tasks: Task[] = [];
  await forEachOf([...new Set([...live, ...newest])], async (id) => {
    try {
      const found = live.has(id) ? await table.find(id) : await registry.read(id);
      const task = found instanceof FollowedTask ? found.task : found;
      if (options.repository === undefined || task.repository === options.repository) tasks.push(task);
    } catch (error) {
      log.debug("a task cannot be read", { id, error });
    }
  });
  tasks.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  const surplus = tasks.filter(isFinished).length - options.limit;
  let dropped = 0;
  return tasks.filter((task) => !isFinished(task) || ++dropped > surplus);
}
