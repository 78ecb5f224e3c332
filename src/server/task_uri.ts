/** What can be told of a task, as part of its URI: `codex-swarm:///tasks/ID`, and `/events` or `/diff` behind it. */
import { isTaskId } from "../storage/task_directory.ts";

/** All tasks. */
export const TASKS_URI = "codex-swarm:///tasks";

export type TaskPart = "state" | "events" | "diff";

/** A URI of a task, be there such a task or not. */
export interface TaskUri {
  readonly id: string;
  readonly part: TaskPart;
  /** What stands behind `?after=`, which only events can have; `undefined` without it. */
  readonly after?: string;
}

/** Takes a URI apart; `null` for one that is spelled otherwise in any way. */
export function parseTaskUri(uri: string): TaskUri | null {
  const [, id = "", part = "state", after] =
    /^codex-swarm:\/\/\/tasks\/([^/?]+)(?:\/([^/?]+))?(?:\?after=(.*))?$/s.exec(
      uri,
    ) ?? [];
  if (!isTaskId(id) || (after !== undefined && part !== "events")) return null;
  switch (part) {
    case "state":
      // Only without it the state is meant.
      return uri.endsWith("/state") ? null : { id, part };
    case "events":
      return { id, part, ...(after === undefined ? {} : { after }) };
    case "diff":
      return { id, part };
    default:
      return null;
  }
}
