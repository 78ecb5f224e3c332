import * as z from "zod";
import { isTaskId } from "../storage/task_directory.ts";
import { isFinished } from "../task/task.ts";
import { findViews, type FoundViews, presentMissing } from "./find_views.ts";
import { markRead } from "./mark_read.ts";
import { tasksOutput } from "./outputs.ts";
import { takeFitting } from "./bounded_text.ts";
import { presentWait } from "./present_wait.ts";
import { defineStagedTool } from "./staged_tool.ts";
import type { Begun, ToolAnswer, ToolCall, ToolServices } from "./tool.ts";
import type { ViewedTask } from "./viewed_task.ts";
import { type Waited, waitForEnds } from "./wait_for_ends.ts";

/** codex-mcp-swarm's default, in seconds. */
const DEFAULT_TIMEOUT = 1_800;
/** Of a task's id. */
const ID_LENGTH = 8;
/** Parts of an answer that the cursor, the ids that have not ended, and those without a task may take. */
const CURSOR_SHARE = 0.4;
const IDS_SHARE = 0.1;
const MISSING_SHARE = 0.15;
/** Longest cursor that is said twice, and the room of what stands around all these, in characters. */
const MAX_REPEATED_CURSOR = 100;
const DATA_AROUND = 450;

/** What was asked for, and in milliseconds since 1970 when that is over. */
const keptWait = z.object({
  task_ids: z.array(z.string()),
  until: z.enum(["all", "any"]),
  cursor: z.string(),
  ends_at: z.number().nullable(),
});
type KeptWait = z.output<typeof keptWait>;

export const codexWait = defineStagedTool({
  name: "codex_wait",
  title: "Wait for Codex tasks",
  description: "Wait until tasks have ended (completed, failed, cancelled, timed_out, interrupted) and return their " +
    "answers. Returns early, saying STILL RUNNING, when your client's own limit is near: then call it again. " +
    "until=any returns at the first end; pass the returned cursor to get only new ends. Cancelling the call stops " +
    "no task.",
  toolset: "codex",
  effect: "read",
  input: z.object({
    task_ids: z.array(z.string()).min(1).describe("Task ids"),
    timeout: z.number().nullable().refine(isPositive, "must be more than 0, or null").optional().describe(
      "Seconds, at least 150 unless configured; default 1800, null none. Your client's own limit ends it earlier",
    ),
    until: z.enum(["all", "any"]).optional().describe("Default all"),
    cursor: z.string().optional().describe("From the last answer: ends told already"),
  }),
  output: tasksOutput.extend({
    cursor: z.string().describe("Pass it to the next codex_wait"),
    running: z.array(z.string()).describe("Ids that have not ended"),
  }),
  kept: keptWait,
  async begin(input, call, services): Promise<Begun<KeptWait>> {
    const { task_ids, until = "all", cursor = "", timeout } = input;
    const kept = { task_ids, until, cursor, ends_at: endsAt(timeout, services) };
    if (call.handle === null) return { kept, taskIds: [] };
    const { views, delivered, faults } = await findPending(kept, services);
    const pending = views.map(({ task }) => task).filter(({ id }) => !delivered.has(id));
    const open = pending.filter((task) => !isFinished(task));
    const unseen = [...faults.keys()].filter((id) => !delivered.has(id));
    const isDone = open.length + unseen.length === 0 || until === "any" && open.length < pending.length;
    // Who has nothing to wait for needs no handle.
    return isDone
      ? { answer: await answerWait(kept, { ...call, handle: null }, services) }
      : { kept, taskIds: [...pending.map(({ id }) => id), ...unseen] };
  },
  finish: answerWait,
  // It has started nothing.
  cancel: () => Promise.resolve(),
});

