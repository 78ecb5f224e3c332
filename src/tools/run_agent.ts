/** What the blocking tools share: one agent, from its start to its answer. */
import type { StartRequest } from "../supervisor/start_request.ts";
import type { TaskView } from "../supervisor/supervisor.ts";
import { isFinished } from "../task/task.ts";
import { boundedAnswers } from "./bounded_answers.ts";
import { jsonLength } from "./bounded_text.ts";
import { elapsedSeconds, failureMessage, phaseOf, taskData, threadIdOf } from "./present_task.ts";
import { failureLines, headline, verdictLines } from "./present_text.ts";
import { reportProgress } from "./progress_reports.ts";
import type { ToolAnswer, ToolCall, ToolServices } from "./tool.ts";

/** Characters that a text needs besides the agent's answer: a failure block, or the thread and a verdict. */
const TEXT_AROUND = 1_600;

/** An ended run, with its answer cut to what the client passes on. */
export interface EndedRun {
  readonly view: TaskView;
  /** For text. */
  readonly answer: string | null;
  readonly structured: Readonly<Record<string, unknown>>;
}

/** Starts an agent and waits for its end. A cancelled call stops it. */
export async function runAgent(request: StartRequest, call: ToolCall, services: ToolServices): Promise<EndedRun> {
  const { supervisor } = services;
  const { id } = await supervisor.start(await services.plan(request));
  const stop = (): void => {
    void supervisor.stop(id, call.hasLeft() ? "server_exit" : "cancelled");
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
  }
  const view = await supervisor.view(id);
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

function content(view: TaskView, answer: string | null): string {
  if (answer !== null) return answer;
  if (isFinished(view.task) && view.task.state.outcome.failure !== undefined) {
    return failureMessage(view, view.task.state.outcome.failure);
  }
  return "No output from Codex";
}
