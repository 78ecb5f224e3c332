/** Turns a task into text, in the layout of codex-mcp-swarm. */
import { failureCategory } from "../codex/failure_category.ts";
import { describeExitCode } from "../codex/outcome.ts";
import { type Failure, type FinishedState, isFinished } from "../task/task.ts";
import { cutEnd, cutStart } from "./bounded_text.ts";
import {
  elapsedSeconds,
  failureMessage,
  filesOf,
  labelOf,
  leftBehindOf,
  MAX_COMMAND,
  MAX_OUTPUT,
  MAX_THINKING,
  modelOf,
  phaseOf,
  planOf,
  silenceOf,
  silentSeconds,
  threadIdOf,
  toolsCalled,
  usageData,
  verdictOf,
} from "./task_facts.ts";
import type { ViewedTask } from "./viewed_task.ts";
import { overlapLines, worktreeLines } from "./worktree_words.ts";

/** The lines of codex-mcp-swarm's live status. */
export function statusText(view: ViewedTask, now: Date): string {
  const { task, progress } = view;
  const lines = [heading(view, now), ...threadLines(view)];
  const label = labelOf(task);
  if (label !== undefined) lines.push(`Label: ${label}`);
  lines.push(`Phase: ${phaseOf(view)}`);
  lines.push(...overlapLines(view.overlaps));
  const failure = isFinished(task) ? task.state.outcome.failure : undefined;
  if (failure !== undefined) lines.push(...failureLines(view, failure));
  lines.push(`Tools called: ${toolsCalled(view)}`);
  const command = progress.currentCommand ?? progress.lastCommand?.command;
  if (command !== undefined) lines.push(`Last tool: exec_command(${cutEnd(command, MAX_COMMAND)})`);
  if (progress.lastReasoning !== null) lines.push(`Thinking: ${cutStart(progress.lastReasoning, MAX_THINKING)}`);
  if (view.answer !== null) lines.push(`Output: ${cutStart(view.answer, MAX_OUTPUT)}`);
  if (isFinished(task)) lines.push(...leftBehindLines(task.state));
  if (progress.plan.length > 0) {
    const plan = planOf(view);
    const steps = plan.shown.map((step) => `[${step.completed ? "x" : " "}] ${step.text}`);
    lines.push(`Plan: ${[...steps, ...(plan.rest === 0 ? [] : [`… ${plan.rest} more`])].join("; ")}`);
  }
  if (progress.filesChanged.length > 0) {
    const shown = filesOf(view).shown.slice(0, 10).map(({ path, kind }) => `${kind} ${path}`);
    lines.push(`Files changed: ${progress.filesChanged.length + progress.filesChangedBeyond} (${shown.join(", ")})`);
  }
  if (progress.subAgents > 0) lines.push(`Sub-agents: ${progress.subAgents}`);
  const usage = usageData(view);
  if (usage !== undefined) {
    lines.push(`Tokens: ${usage.this_task.input_tokens} in, ${usage.this_task.output_tokens} out`);
  }
  const silent = silentSeconds(view, now);
  const silence = silenceOf(view);
  if (silence !== undefined) lines.push(`Silent: ${silence.replace("silent ", "")}`);
  else if (silent !== undefined && silent >= 10) lines.push(`Silent: ${silent}s`);
  const { mode, source } = task.spec.effectiveSandbox;
  lines.push(`Sandbox: ${mode} (${source})`);
  return lines.join("\n");
}

/** `=== Task … ===`, with what a wait or a status says of the task's state. */
function heading(view: ViewedTask, now: Date): string {
  const { task } = view;
  const seconds = elapsedSeconds(task, now);
  return `=== Task ${task.id} (${stateWords(view, seconds)}) ===`;
}

function stateWords(view: ViewedTask, seconds: number): string {
  const { task: { state } } = view;
  switch (state.status) {
    case "queued":
    case "waiting":
      return phaseOf(view);
    case "running":
      return `${seconds}s elapsed`;
    case "completed":
      return `COMPLETED in ${seconds}s`;
    case "failed":
      return `FAILED in ${seconds}s, exit ${exitWords(state)}`;
    case "cancelled":
      return `CANCELLED after ${seconds}s`;
    case "timed_out":
      return `TIMED OUT after ${seconds}s`;
    case "interrupted":
      return `INTERRUPTED after ${seconds}s`;
  }
}