/** Waits as long as it may and tells what has ended. */
async function answerWait(kept: KeptWait, call: ToolCall, services: ToolServices): Promise<ToolAnswer> {
  const { views: found, missing, delivered, faults } = await findPending(kept, services);
  const pending = found.map(({ task }) => task.id).filter((id) => !delivered.has(id));
  const waited = await waitForEnds(pending, kept, call, services);

  // Nobody hears the answer to a cancelled call: its ends stay untold.
  call.signal.throwIfAborted();
  const { views, missing: lost, faults: lostFaults } = await findViews(pending, services);
  const unseen = [...faults.keys(), ...lostFaults.keys()].filter((id) => !delivered.has(id));
  const [fault] = [...waited.faults, ...faults.values(), ...lostFaults.values()];
  // Who comes back for the answer has it waited for anew.
  if (call.handle !== null && fault !== undefined && !isOver(views, { unseen, kept, waited })) throw fault;
  const { answerChars } = call;
  const absent = presentMissing([...missing, ...lost], answerChars * MISSING_SHARE);
  const maxCursor = answerChars * CURSOR_SHARE;
  const cursorRoom = Math.min(maxCursor, (delivered.size + views.length) * (ID_LENGTH + 1));
  const idsRoom = Math.min(answerChars * IDS_SHARE, (views.length + unseen.length) * (ID_LENGTH + 3));
  // Ids stand in quotes within `next`, which JSON writes with two characters more each.
  const around = cursorRoom + 2.2 * idsRoom + JSON.stringify(absent.data).length + DATA_AROUND;
  const answer = presentWait(views, {
    now: new Date(),
    dataChars: Math.floor(answerChars - around),
    textChars: answerChars - absent.texts.join("\n\n").length - 2,
    isTimeOver: waited.isTimeOver,
  });
  for (const id of answer.told) delivered.add(id);
  await markRead(answer.told, call, services);
  // The newest ends; an older one that is dropped here is told again if it is asked for, which `next` does not.
  const cursor = [...delivered].slice(-Math.floor(maxCursor / (ID_LENGTH + 1))).join(",");
  // Nobody knows whether those have ended that could not be looked at.
  const open = [...views.map(({ task }) => task.id).filter((id) => !delivered.has(id)), ...unseen];
  const running = takeFitting(views.filter(({ task }) => !isFinished(task)).map(({ task }) => task.id), idsRoom);
  const texts = [answer.text, ...absent.texts].filter((text) => text !== "");
  return {
    text: texts.length === 0 ? "Nothing new: all of these ends were told before." : texts.join("\n\n"),
    structured: {
      tasks: [...answer.tasks, ...absent.data],
      ...(absent.rest === 0 ? {} : { ids_not_shown: absent.rest }),
      running: running.shown,
      ...(running.rest === 0 ? {} : { running_not_shown: running.rest }),
      cursor,
      next: found.length + unseen.length === 0
        ? "None of these tasks is known: codex_status() lists those that are."
        : open.length === 0
        ? "All have ended."
        : `STILL RUNNING, queued or not told yet; nothing was stopped. ${nextCall(open, { cursor, idsRoom })}`,
    },
  };
}

/** Tells whether that has come for which a wait was asked. */
function isOver(
  views: readonly ViewedTask[],
  { unseen, kept, waited }: {
    readonly unseen: readonly string[];
    readonly kept: KeptWait;
    readonly waited: Waited;
  },
): boolean {
  if (waited.isTimeOver || kept.ends_at !== null && kept.ends_at <= Date.now()) return true;
  const ended = views.filter(({ task }) => isFinished(task)).length;
  return kept.until === "any" && ended > 0 || ended === views.length && unseen.length === 0;
}

/** The ends that the caller has been told; a task that has not ended cannot be one of them. */
function deliveredIds(cursor: string, found: readonly ViewedTask[]): Set<string> {
  const open = new Set(found.filter(({ task }) => !isFinished(task)).map(({ task }) => task.id));
  return new Set(cursor.split(",").filter((id) => isTaskId(id) && !open.has(id)));
}

/** How to go on waiting, with as many ids as fit and the cursor said again if it is short. */
function nextCall(
  open: readonly string[],
  { cursor, idsRoom }: { readonly cursor: string; readonly idsRoom: number },
): string {
  const { shown, rest } = takeFitting(open, idsRoom);
  const isRepeated = cursor.length <= MAX_REPEATED_CURSOR;
  const call = `codex_wait(task_ids=${JSON.stringify(shown)}${isRepeated ? `, cursor="${cursor}"` : ""})`;
  return `Call ${call}${isRepeated ? "" : " with this answer's cursor"}${
    rest === 0 ? "" : `, then with ${rest} more`
  }.`;
}

function isPositive(seconds: number | null): boolean {
  return seconds === null || seconds > 0;
}

/** When the wait is over, in milliseconds since 1970: as was asked, at least after the configured floor; `null` for never. */
function endsAt(timeout: number | null | undefined, { minWaitMs }: ToolServices): number | null {
  return timeout === null ? null : Date.now() + Math.max((timeout ?? DEFAULT_TIMEOUT) * 1000, minWaitMs);
}

/** What is asked for, and which ends of it the caller has been told. */
async function findPending(
  { task_ids, cursor }: KeptWait,
  services: ToolServices,
): Promise<FoundViews & { readonly delivered: Set<string> }> {
  const found = await findViews(task_ids, services);
  return { ...found, delivered: deliveredIds(cursor, found.views) };
}
