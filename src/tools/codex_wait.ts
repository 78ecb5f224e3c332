import { z } from "zod";
import type { TaskView } from "../supervisor/supervisor.ts";
import { isFinished } from "../task/task.ts";

import { findViews } from "./find_views.ts";
import { tasksOutput } from "./outputs.ts";
import { reportProgress } from "./progress_reports.ts";
import { boundedAnswers } from "./bounded_answers.ts";
import { boundedBlocks } from "./bounded_text.ts";
import { boundedTaskData, phaseOf } from "./task_data.ts";
import { resultText } from "./task_text.ts";
import { defineTool, type ToolAnswer, type ToolCall, type ToolServices } from "./tool.ts";

/** codex-mcp-swarm's default, in seconds. */
const DEFAULT_TIMEOUT = 1_800;

export const codexWait = defineTool({
  name: "codex_wait",
  title: "Wait for Codex tasks",
  description: "Wait until tasks have ended and return their answers. Returns early, saying STILL RUNNING, when your " +
    "client's own limit is near: then call it again. until=any returns at the first end; pass the returned cursor " +
    "to get only new ends. Cancelling the call stops no task.",
  effect: "read",
  input: z.object({
    task_ids: z.array(z.string()).min(1).describe("Task ids"),
    timeout: z.number().nullable().optional().describe("Seconds; default 1800, null no limit of yours"),
    until: z.enum(["all", "any"]).optional().describe("Default all"),
    cursor: z.string().optional().describe("From the last answer: ends told already"),
  }),
  output: tasksOutput.extend({
    cursor: z.string().describe("Pass it to the next codex_wait"),
    running: z.array(z.string()).describe("Ids that have not ended"),
  }),
  async handle(input, call, services): Promise<ToolAnswer> {
    const delivered = new Set((input.cursor ?? "").split(",").filter((id) => id !== ""));
    const ids = [...new Set(input.task_ids)];
    const { views: found, missing } = await findViews(ids, services);
    const pending = found.map(({ task }) => task.id).filter((id) => !delivered.has(id));
    await waitFor(pending, input.until ?? "all", waitMs(input.timeout, call, services), call, services);

    const now = new Date();
    const { views } = await findViews(pending, services);
    const ended = views.filter(({ task }) => isFinished(task));
    const running = views.filter(({ task }) => !isFinished(task));
    const { tasks, shown } = boundedTaskData(ended, { now, maxLength: call.answerChars - 400 - running.length * 12 });
    const told = ended.slice(0, shown);
    for (const { task } of told) {
      await services.supervisor.markRead(task.id);
      delivered.add(task.id);
    }
    const open = [...ended.slice(shown), ...running].map(({ task }) => task.id);
    const cursor = [...delivered].join(",");
    return {
      text: waitText([...told, ...running], { now, missing, cursor, call }),
      structured: {
        tasks: [...tasks, ...missing.map(({ data }) => data)],
        running: running.map(({ task }) => task.id),
        cursor,
        next: open.length === 0
          ? "All have ended."
          : `STILL RUNNING or not told yet, nothing was stopped: call codex_wait(task_ids=${
            JSON.stringify(open)
          }, cursor="${cursor}") again.`,
      },
    };
  },
});

/** How long this call may take: what was asked, at least the configured floor, at most what the client bears. */
function waitMs(timeout: number | null | undefined, call: ToolCall, services: ToolServices): number {
  if (timeout === null) return call.waitMs;
  return Math.min(Math.max((timeout ?? DEFAULT_TIMEOUT) * 1000, services.minWaitMs), call.waitMs);
}

/** Settles when all or any of the tasks have ended, when the time is over, or when the call is cancelled. */
async function waitFor(
  ids: readonly string[],
  until: "all" | "any",
  timeoutMs: number,
  call: ToolCall,
  { supervisor }: ToolServices,
): Promise<void> {
  if (ids.length === 0) return;
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), timeoutMs);
  try {
    const signal = AbortSignal.any([call.signal, over.signal]);
    const ends = ids.map((id) => supervisor.ended(id, signal));
    await using _reports = reportProgress(
      call,
      async () => describe(await Promise.all(ids.map((id) => supervisor.view(id)))),
    );
    await (until === "all" ? Promise.allSettled(ends) : Promise.race(ends.map((end) => end.catch(() => undefined))));
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

/** `2/5 done; k3: cargo test` */
function describe(views: readonly TaskView[]): string {
  const working = views.filter(({ task }) => !isFinished(task));
  const phases = working.slice(0, 3).map((view) => {
    const { currentCommand } = view.progress;
    return `${view.task.spec.label ?? view.task.id}: ${currentCommand ?? phaseOf(view)}`.slice(0, 100);
  });
  return [`${views.length - working.length}/${views.length} done`, ...phases].join("; ");
}

function waitText(
  views: readonly TaskView[],
  { now, missing, cursor, call }: {
    readonly now: Date;
    readonly missing: readonly { readonly text: string }[];
    readonly cursor: string;
    readonly call: ToolCall;
  },
): string {
  const room = call.answerChars - 200 * (views.length + missing.length) - cursor.length;
  const answers = boundedAnswers(views, Math.max(room, 0), (text) => text.length);
  const blocks = views.map((view, index) => resultText(view, now, answers[index] ?? null));
  const texts = [...blocks, ...missing.map(({ text }) => text)];
  if (texts.length === 0) texts.push("Nothing new: all of these ends were told before.");
  return boundedBlocks(texts, call.answerChars);
}
