/** What the tools share that start an agent: its start, and for the blocking ones the wait for its answer. */
import { pause } from "../supervisor/pause.ts";
import type { StartRequest } from "../supervisor/start_request.ts";
import { isFinished, type StopReason, type Task } from "../task/task.ts";
import { boundedAnswers } from "./bounded_answers.ts";
import { jsonLength } from "./bounded_text.ts";
import { taskData } from "./present_task.ts";
import { failureLines, headline, verdictLines } from "./present_text.ts";
import { reportProgress } from "./progress_reports.ts";
import { elapsedSeconds, failureMessage, phaseOf, threadIdOf } from "./task_facts.ts";
import type { ToolAnswer, ToolCall, ToolServices } from "./tool.ts";
import { type ViewedTask, viewTask } from "./viewed_task.ts";

/** Characters that a text needs besides the agent's answer: a failure block, or the thread and a verdict. */
const TEXT_AROUND = 2_200;
/** Pause before another try to stop an agent. */
const STOP_RETRY_MS = 500;

/** An ended run, with its answer cut to what the client passes on. */
export interface EndedRun {
  readonly view: ViewedTask;
  /** For text. */
  readonly answer: string | null;
  readonly structured: Readonly<Record<string, unknown>>;
}

/** Starts an agent; its task is on disk when this returns. */
export async function startAgent(request: StartRequest, call: ToolCall, services: ToolServices): Promise<Task> {
  const planned = await services.plan(request);
  // Nobody waits for an agent whose call was cancelled meanwhile.
  call.signal.throwIfAborted();
  return await services.supervisor.start(planned);
}

/** Waits for an agent's end. A cancelled call stops it. */
export async function awaitAgent({ id }: Task, call: ToolCall, services: ToolServices): Promise<EndedRun> {
  const { supervisor } = services;
  const ended = new AbortController();
  let stopping = Promise.resolve();
  const stop = (): void => {
    const reason = call.hasLeft() ? "server_exit" : "cancelled";
    stopping = stopAgent(id, { reason, ended: ended.signal }, services);
  };
  if (call.signal.aborted) stop();
  call.signal.addEventListener("abort", stop, { once: true });
  try {
    await using _reports = reportProgress(call, async () => {
      const view = await supervisor.view(id);
      return `${view.task.spec.label ?? id}: ${phaseOf(view)} (${elapsedSeconds(view.task, new Date())}s elapsed)`;
    });
    await supervisor.ended(id, new AbortController().signal);
  } finally {
    call.signal.removeEventListener("abort", stop);
    ended.abort();
    await stopping;
  }
  const view = await viewTask(id, services);
  if (!call.signal.aborted) await supervisor.markRead(id);
  // The two fields of the removed `codex mcp-server` come first, then everything else.
  const bare = { threadId: threadIdOf(view), content: "", ...taskData(view, new Date(), null) };
  const room = call.answerChars - JSON.stringify(bare).length;
  const inData = boundedAnswers([view], room, jsonLength)[0] ?? null;
  const inText = boundedAnswers([view], call.answerChars - TEXT_AROUND, (text) => text.length)[0] ?? null;
  return {
    view,
    answer: inText,
    structured: { ...bare, content: content(view, inData) },
  };
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
export function agentAnswer(run: EndedRun, completed: (answer: string) => string): ToolAnswer {
  const { view } = run;
  const { structured } = run;
  if (!isFinished(view.task)) throw new Error(`task ${view.task.id} has not ended`);
  const { outcome } = view.task.state;
  if (outcome.status === "completed") {
    const text = [completed(content(view, run.answer)), ...verdictLines(view.task.state)].join("\n");
    return { text, structured };
  }
  const lines = [headline(view.task.state)];
  if (outcome.failure !== undefined) lines.push(...failureLines(view, outcome.failure));
  const threadId = threadIdOf(view);
  if (threadId !== null) lines.push(`Thread ID: ${threadId}`);
  if (run.answer !== null) lines.push(`Partial output (before failure): ${run.answer}`);
  return { text: lines.join("\n"), structured, isError: true };
}

function content(view: ViewedTask, answer: string | null): string {
  if (answer !== null) return answer;
  if (isFinished(view.task) && view.task.state.outcome.failure !== undefined) {
    return failureMessage(view, view.task.state.outcome.failure);
  }
  return "No output from Codex";
}
