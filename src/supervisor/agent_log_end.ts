/** What the log of an agent says of its end. Pure. */
import { describeExitCode } from "../codex/outcome.ts";
import type { FinishedTask } from "../task/task.ts";
import type { LogLineLevel } from "./agent_log_lines.ts";

/** Longest answer that codex-as-mcp's tools give whole, in characters. */
export const MAX_OUTPUT = 4_000;

/** A line that is still without its time. */
export interface EndLine {
  readonly form: "text" | "json";
  readonly level: LogLineLevel;
  readonly event: string;
  readonly message: string;
  readonly context?: Readonly<Record<string, unknown>>;
}

/** Gives the last lines of a log. `answer` is the agent's final message; `stdout` and `stderr` count lines. */
export function endLines(
  task: FinishedTask,
  seen: { readonly answer: string | null; readonly stdout: number; readonly stderr: number },
): EndLine[] {
  const { state, spec } = task;
  const { outcome } = state;
  const elapsed = (state.endedAt.getTime() - (state.startedAt ?? task.createdAt).getTime()) / 1000;
  const context = {
    exit_code: outcome.exitCode,
    elapsed_seconds: Math.max(0, Math.round(elapsed)),
    thread_id: state.progress.threadId,
    stdout_lines: seen.stdout,
    stderr_lines: seen.stderr,
  };
  if (outcome.status === "completed") {
    return [...answerLines(seen.answer), line("INFO", "agent_complete", "Agent completed", context)];
  }
  const reason = outcome.failure?.message ?? `Codex ended with ${exitWords(outcome.exitCode)}`;
  const failed = line(
    outcome.status === "cancelled" ? "WARNING" : "ERROR",
    "agent_failed",
    outcome.status === "cancelled" ? "Agent was killed" : reason,
    { ...context, status: outcome.status, class: outcome.failure?.class, action: outcome.failure?.action },
  );
  if (outcome.status === "timed_out") {
    const limits = { timeout_seconds: spec.timeoutMs / 1000, elapsed_seconds: context.elapsed_seconds };
    const words = `Agent was stopped after ${context.elapsed_seconds}s, its time limit`;
    return [line("ERROR", "timeout", words, limits), failed];
  }
  const hasNotStarted = outcome.status === "failed" && state.startedAt === null;
  return hasNotStarted ? [line("ERROR", "process_start_failed", reason), failed] : [failed];
}

function answerLines(answer: string | null): EndLine[] {
  if (answer === null || answer.trim() === "") {
    return [line("WARNING", "output_missing", "Codex ended without a final message")];
  }
  const length = characters(answer);
  const check: EndLine = {
    form: "text",
    level: "INFO",
    event: "output_check",
    message: `the final message has ${length} characters`,
  };
  if (length <= MAX_OUTPUT) return [check];
  const words = `Output truncated: ${length} chars total, showing first ${MAX_OUTPUT}`;
  return [check, line("INFO", "output_truncated", words)];
}

function line(
  level: LogLineLevel,
  event: string,
  message: string,
  context: Readonly<Record<string, unknown>> = {},
): EndLine {
  return { form: "json", level, event, message, context };
}

function exitWords(exitCode: number | null): string {
  return exitCode === null ? "an unknown exit code" : `exit code ${describeExitCode(exitCode)}`;
}

/** As Python counts them. */
export function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