function exitWords({ outcome }: FinishedState): string {
  return outcome.exitCode === null ? "unknown" : describeExitCode(outcome.exitCode);
}

/** `Thread ID:` and, for the tasks that have one, the worktree. */
function threadLines(view: ViewedTask): string[] {
  const threadId = threadIdOf(view);
  return [...(threadId === null ? [] : [`Thread ID: ${threadId}`]), ...worktreeLines(view.task)];
}

/** What `codex_wait` says of a task that has not ended; codex-mcp-swarm's words where the time was over. */
export function waitingText(view: ViewedTask, now: Date, isTimeOver: boolean): string {
  const { task } = view;
  const isRunning = task.state.status === "running";
  const running = view.unnotedEnd === null ? "STILL RUNNING" : `STILL OPEN: ${phaseOf(view)}`;
  const still = view.waitingUntil === null ? "STILL QUEUED" : "STILL WAITING";
  const start = isRunning ? `=== Task ${task.id} === ${running}` : `${heading(view, now)} ${still}`;
  const reason = isTimeOver ? "wait timed out, " : "";
  return `${start} (${reason}task is NOT killed -- call codex_wait again to resume waiting)`;
}

/** The result of an ended task as `codex_wait` words it. */
export function resultText(view: ViewedTask, now: Date, answer: string | null): string {
  const { task } = view;
  if (!isFinished(task)) throw new Error(`task ${task.id} has not ended`);
  const { outcome } = task.state;
  // codex-mcp-swarm words a completed task in lower case here, and in upper case in its status.
  const lines = [
    outcome.status === "completed"
      ? `=== Task ${task.id} (completed in ${elapsedSeconds(task, now)}s) ===`
      : heading(view, now),
    ...threadLines(view),
  ];
  if (outcome.failure !== undefined) lines.push(...failureLines(view, outcome.failure));
  if (outcome.status === "completed") lines.push(answer ?? "No output from Codex");
  else if (answer !== null) lines.push(`Partial output (before failure): ${cutStart(answer, MAX_OUTPUT)}`);
  lines.push(...verdictLines(task.state), ...leftBehindLines(task.state));
  return lines.join("\n");
}

/** codex-mcp-swarm's failure block. */
export function failureLines(view: ViewedTask, failure: Failure): string[] {
  const model = modelOf(view.task);
  const { state } = view.task;
  const isFurther = "run" in state && state.run > 1;
  const runs = isFurther ? `this was run ${state.run} of the task` : "the wrapper did not retry";
  return [
    ...(model === undefined ? [] : [`Model: ${model}`]),
    `Cause: ${failureMessage(view, failure)}`,
    `Category: ${failureCategory(failure)}`,
    `Retryable: ${failure.retryable ? "yes" : "no"} (informational only; ${runs})`,
    `Action: ${failure.action}`,
    ...(view.stderrTail === "" ? [] : [`stderr: ${view.stderrTail}`]),
  ];
}

/** What the output schema says of the answer. */
export function verdictLines(state: FinishedState): string[] {
  const verdict = verdictOf(state);
  if (verdict === undefined) return [];
  return [verdict.valid ? "Output schema: valid" : `Output schema: INVALID (${verdict.errors.join("; ")})`];
}

/** What the agent has left behind. */
export function leftBehindLines(state: FinishedState): string[] {
  const words = leftBehindOf(state);
  return words === undefined ? [] : [`Left behind: ${words}`];
}

/** How a blocking tool words an end that is no answer. */
export function headline(state: FinishedState): string {
  switch (state.status) {
    case "completed":
      return "Codex completed";
    case "failed":
      return `Codex FAILED (exit ${exitWords(state)})`;
    case "cancelled":
      return "Cancelled by client";
    case "timed_out":
      return "Error: Codex execution timed out";
    case "interrupted":
      return "Codex was INTERRUPTED";
  }
}
