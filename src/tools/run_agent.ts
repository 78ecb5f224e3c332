/** What the tools share that start an agent: its start, and for the blocking ones the wait for its answer. */
import * as z from "zod";
import { pause } from "../process/pause.ts";
import type { StartRequest } from "../supervisor/start_request.ts";
import { type Lifetime, LIFETIMES } from "../task/spec.ts";
import { TaskError } from "../task/errors.ts";
import { type FinishedTask, isFinished, type StopReason, type Task } from "../task/task.ts";
import { boundedAnswers } from "./bounded_answers.ts";
import { boundedTaskData } from "./present_task.ts";
import { failureLines, headline, leftBehindLines, verdictLines } from "./present_text.ts";
import { markRead } from "./mark_read.ts";
import type { StartingCall } from "./request_key.ts";
import { claimStart, type StartClaim } from "./start_claim.ts";
import { reportProgress } from "./progress_reports.ts";
import { elapsedSeconds, failureMessage, labelOf, phaseOf, silenceOf, threadIdOf } from "./task_facts.ts";
import type { ToolAnswer, ToolCall, ToolServices } from "./tool.ts";
import { type ViewedTask, viewTask } from "./viewed_task.ts";

/** Pause before another try to stop an agent. */
const STOP_RETRY_MS = 500;

/** An ended run. */
export interface AnsweredRun {
  readonly view: ViewedTask;
  /** Longest text that the client passes on. */
  readonly answerChars: number;
  /** Within what the client passes on. */
  readonly structured: Readonly<Record<string, unknown>>;
}

/** An agent that a call has started, as it is kept until its end. */
export const keptAgent = z.object({ id: z.string(), lifetime: z.enum(LIFETIMES) });
export type KeptAgent = z.output<typeof keptAgent>;

/** An agent of a call: one that it has started, or that the same call has started before. */
export interface Agent {
  readonly task: Task;
  readonly isEarlier?: boolean;
}

/** What is kept of an agent. One that others have started is stopped by who cancels the call, but by nobody who leaves. */
export function keptOf({ task: { id, spec: { lifetime } }, isEarlier = false }: Agent): KeptAgent {
  return { id, lifetime: isEarlier ? "detached" : lifetime };
}

/** The lifetime of an agent that its call waits for. */
export function awaitedLifetime({ handle }: ToolCall): Lifetime {
  return handle === null ? "server-bound" : "detached";
}

/** Starts the agent of a call, unless the same call has done so before; its task is on disk when this returns. */
export async function startAgent(
  request: StartRequest,
  starting: StartingCall,
  { call, services }: { readonly call: ToolCall; readonly services: ToolServices },
): Promise<Agent> {
  using claim = await claimStart(starting, { call, services });
  return earlierAgent(claim) ?? { task: await startClaimed(request, claim, { call, services }) };
}

/** The agent that the same call has started before. */
export function earlierAgent({ earlier: [earlier] }: StartClaim): Agent | null {
  return earlier !== null && earlier !== undefined && "task" in earlier ? { ...earlier, isEarlier: true } : null;
}

/** Starts the agent of a call that may start one. */
export async function startClaimed(
  request: StartRequest,
  claim: StartClaim,
  { call, services }: { readonly call: ToolCall; readonly services: ToolServices },
): Promise<Task> {
  const planned = await services.plan(request);
  // Nobody waits for an agent whose call was cancelled meanwhile.
  call.signal.throwIfAborted();
  return await claim.start(planned);
}

/**
 * Waits for the end of an agent that the call has started: when it is cancelled, the agent is stopped; when its client
 * has left, the wait alone is over.
 */
export async function awaitAgent(
  { id, lifetime }: KeptAgent,
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
  return await endedRun(id, call, services);
}

/** Waits for the end of an agent that others have started: when the call is cancelled, the wait is over. */
export async function joinAgent(id: string, call: ToolCall, services: ToolServices): Promise<AnsweredRun> {
  await untilEnded(id, call.signal, call, services);
  return await endedRun(id, call, services);
}

async function untilEnded(id: string, signal: AbortSignal, call: ToolCall, services: ToolServices): Promise<void> {
  await using _reports = reportAgent(id, call, services);
  await services.supervisor.ended(id, signal);
}

/** Tells the client how far an agent is, until it is disposed. */
export function reportAgent(id: string, call: ToolCall, { supervisor }: ToolServices): AsyncDisposable {
  return reportProgress(call, async () => {
    const view = await supervisor.view(id);
    const words = [phaseOf(view), ...[silenceOf(view) ?? []].flat()].join("; ");
    return `${labelOf(view.task) ?? id}: ${words} (${elapsedSeconds(view.task, new Date())}s elapsed)`;
  });
}

async function endedRun(id: string, call: ToolCall, services: ToolServices): Promise<AnsweredRun> {
  const view = await viewTask(id, services);
  if (!call.signal.aborted) await markRead([id], call, services);
  // The two fields of the removed `codex mcp-server` come first, then everything else.
  const first = { threadId: threadIdOf(view), content: view.answer === null ? content(view, null) : "" };
  const maxLength = call.answerChars - JSON.stringify(first).length;
  const { tasks: [data = {}] } = boundedTaskData([view], { now: new Date(), maxLength });
  const { answer, ...rest } = data;
  return {
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
  const { view, structured, answerChars } = run;
  const { task } = view;
  if (!isFinished(task)) throw new Error(`task ${task.id} has not ended`);
  const isCompleted = task.state.status === "completed";
  const word = (answer: string | null): string =>
    isCompleted
      ? [completed(content(view, answer)), ...verdictLines(task.state), ...leftBehindLines(task.state)].join("\n")
      : failedText({ ...view, task }, answer);
  const room = answerChars - word(view.answer === null ? null : "").length;
  const text = word(boundedAnswers([view], room, ({ length }) => length)[0] ?? null);
  return { text, structured, ...(isCompleted ? {} : { isError: true }) };
}

function failedText(view: ViewedTask & { readonly task: FinishedTask }, answer: string | null): string {
  const { state } = view.task;
  const { failure } = state.outcome;
  const lines = [headline(state)];
  if (failure !== undefined) lines.push(...failureLines(view, failure));
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
