/** What the blocking tools share that start an agent: the wait for its answer. */
import { pause } from "../process/pause.ts";
import { reasonOf, TaskError } from "../task/errors.ts";
import { type FinishedTask, isFinished, type StopReason } from "../task/task.ts";
import { boundedAnswers } from "./bounded_answers.ts";
import { boundedTaskData } from "./present_task.ts";
import { failureLines, headline, leftBehindLines, verdictLines } from "./present_text.ts";
import { markRead } from "./mark_read.ts";
import { joinedField, type KeptAgent } from "./start_agent.ts";
import { reportProgress } from "./progress_reports.ts";
import { elapsedSeconds, failureMessage, isBound, labelOf, phaseOf, silenceOf, threadIdOf } from "./task_facts.ts";
import type { ToolAnswer, ToolCall, ToolServices } from "./tool.ts";
import { type ViewedTask, viewTask } from "./viewed_task.ts";

/** Pause before another try to stop an agent. */
const STOP_RETRY_MS = 500;

/** The way out of a call that was made again and fails as the first one did. */
const JOINED_LINE =
  "This is how the earlier call with this request-key ended: choose another key to start an agent anew.";

/** An agent cannot be waited for, which may well work on: a fault of this server's, and no end. */
export class LostSight extends Error {
  constructor(id: string, cause: unknown) {
    const wayOut = `codex_wait(task_ids=["${id}"]) waits for it`;
    super(`task ${id}, which may still be running, cannot be waited for: ${reasonOf(cause)}. ${wayOut}`, { cause });
    this.name = "LostSight";
  }
}

/** An ended run. */
export interface AnsweredRun {
  /** An earlier call with the same name has started it, or told it. */
  readonly isJoined: boolean;
  readonly view: ViewedTask;
  /** Longest text that the client passes on. */
  readonly answerChars: number;
  /** Within what the client passes on. */
  readonly structured: Readonly<Record<string, unknown>>;
}

/**
 * Waits for the end of an agent that the call has started: when it is cancelled, the agent is stopped; when its client
 * has left, the wait alone is over. Throws {@linkcode LostSight}.
 */
export async function awaitAgent(
  { id, lifetime, joined }: KeptAgent,
  call: ToolCall,
  services: ToolServices,
): Promise<AnsweredRun> {
  const ended = new AbortController();
  const left = new AbortController();
  let stopping = Promise.resolve();
  const stop = (): void => {
    const interruption = call.interruption();
    if (interruption === "client_left") return left.abort(call.signal.reason);
    if (interruption === "server_ends" && lifetime === "detached") return;
    const reason = interruption === "server_ends" ? "server_exit" : interruption;
    stopping = stopAgent(id, { reason, ended: ended.signal }, services);
  };
  if (call.signal.aborted) stop();
  call.signal.addEventListener("abort", stop, { once: true });
  try {
    await untilEnded(id, left.signal, call, services);
  } finally {
    call.signal.removeEventListener("abort", stop);
    ended.abort();
    await stopping;
  }
  return await endedRun({ id, isJoined: joined === true }, call, services);
}

/** Waits for the end of an agent that others have started: when the call is cancelled, the wait is over. */
export async function joinAgent(
  ended: { readonly id: string; readonly isJoined: boolean },
  call: ToolCall,
  services: ToolServices,
): Promise<AnsweredRun> {
  await untilEnded(ended.id, call.signal, call, services);
  return await endedRun(ended, call, services);
}

async function untilEnded(id: string, signal: AbortSignal, call: ToolCall, services: ToolServices): Promise<void> {
  await using _reports = reportAgent(id, call, services);
  try {
    await services.supervisor.ended(id, signal);
  } catch (error) {
    throw signal.aborted || error instanceof TaskError ? error : new LostSight(id, error);
  }
}

