/** How an agent failed, as codex-as-mcp's error payload. */
import { codexArgs } from "../codex/codex_args.ts";
import { maskConfigValue } from "../task/secret_names.ts";
import { type FinishedTask, isFinished, type Task } from "../task/task.ts";
import type { AgentErrorPayload } from "./agent_error.ts";
import { agentSeconds } from "./agent_facts.ts";
import { recentOutput } from "./agent_output.ts";
import { cutEnd, cutMiddle, takeFitting } from "./bounded_text.ts";
import { failureMessage, threadIdOf } from "./task_facts.ts";
import type { ViewedTask } from "./viewed_task.ts";

/** Lines of output that are told, and how much of these and of a partial answer, from the most to what fits anywhere. */
const RECENT_LINES = 50;
const STEPS = [
  { recent: 4_000, captured: 4_000, message: 1_500 },
  { recent: 1_500, captured: 1_000, message: 1_000 },
  { recent: 500, captured: 200, message: 400 },
  { recent: 0, captured: 0, message: 150 },
] as const;

/** Says why an agent did not complete, in at most `maxLength` characters of JSON where that is possible at all. */
export async function failurePayload(
  view: ViewedTask & { readonly task: FinishedTask },
  maxLength: number,
): Promise<AgentErrorPayload> {
  const recent = await recentOutput(view, RECENT_LINES);
  const payloads = STEPS.map((step) => payload(view, step, recent));
  return payloads.find((one) => JSON.stringify(one).length <= maxLength) ?? bare(view);
}

/** Tells whether the task of a view has ended. */
export function hasEnded(view: ViewedTask): view is ViewedTask & { readonly task: FinishedTask } {
  return isFinished(view.task);
}

function payload(
  view: ViewedTask & { readonly task: FinishedTask },
  step: typeof STEPS[number],
  recent: readonly string[],
): AgentErrorPayload {
  const { task, directory } = view;
  const { outcome } = task.state;
  const log = task.spec.agentLog === undefined ? {} : { log_file: task.spec.agentLog };
  const words = outcome.failure === undefined ? "" : failureMessage(view, outcome.failure);
  const message = cutMiddle(wordsOf(task, words), step.message, directory.eventsFile);
  const own = {
    failure_class: outcome.failure?.class,
    retryable: outcome.failure?.retryable,
    action: outcome.failure?.action,
    thread_id: threadIdOf(view) ?? undefined,
  };
  const shown = takeFitting(recent.toReversed(), step.recent).shown.toReversed();
  const captured = view.answer === null || step.captured === 0
    ? null
    : cutMiddle(view.answer, step.captured, directory.answerFile);
  switch (outcome.status) {
    case "timed_out":
      return {
        code: "agent_timeout",
        kind: "timeout_error",
        message,
        ...log,
        details: {
          timeout_seconds: task.spec.timeoutMs / 1000,
          elapsed_seconds: agentSeconds(task, task.state.endedAt),
          ...own,
        },
      };
    case "cancelled":
      return { code: "killed_by_user", kind: "runtime_error", message, ...log, details: own };
    default: {
      const isExit = outcome.exitCode !== null && outcome.exitCode !== 0;
      const code = isExit ? "agent_non_zero_exit" : hasNotStarted(task) ? "process_start_failed" : "unexpected_error";
      const details = {
        command: step.recent === 0 ? [] : commandOf(task, directory),
        exit_code: outcome.exitCode,
        recent_output: shown,
        captured_output: captured,
        ...own,
      };
      return { code, kind: "runtime_error", message, ...log, details };
    }
  }
}

function bare({ task }: ViewedTask & { readonly task: FinishedTask }): AgentErrorPayload {
  const isTimeout = task.state.outcome.status === "timed_out";
  return {
    code: isTimeout ? "agent_timeout" : "unexpected_error",
    kind: isTimeout ? "timeout_error" : "runtime_error",
    message: `Codex agent ${task.state.outcome.status}`,
  };
}

function wordsOf(task: FinishedTask, failure: string): string {
  const { outcome } = task.state;
  const reason = failure === "" ? "" : `: ${failure}`;
  switch (outcome.status) {
    case "timed_out":
      return `Codex agent timed out after ${task.spec.timeoutMs / 1000} seconds`;
    case "cancelled":
      return "Codex agent was killed";
    case "interrupted":
      return `Codex agent was interrupted${reason}`;
    default:
      return outcome.exitCode === null || outcome.exitCode === 0
        ? `Codex agent failed${reason}`
        : `Codex agent exited with code ${outcome.exitCode}${reason}`;
  }
}

function hasNotStarted({ state }: FinishedTask): boolean {
  return state.startedAt === null;
}

/** The command line that the agent had; the prompt came through stdin. */
function commandOf(task: Task, directory: ViewedTask["directory"]): string[] {
  const { spec } = task;
  const args = codexArgs({
    spec,
    taskId: task.id,
    depth: task.depth,
    files: {
      ...(spec.outputSchema === undefined ? {} : { outputSchema: directory.outputSchemaFile }),
      ...(spec.baseInstructions === undefined ? {} : { baseInstructions: directory.baseInstructionsFile }),
    },
    isFlagSupported: () => true,
  });
  const shown = args.map((arg, index) => cutEnd(args[index - 1] === "-c" ? maskConfigValue(arg) : arg, 200));
  return ["codex", ...takeFitting(shown, 1_500).shown];
}
