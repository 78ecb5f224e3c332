import * as z from "zod";
import type { TaskView } from "../supervisor/task_view.ts";
import { isFinished } from "../task/task.ts";
import { findViews } from "./find_views.ts";
import { tasksOutput } from "./outputs.ts";
import { reportProgress } from "./progress_reports.ts";
import { boundedAnswers } from "./bounded_answers.ts";
import { countFitting } from "./bounded_text.ts";
import { boundedTaskData } from "./present_task.ts";
import { resultText, waitingText } from "./present_text.ts";
import { defineTool, type ToolAnswer, type ToolCall, type ToolServices } from "./tool.ts";
import { phaseOf } from "./task_facts.ts";
import type { ViewedTask } from "./viewed_task.ts";

/** codex-mcp-swarm's default, in seconds. */
const DEFAULT_TIMEOUT = 1_800;
/** Characters that an answer needs besides the answers of agents: around each task's, for each id, and in all. */
const TEXT_PER_TASK = 250;
const DATA_PER_ID = 40;
const DATA_AROUND = 400;

export const codexWait = defineTool({
  name: "codex_wait",
  title: "Wait for Codex tasks",
  description: "Wait until tasks have ended (completed, failed, cancelled, timed_out, interrupted) and return their " +
    "answers. Returns early, saying STILL RUNNING, when your client's own limit is near: then call it again. " +
    "until=any returns at the first end; pass the returned cursor to get only new ends. Cancelling the call stops " +
    "no task.",
  effect: "read",
  input: z.object({
    task_ids: z.array(z.string()).min(1).describe("Task ids"),
    timeout: z.number().nullable().optional().describe(
      "Seconds, at least 150 unless configured; default 1800, null none. Your client's own limit ends it earlier",
    ),
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
    const isTimeOver = await waitFor(
      pending,
      input.until ?? "all",
      waitMs(input.timeout, call, services),
      call,
      services,
    );

    // Nobody hears the answer to a cancelled call: its ends stay untold.
    call.signal.throwIfAborted();
    const { views } = await findViews(pending, services);
    const answer = presentWait(views, { now: new Date(), answerChars: call.answerChars, isTimeOver });
    for (const id of answer.told) {
      await services.supervisor.markRead(id);
      delivered.add(id);
    }
    const cursor = [...delivered].join(",");
    const open = views.map(({ task }) => task.id).filter((id) => !delivered.has(id));
    const again = `codex_wait(task_ids=${JSON.stringify(open)}, cursor="${cursor}")`;
    const texts = [answer.text, ...missing.map(({ text }) => text)].filter((text) => text !== "");
    return {
      text: texts.length === 0 ? "Nothing new: all of these ends were told before." : texts.join("\n\n"),
      structured: {
        tasks: [...answer.tasks, ...missing.map(({ data }) => data)],
        running: views.filter(({ task }) => !isFinished(task)).map(({ task }) => task.id),
        cursor,
        next: found.length === 0
          ? "None of these tasks is known: codex_status() lists those that are."
          : open.length === 0
          ? "All have ended."
          : `STILL RUNNING, queued or not told yet; nothing was stopped. Call ${again}.`,
      },
    };
  },
});

/** What is told of the tasks, and of which ends; an end that does not fit into text and data is told next time. */
function presentWait(
  views: readonly ViewedTask[],
  { now, answerChars, isTimeOver }: {
    readonly now: Date;
    readonly answerChars: number;
    readonly isTimeOver: boolean;
  },
): { readonly text: string; readonly tasks: Record<string, unknown>[]; readonly told: string[] } {
  const ended = views.filter(({ task }) => isFinished(task));
  const running = views.filter(({ task }) => !isFinished(task));
  const data = boundedTaskData(ended, { now, maxLength: answerChars - DATA_AROUND - DATA_PER_ID * views.length });
  const candidates = ended.slice(0, data.shown);
  const room = answerChars - TEXT_PER_TASK * (candidates.length + running.length);
  const answers = boundedAnswers(candidates, room, (text) => text.length);
  const ends = candidates.map((view, index) => resultText(view, now, answers[index] ?? null));
  const told = countFitting(ends, answerChars);
  // Ends come first into the room, so that many running tasks never keep one from being told.
  const left = answerChars - ends.slice(0, told).join("\n\n").length;
  const waits = running.map((view) => waitingText(view, now, isTimeOver));
  const words = new Map([
    ...candidates.slice(0, told).map(({ task }, index) => [task.id, ends[index] ?? ""] as const),
    ...running.slice(0, countFitting(waits, left)).map(({ task }, index) => [task.id, waits[index] ?? ""] as const),
  ]);
  const rest = views.length - words.size;
  const texts = views.flatMap(({ task }) => words.get(task.id) ?? []);
  if (rest > 0) texts.push(`… and ${rest} more: ask again for those.`);
  return {
    text: texts.join("\n\n"),
    tasks: data.tasks.slice(0, told),
    told: candidates.slice(0, told).map(({ task }) => task.id),
  };
}

/** How long this call may take: what was asked, at least the configured floor, at most what the client bears. */
function waitMs(timeout: number | null | undefined, call: ToolCall, services: ToolServices): number {
  if (timeout === null) return call.waitMs;
  return Math.min(Math.max((timeout ?? DEFAULT_TIMEOUT) * 1000, services.minWaitMs), call.waitMs);
}

/**
 * Settles when all or any of the tasks have ended, when the time is over, or when the call is cancelled; tells whether
 * the time was over.
 */
async function waitFor(
  ids: readonly string[],
  until: "all" | "any",
  timeoutMs: number,
  call: ToolCall,
  { supervisor }: ToolServices,
): Promise<boolean> {
  if (ids.length === 0) return false;
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
    return over.signal.aborted;
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
