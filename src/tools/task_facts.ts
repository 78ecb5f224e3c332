/** What is worked out of a task for its data and its text alike. */
import { describeExitCode } from "../codex/outcome.ts";
import type { TaskView } from "../supervisor/task_view.ts";
import { type Failure, type FinishedState, isFinished, type Outcome, type Task } from "../task/task.ts";
import type { FileChange, PlanStep, Usage } from "../task/event.ts";
import { cutEnd, cutInner, cutMiddle, takeFitting } from "./bounded_text.ts";

/** Longest texts of the live status, in characters: those of codex-mcp-swarm. */
export const MAX_COMMAND = 120;
export const MAX_THINKING = 200;
export const MAX_OUTPUT = 300;
const MAX_FAILURE = 1_000;
/** Longest texts that agents and callers decide on, each by itself and, as JSON, all of a kind together. */
const MAX_NAME = 200;
const MAX_NOTE = 600;
const MAX_SENTENCE = 300;
const MAX_SENTENCES = 1_500;
const MAX_STEP = 200;
const MAX_PLAN = 2_000;
const MAX_PATH = 200;
const MAX_FILES = 2_500;
const MAX_WARNINGS = 3;

/** Seconds since the task was started or asked for, up to its end. */
export function elapsedSeconds(task: Task, now: Date): number {
  const { state } = task;
  const from = state.status === "queued" ? task.createdAt : state.startedAt ?? task.createdAt;
  const to = isFinished(task) ? task.state.endedAt : now;
  return Math.max(0, Math.round((to.getTime() - from.getTime()) / 1000));
}

/** The thread a task works in, as far as it is known. */
export function threadIdOf(view: TaskView): string | null {
  const threadId = view.progress.threadId ?? view.task.spec.resumeThreadId ?? null;
  return threadId === null ? null : cutEnd(threadId, MAX_NAME);
}

/** The caller's name for a task. */
export function labelOf({ spec }: Task): string | undefined {
  return spec.label === undefined ? undefined : cutEnd(spec.label, MAX_NAME);
}

/** The model that the caller asked for. */
export function modelOf({ spec }: Task): string | undefined {
  return spec.model === undefined ? undefined : cutEnd(spec.model, MAX_NAME);
}

/** Where a task works. */
export function cwdOf({ spec }: Task): string {
  return cutInner(spec.cwd, MAX_SENTENCE);
}

/** Tells whether a task that has not ended is stopped when the server that drives it ends. */
export function isBound(task: Task): boolean {
  return task.spec.lifetime === "server-bound" && !isFinished(task);
}

/** What the caller should know about how the call was understood. */
export function notesOf({ spec }: Task): readonly string[] {
  return takeFitting(spec.notes.map((note) => cutInner(note, MAX_NOTE)), MAX_SENTENCES).shown;
}

/** The newest warnings. */
export function warningsOf({ progress }: TaskView): readonly string[] {
  const newest = progress.warnings.slice(-MAX_WARNINGS);
  return takeFitting(newest.map((warning) => cutEnd(warning, MAX_SENTENCE)), MAX_SENTENCES).shown;
}

/** The plan's first steps, and how many others there are. */
export function planOf({ progress }: TaskView): { readonly shown: readonly PlanStep[]; readonly rest: number } {
  return takeFitting(progress.plan.map((step) => ({ ...step, text: cutEnd(step.text, MAX_STEP) })), MAX_PLAN);
}

/** The first changed files, and how many others there are. */
export function filesOf({ progress }: TaskView): { readonly shown: readonly FileChange[]; readonly rest: number } {
  const files = progress.filesChanged.map((change) => ({ ...change, path: cutInner(change.path, MAX_PATH) }));
  const { shown, rest } = takeFitting(files, MAX_FILES);
  return { shown, rest: rest + progress.filesChangedBeyond };
}

/** What an agent has left behind at its end, as long as nobody ends that. */
export function leftBehindOf({ outcome: { leftBehind } }: FinishedState): string | undefined {
  if (leftBehind === undefined) return undefined;
  return leftBehind === 1
    ? "1 process outlived the agent; codex_cancel ends it"
    : `${leftBehind} processes outlived the agent; codex_cancel ends them`;
}

/** What the output schema says of the answer. */
export function verdictOf({ outcome }: FinishedState): Outcome["outputSchemaVerdict"] {
  const verdict = outcome.outputSchemaVerdict;
  if (verdict === undefined) return undefined;
  const errors = verdict.errors.map((error) => cutEnd(error, MAX_SENTENCE));
  return { ...verdict, errors: takeFitting(errors, MAX_SENTENCES).shown };
}

