import { isTaskId } from "../storage/task_directory.ts";
import { taskIdOf } from "../task/agent_id.ts";
import { reasonOf, TaskError } from "../task/errors.ts";
import type { ToolServices } from "./tool.ts";
import { cutEnd, cutInner, takeFitting } from "./bounded_text.ts";
import { type ViewedTask, viewTask } from "./viewed_task.ts";

/** Longest id that is repeated, and longest words about it. */
const MAX_ID = 80;
const MAX_ERROR = 400;

/** An id for which there is no task to be told of, as an answer among those of others. */
export interface MissingTask {
  /** As it is told: cut if it is too long for an id. */
  readonly id: string;
  /** What is wrong, in codex-mcp-swarm's words where it had some. */
  readonly words: string;
  /** What these words leave out. */
  readonly wayOut: readonly string[];
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface FoundViews {
  readonly views: ViewedTask[];
  readonly missing: MissingTask[];
  /** By id. */
  readonly faults: ReadonlyMap<string, unknown>;
}

/**
 * Looks at each id once, in order; what cannot be found or looked at is told beside what can. `faults` has those of these
 * ids that this server failed to look at, which says nothing about their tasks. Throws when there is nothing but faults.
 */
export async function findViews(
  ids: readonly string[],
  services: ToolServices,
): Promise<FoundViews> {
  const views: ViewedTask[] = [];
  const missing: MissingTask[] = [];
  const faults = new Map<string, unknown>();
  for (const id of new Set(ids.map(taskIdOf))) {
    try {
      views.push(await viewTask(id, services));
    } catch (error) {
      const told = cutEnd(id, MAX_ID);
      const message = cutInner(reasonOf(error).replace(id, () => told), MAX_ERROR);
      if (error instanceof TaskError && error.code === "unknown_task") {
        missing.push(unknownTask(told, { isId: isTaskId(id), message }));
        continue;
      }
      if (!(error instanceof TaskError && error.code === "unreadable_task")) {
        faults.set(id, error);
        services.log.error("a task could not be looked at", { id, error });
      }
      missing.push(unreadableTask(told, message));
    }
  }
  if (faults.size > 0 && faults.size === views.length + missing.length) throw [...faults.values()][0];
  return { views, missing, faults };
}

function unknownTask(
  id: string,
  { isId, message }: { readonly isId: boolean; readonly message: string },
): MissingTask {
  const words = isId ? `Task ${id} not found` : `Invalid task ID: ${id}`;
  return {
    id,
    words,
    wayOut: [message],
    text: `=== Task ${id} === ${words.toUpperCase()}`,
    data: { task_id: id, status: "not_found", error: message },
  };
}

function unreadableTask(id: string, message: string): MissingTask {
  return {
    id,
    words: message,
    wayOut: [],
    text: `=== Task ${id} === ${message}`,
    data: { task_id: id, status: "error", error: message },
  };
}

/** As many missing tasks as fit into `maxLength` characters, as text and as data. */
export function presentMissing(
  missing: readonly MissingTask[],
  maxLength: number,
): { readonly texts: string[]; readonly data: Readonly<Record<string, unknown>>[]; readonly rest: number } {
  const { shown, rest } = takeFitting(missing.map(({ text, data }) => ({ text, data })), maxLength);
  const texts = shown.map(({ text }) => text);
  if (rest > 0) texts.push(`… and ${rest} more ids of which there is no task to tell.`);
  return { texts, data: shown.map(({ data }) => data), rest };
}
