import type { TaskIndex } from "../storage/task_index.ts";
import { isFinished, type Task } from "../task/task.ts";
import type { Registry } from "./registry.ts";
import type { TaskTable } from "./task_table.ts";

/**
 * Tells in words which task has not ended that works in a worktree, or that may write below a directory; `null` when none
 * does.
 */
export async function whoWorksIn(
  { worktreeId, directory }: { readonly worktreeId: string; readonly directory?: string | undefined },
  { table, registry, index }: {
    readonly table: TaskTable;
    readonly registry: Registry;
    readonly index: TaskIndex;
  },
): Promise<string | null> {
  const live = new Set([...table.own().map(({ task }) => task.id), ...await index.liveIds()]);
  for (const id of live) {
    const task = table.get(id)?.task ?? await registry.read(id).catch(() => null);
    if (task === null) {
      // One that cannot be read may do anything; one that is gone does nothing.
      if (registry.directory(id).isThere()) return `task ${id} cannot be read`;
    } else if (!isFinished(task) && (task.spec.worktree?.id === worktreeId || mayWriteBelow(task, directory))) {
      return `task ${id} works in it`;
    }
  }
  return null;
}

function mayWriteBelow({ spec: { cwd, effectiveSandbox } }: Task, directory: string | undefined): boolean {
  if (directory === undefined || effectiveSandbox.mode === "read-only") return false;
  return cwd === directory || cwd.startsWith(`${directory}/`);
}