/** The state of a task in one word; `waiting` for the end of a usage limit, be it in the queue or between two runs. */
export function statusOf({ task: { state }, waitingUntil }: TaskView): string {
  if (state.status !== "queued" && state.status !== "waiting") return state.status;
  return waitingUntil === null ? "queued" : "waiting";
}

/** The same from the record alone: a task that waits for its turn between two runs is queued. */
export function recordedStatus({ state }: Task, now: Date): string {
  if (state.status !== "waiting") return state.status;
  return state.until !== null && state.until > now ? "waiting" : "queued";
}

/** What the agent does right now, in a few words. */
export function phaseOf(view: TaskView): string {
  const { task, progress, queuePosition, waitingUntil } = view;
  if (isFinished(task)) return task.state.status;
  if (waitingUntil !== null) return `waiting until ${waitingUntil.toISOString()} (usage limit)`;
  if (view.isProbeAwaited) return "queued (until another run has found out whether the usage limit has lifted)";
  if (task.state.status !== "running") return queuePosition === null ? "queued" : `queued, position ${queuePosition}`;
  if (view.unnotedEnd !== null) return `agent ${unnotedWords(view)}`;
  if (view.isShimLost) return "running (shim lost)";
  if (progress.waitingForNetwork !== null) return "waiting for network";
  if (progress.currentCommand !== null) return `running(${cutEnd(progress.currentCommand, MAX_COMMAND)})`;
  return progress.turnStarted ? "running" : "starting";
}

/** What has become of an agent whose task its server still calls open. */
export function unnotedWords({ unnotedEnd }: TaskView): string {
  const code = unnotedEnd?.exitCode ?? null;
  const how = code === null ? "exit code not known yet" : `exit code ${describeExitCode(code)}`;
  const end = unnotedEnd === null ? "will not run any more" : `has ended (${how})`;
  return `${end}, which its server has not noted yet`;
}

/** Tells whether a run ended without anybody having seen its exit code. */
export function isExitCodeLost({ startedAt, outcome }: FinishedState): boolean {
  return startedAt !== null && outcome.exitCode === null;
}

/** Why a task failed, in Codex's words where it gave some, cut if these are very many. */
export function failureMessage({ directory }: TaskView, { message }: Failure): string {
  // JSON would write each of these in six characters.
  const words = message.replaceAll(/[^\P{Cc}\n\t]/gu, " ").toWellFormed();
  return cutMiddle(words, MAX_FAILURE, directory.eventsFile);
}

/** Commands, MCP tools and searches together. */
export function toolsCalled({ progress }: TaskView): number {
  return progress.commands + progress.mcpToolCalls + progress.webSearches;
}

/** Since when nothing has come from Codex; absent unless it runs. */
export function silentSeconds({ task, lastEventAt }: TaskView, now: Date): number | undefined {
  if (task.state.status !== "running") return undefined;
  return Math.max(0, Math.round((now.getTime() - (lastEventAt ?? task.state.startedAt).getTime()) / 1000));
}

/** What a run does that has written nothing for long; absent while it is not silent. */
export function silenceOf({ silence }: TaskView): string | undefined {
  if (silence === null) return undefined;
  const { silentMs, words, processState, isStalled } = silence;
  const stalled = isStalled ? "; stalled: no CPU time used, no files changed" : "";
  return `silent ${Math.round(silentMs / 1000)} s; ${words} (process ${cutEnd(processState, MAX_NAME)})${stalled}`;
}

/** Token counts on the wire. */
type UsageWire = Readonly<
  Record<"input_tokens" | "cached_input_tokens" | "output_tokens" | "reasoning_output_tokens", number>
>;

/** The task's own share, and on a continued thread what Codex has counted since its beginning. */
interface UsageData {
  readonly this_task: UsageWire;
  readonly thread_total?: UsageWire;
}

/** Codex counts a thread's tokens from its beginning; the task's own share is what came on top. */
export function usageData({ task, progress }: TaskView): UsageData | undefined {
  const total = progress.usage;
  if (total === null) return undefined;
  const before = task.spec.usageBefore;
  return {
    this_task: usageWire(
      before === null ? total : {
        inputTokens: Math.max(0, total.inputTokens - before.inputTokens),
        cachedInputTokens: Math.max(0, total.cachedInputTokens - before.cachedInputTokens),
        outputTokens: Math.max(0, total.outputTokens - before.outputTokens),
        reasoningOutputTokens: Math.max(0, total.reasoningOutputTokens - before.reasoningOutputTokens),
      },
    ),
    thread_total: usageWire(total),
  };
}

function usageWire(usage: Usage): UsageWire {
  return {
    input_tokens: usage.inputTokens,
    cached_input_tokens: usage.cachedInputTokens,
    output_tokens: usage.outputTokens,
    reasoning_output_tokens: usage.reasoningOutputTokens,
  };
}
