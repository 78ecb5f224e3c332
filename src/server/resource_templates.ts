/** What clients can read of one task: its state, its events, what it has changed. */
import { readEventPage } from "../storage/event_page.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import { TaskError } from "../task/errors.ts";
import { isFinished } from "../task/task.ts";
import { cutInner } from "../tools/bounded_text.ts";
import { diffAnswer } from "../tools/codex_diff.ts";
import { boundedTaskData } from "../tools/present_task.ts";
import { recordedStatus } from "../tools/task_facts.ts";
import type { ToolServices } from "../tools/tool.ts";
import { viewTask } from "../tools/viewed_task.ts";
import { type TaskPart, TASKS_URI } from "./task_uri.ts";

/** Longest state or patch, in characters: many times what any client passes on to its model. */
const MAX_CHARS = 1_000_000;
/** Digits of a position; more would be no number that is exact. */
const POSITION = /^\d{1,15}$/;
const MAX_SHOWN = 40;

/** Resources that differ in the task they are about. */
export interface ResourceTemplate {
  readonly part: TaskPart;
  readonly uriTemplate: string;
  readonly name: string;
  readonly description: string;
  /** Reads it as JSON. Throws {@linkcode TaskError}. */
  readonly read: (id: string, after: string | undefined) => Promise<string>;
}

/** Makes the templates. */
export function createTemplates(
  { supervisor, services }: {
    readonly supervisor: Pick<Supervisor, "record">;
    readonly services: ToolServices;
  },
): ResourceTemplate[] {
  return [
    {
      part: "state",
      uriTemplate: `${TASKS_URI}/{id}`,
      name: "task",
      description: "What codex_status tells of one task, with the whole answer",
      read: async (id) => {
        const view = await viewTask(id, services);
        const { tasks: [task] } = boundedTaskData([view], { now: new Date(), maxLength: MAX_CHARS });
        if (isFinished(view.task)) await services.supervisor.markRead(id);
        return JSON.stringify(task, null, 2);
      },
    },
    {
      part: "events",
      uriTemplate: `${TASKS_URI}/{id}/events{?after}`,
      name: "task-events",
      description: "Events of one task as Codex wrote them, 200 or 100 KB at a time; after: `next` of the last answer",
      read: async (id, after) => await readEvents(id, positionOf(after), supervisor),
    },
    {
      part: "diff",
      uriTemplate: `${TASKS_URI}/{id}/diff`,
      name: "task-diff",
      description: "Files that a task has changed in its worktree, and the patch, as codex_diff tells them",
      read: async (id) => {
        const asked = { task_id: id, format: "patch" } as const;
        const { structured } = await diffAnswer(asked, { answerChars: MAX_CHARS }, services);
        return JSON.stringify(structured, null, 2);
      },
    },
  ];
}

/** The events are passed on as they stand in the file, since a reader may know more of them than this program. */
async function readEvents(id: string, after: number, supervisor: Pick<Supervisor, "record">): Promise<string> {
  // Before the look at the file: what has ended by then writes no more.
  const { task, directory } = await supervisor.record(id);
  const page = await readEventPage(directory, { after, isOver: isFinished(task) });
  // A blank line stands before the mark of a further run.
  const lines = page.lines.filter(({ text }) => text.trim() !== "");
  const events = lines.map(({ text, isCut }) => !isCut && isObject(text) ? text.trim() : JSON.stringify(text));
  const fields = {
    task_id: id,
    status: recordedStatus(task, new Date()),
    after,
    next: page.next,
    more: page.hasMore,
    ...(page.droppedBytes === 0 ? {} : { dropped_bytes: page.droppedBytes }),
    ...(page.lines.some(({ isCut }) => isCut) ? { whole: directory.eventsFile } : {}),
  };
  const head = JSON.stringify(fields, null, 2).slice(0, -"\n}".length);
  return `${head},\n  "events": [${events.map((event) => `\n    ${event}`).join(",")}${
    events.length > 0 ? "\n  " : ""
  }]\n}`;
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function positionOf(after: string | undefined): number {
  if (after === undefined) return 0;
  if (POSITION.test(after)) return Number(after);
  throw new TaskError(
    "invalid_argument",
    `Cannot read events after "${cutInner(after, MAX_SHOWN)}": pass the number "next" of an earlier answer, or leave ` +
      "after out to begin with the first event.",
  );
}
