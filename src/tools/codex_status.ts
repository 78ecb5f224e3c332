import * as z from "zod";
import { isFinished } from "../task/task.ts";
import { countFitting, joinBlocks, takeFitting } from "./bounded_text.ts";
import { findViews, presentMissing } from "./find_views.ts";
import { tasksOutput } from "./outputs.ts";
import { boundedTaskData } from "./present_task.ts";
import { statusText } from "./present_text.ts";
import { defineTool, type ToolAnswer, type ToolCall, type ToolServices } from "./tool.ts";
import type { ViewedTask } from "./viewed_task.ts";

/** Tasks listed at most when no ids are given: those that have not ended, then the newest. */
const MAX_LISTED = 20;
/** Parts of an answer that ids without a task and ids for a next call may take. */
const MISSING_SHARE = 0.2;
const NEXT_SHARE = 0.05;
/** How long a call waits to hear which tasks work on the same files. */
const FORECAST_MS = 300;
/** Room of what stands around the tasks and these ids, in characters. */
const DATA_AROUND = 150;

export const codexStatus = defineTool({
  name: "codex_status",
  title: "Look at Codex tasks",
  description:
    "What tasks are doing right now: status (queued, running, or an end as in codex_wait), phase, command, " +
    "reasoning, plan, files, tokens. Without task_ids it lists this repository's tasks, over HTTP all. Returns at once; " +
    "to wait use codex_wait.",
  toolset: "codex",
  effect: "read",
  input: z.object({
    task_ids: z.array(z.string()).optional().describe("Task ids; left out: list"),
    cwd: z.string().optional().describe("List those of this directory's repository"),
    all: z.boolean().optional().describe("List other repositories' tasks too"),
  }),
  output: tasksOutput,
  async handle(input, call, services): Promise<ToolAnswer> {
    const ids = input.task_ids ?? [];
    if (ids.length > 0) return await lookAt({ ids, list: null }, { call, services });
    const scope = input.all === true ? null : await call.repository(input.cwd);
    return await services.lists.get(
      JSON.stringify([scope, call.answerChars]),
      async () => await lookAt({ ids: await listedIds(scope, services), list: { scope } }, { call, services }),
    );
  },
});

async function lookAt(
  { ids, list }: {
    readonly ids: readonly string[];
    /** What they are all of, unless they were named: a repository's tasks, or with `null` everybody's. */
    readonly list: { readonly scope: string | null } | null;
  },
  { call, services }: { readonly call: ToolCall; readonly services: ToolServices },
): Promise<ToolAnswer> {
  const now = new Date();
  const { views: found, missing } = await findViews(ids, services);
  const views = await withOverlaps(found, services);
  // A list tells what there is; an ended task's answer is asked for by its id.
  const told = list !== null ? views.map((view) => ({ ...view, answer: null })) : views;
  const absent = presentMissing(missing, call.answerChars * MISSING_SHARE);
  // Ids stand in quotes within a text, which JSON writes with two characters more each.
  const nextRoom = call.answerChars * NEXT_SHARE;
  const around = JSON.stringify(absent.data).length + 1.2 * nextRoom + DATA_AROUND;
  const { tasks, shown } = boundedTaskData(told, {
    now,
    maxLength: call.answerChars - Math.ceil(around),
    isBrief: list !== null,
  });
  const texts = [...views.map((view) => statusText(view, now)), ...absent.texts];
  if (list === null && !call.signal.aborted) {
    // What did not fit into the answer was given to nobody.
    const given = views.slice(0, Math.min(shown, countFitting(texts, call.answerChars)));
    const ended = given.filter(({ task }) => isFinished(task));
    await Promise.all(ended.map(({ task }) => services.supervisor.markRead(task.id)));
  }
  if (texts.length === 0) texts.push(noTasks(list?.scope ?? null));
  const rest = takeFitting(views.slice(shown).map(({ task }) => task.id), nextRoom).shown;
  return {
    text: joinBlocks(texts, call.answerChars),
    structured: {
      tasks: [...tasks, ...absent.data],
      ...(shown < views.length ? { tasks_not_shown: views.length - shown } : {}),
      ...(absent.rest === 0 ? {} : { ids_not_shown: absent.rest }),
      ...(rest.length === 0 ? {} : { next: `More: codex_status(task_ids=${JSON.stringify(rest)}).` }),
    },
  };
}

function noTasks(scope: string | null): string {
  return scope === null ? "There are no tasks." : "No tasks in this repository. all=true lists those of others.";
}

/** What is not known in time is told as it was the last time. */
async function withOverlaps(views: readonly ViewedTask[], { work }: ToolServices): Promise<readonly ViewedTask[]> {
  const tasks = views.map(({ task }) => task).filter(({ spec }) => spec.worktree !== undefined);
  if (tasks.length < 2) return views;
  const overlaps = await work.forecast(tasks, FORECAST_MS);
  return views.map((view) => {
    const own = overlaps.get(view.task.id);
    return own === undefined ? view : { ...view, overlaps: own };
  });
}

/** Those of a repository, or with `null` of all. */
async function listedIds(repository: string | null, { supervisor }: ToolServices): Promise<string[]> {
  const tasks = await supervisor.list({ ...(repository === null ? {} : { repository }), limit: MAX_LISTED });
  const open = tasks.filter((task) => !isFinished(task));
  const ended = tasks.filter(isFinished);
  const room = Math.max(0, MAX_LISTED - open.length);
  return [...open, ...(room === 0 ? [] : ended.slice(-room).reverse())].map(({ id }) => id);
}