/** Tells the client how far an agent is, until it is disposed. */
export function reportAgent(id: string, call: ToolCall, { supervisor }: ToolServices): AsyncDisposable {
  return reportProgress(call, async () => {
    const view = await supervisor.view(id);
    // A handle outlives servers; what it stands for may not, if another call has started it.
    const bound = call.handle !== null && isBound(view.task)
      ? ["server-bound: it is stopped when its server ends"]
      : [];
    const words = [phaseOf(view), ...[silenceOf(view) ?? []].flat(), ...bound].join("; ");
    return `${labelOf(view.task) ?? id}: ${words} (${elapsedSeconds(view.task, new Date())}s elapsed)`;
  });
}

async function endedRun(
  { id, isJoined }: { readonly id: string; readonly isJoined: boolean },
  call: ToolCall,
  services: ToolServices,
): Promise<AnsweredRun> {
  const view = await viewTask(id, services);
  if (!call.signal.aborted) await markRead([id], call, services);
  // The two fields of the removed `codex mcp-server` come first, then everything else.
  const text = view.answer === null ? content(view, null) : "";
  const first = { threadId: threadIdOf(view), content: text, ...joinedField(isJoined) };
  const maxLength = call.answerChars - JSON.stringify(first).length;
  const { tasks: [data = {}] } = boundedTaskData([view], { now: new Date(), maxLength });
  const { answer, ...rest } = data;
  return {
    isJoined,
    view,
    answerChars: call.answerChars,
    structured: { ...first, ...(typeof answer === "string" ? { content: answer } : {}), ...rest },
  };
}

/** Stops the agents of a cancelled call that was answered with a handle. Throws when one cannot be stopped. */
export async function cancelAgents(ids: readonly string[], { supervisor }: ToolServices): Promise<void> {
  const stops = await Promise.allSettled(ids.map((id) => supervisor.stop(id, "cancelled")));
  for (const stop of stops) {
    // What was removed meanwhile had ended.
    if (stop.status === "rejected" && !isUnknown(stop.reason)) throw stop.reason;
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof TaskError && error.code === "unknown_task";
}

/** Tries until the agent is stopped or has ended; never rejects. */
async function stopAgent(
  id: string,
  { reason, ended }: { readonly reason: StopReason; readonly ended: AbortSignal },
  { supervisor, log }: ToolServices,
): Promise<void> {
  while (!ended.aborted) {
    try {
      await supervisor.stop(id, reason);
      return;
    } catch (error) {
      log.error("an agent could not be stopped for a moment", { id, error });
      await pause(STOP_RETRY_MS, ended);
    }
  }
}

/** The answer of a blocking tool: `completed` words it when the agent completed its turn. */
export function agentAnswer(run: AnsweredRun, completed: (answer: string) => string): ToolAnswer {
  const { view, structured, answerChars, isJoined } = run;
  const { task } = view;
  if (!isFinished(task)) throw new Error(`task ${task.id} has not ended`);
  const isCompleted = task.state.status === "completed";
  const word = (answer: string | null): string =>
    isCompleted
      ? [completed(content(view, answer)), ...verdictLines(task.state), ...leftBehindLines(task.state)].join("\n")
      : failedText({ ...view, task }, { answer, isJoined });
  const room = answerChars - word(view.answer === null ? null : "").length;
  const text = word(boundedAnswers([view], room, ({ length }) => length)[0] ?? null);
  return { text, structured, ...(isCompleted ? {} : { isError: true }) };
}

function failedText(
  view: ViewedTask & { readonly task: FinishedTask },
  { answer, isJoined }: { readonly answer: string | null; readonly isJoined: boolean },
): string {
  const { state } = view.task;
  const { failure } = state.outcome;
  const lines = [headline(state)];
  if (failure !== undefined) lines.push(...failureLines(view, failure));
  if (isJoined) lines.push(JOINED_LINE);
  const threadId = threadIdOf(view);
  if (threadId !== null) lines.push(`Thread ID: ${threadId}`);
  if (answer !== null) lines.push(`Partial output (before failure): ${answer}`);
  return lines.join("\n");
}

function content(view: ViewedTask, answer: string | null): string {
  if (answer !== null) return answer;
  if (isFinished(view.task) && view.task.state.outcome.failure !== undefined) {
    return failureMessage(view, view.task.state.outcome.failure);
  }
  return "No output from Codex";
}
