import { isFinished, type Task } from "../task/task.ts";
import { forEachOf } from "./for_each_of.ts";
import type { Registry } from "./registry.ts";
import type { RunTaskServices } from "./services.ts";
import { isAbandoned } from "./take_over.ts";
import type { TaskTable } from "./task_table.ts";

/** Takes over whatever has lost its server; `isHeir` says of which of those that were bound to it this one is the heir. */
export async function takeOverAll(
  isHeir: (task: Task) => boolean,
  { table, registry, services: { index, closing, log } }: {
    readonly table: TaskTable;
    readonly registry: Registry;
    readonly services: RunTaskServices;
  },
): Promise<void> {
  await forEachOf(await index.liveIds(), async (id) => {
    if (table.isOwn(id) || closing.aborted) return;
    try {
      const task = table.get(id)?.task ?? await registry.read(id);
      if (isFinished(task)) return await index.noteEnded(id);
      // An heir looks again and again: somebody who only looks may hold the lock just now.
      const isForUs = isHeir(task) || isAbandoned(registry.directory(id).path);
      if (isForUs) await table.find(id, { isHeir: isHeir(task) });
    } catch (error) {
      log.debug("a task that has not ended cannot be read", { id, error });
    }
  });
}
