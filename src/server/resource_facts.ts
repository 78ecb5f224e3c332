import type { TaskChanges } from "../storage/task_changes.ts";
import type { Resource } from "./resources.ts";
import { parseTaskUri, TASKS_URI } from "./task_uri.ts";

/** Gives what {@linkcode ResourceUpdates} looks at. The resources about the server itself never change. */
export function resourceFacts(
  changes: TaskChanges,
  resources: readonly Pick<Resource, "uri">[],
): (uri: string) => string | null {
  const listed = new Set(resources.map(({ uri }) => uri));
  return (uri) => {
    if (uri === TASKS_URI) return changes.all();
    if (listed.has(uri)) return "";
    const task = parseTaskUri(uri);
    // Of events from a position on nothing else is to be told than of all.
    if (task === null || task.after !== undefined) return null;
    switch (task.part) {
      case "state": {
        const record = changes.record(task.id);
        return record === null ? null : `${record} ${changes.events(task.id)}`;
      }
      case "events":
        return changes.events(task.id);
      case "diff":
        // A worktree changes with each file of its agent's; a turn's end is in the record.
        return changes.record(task.id);
    }
  };
}
