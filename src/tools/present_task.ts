/** Turns a task into data: everything a model needs to know of it. */
import { failureCategory } from "../codex/failure.ts";
import type { TaskView } from "../supervisor/supervisor.ts";
import { type Failure, type FinishedState, isFinished, type Task } from "../task/task.ts";
import type { Usage } from "../task/event.ts";
import { boundedAnswers } from "./bounded_answers.ts";
import { cutEnd, cutMiddle, jsonLength } from "./bounded_text.ts";
import type { ViewedTask } from "./viewed_task.ts";

/** Longest texts of the live status, in characters: those of codex-mcp-swarm. */
export const MAX_COMMAND = 120;
export const MAX_THINKING = 200;
export const MAX_OUTPUT = 300;
const MAX_FILES = 50;
const MAX_FAILURE = 1_000;
/** An answer's least share when not all tasks fit. */
const MIN_ANSWER = 400;

/** Seconds since the task was started or asked for, up to its end. */
export function elapsedSeconds(task: Task, now: Date): number {
  const { state } = task;
  const from = state.status === "queued" ? task.createdAt : state.startedAt ?? task.createdAt;
  const to = isFinished(task) ? task.state.endedAt : now;
  return Math.max(0, Math.round((to.getTime() - from.getTime()) / 1000));
}

/** The thread a task works in, as far as it is known. */
export function threadIdOf(view: TaskView): string | null {
  return view.progress.threadId ?? view.task.spec.resumeThreadId ?? null;
}

/** What the agent does right now, in a few words. */
export function phaseOf(view: TaskView): string {
  const { task, progress, queuePosition } = view;
  if (isFinished(task)) return task.state.status;
  if (task.state.status === "queued") return queuePosition === null ? "queued" : `queued, position ${queuePosition}`;
  if (progress.waitingForNetwork !== null) return "waiting for network";
  if (progress.currentCommand !== null) return `running(${cutEnd(progress.currentCommand, MAX_COMMAND)})`;
  return progress.turnStarted ? "running" : "starting";
}

/** The data of one task; `answer` has been cut to fit already. */
export function taskData(view: ViewedTask, now: Date, answer: string | null): Record<string, unknown> {
  const { task, progress, directory } = view;
  const { spec, state } = task;
  return withoutEmpty({
    task_id: task.id,
    status: state.status,
    label: spec.label,
    thread_id: threadIdOf(view),
    elapsed_seconds: elapsedSeconds(task, now),
    queue_position: view.queuePosition,
    phase: isFinished(task) ? undefined : phaseOf(view),
    answer,
    answer_file: isFinished(task) && view.answer !== null ? directory.answerFile : undefined,
    ...(isFinished(task) ? outcomeData(view, task.state) : {}),
    current_command: optionalText(progress.currentCommand, MAX_COMMAND),
    last_command: progress.lastCommand === null ? undefined : {
      command: cutEnd(progress.lastCommand.command, MAX_COMMAND),
      exit_code: progress.lastCommand.exitCode,
    },
    last_reasoning: isFinished(task) ? undefined : optionalText(progress.lastReasoning, MAX_THINKING),
    plan: isFinished(task) ? undefined : progress.plan,
    files_changed: progress.filesChanged.slice(0, MAX_FILES),
    files_changed_not_shown: Math.max(0, progress.filesChanged.length - MAX_FILES) + progress.filesChangedBeyond,
    tools_called: toolsCalled(view),
    sub_agents: progress.subAgents,
    waiting_for_network: isFinished(task) ? undefined : progress.waitingForNetwork,
    silent_seconds: silentSeconds(view, now),
    usage: usageData(view),
    warnings: progress.warnings,
    unreadable_events: progress.unreadableEvents,
    cwd: spec.cwd,
    model: spec.model,
    sandbox: spec.effectiveSandbox,
    lifetime: spec.lifetime,
    notes: spec.notes,
    started_at: state.status === "queued" ? undefined : state.startedAt?.toISOString(),
    ended_at: isFinished(task) ? task.state.endedAt.toISOString() : undefined,
    events_file: directory.eventsFile,
  });
}

/** What is surely known of a task that was just started. */
export function startedData({ id, spec, state }: Task): Record<string, unknown> {
  return withoutEmpty({
    task_id: id,
    status: state.status,
    label: spec.label,
    cwd: spec.cwd,
    model: spec.model,
    sandbox: spec.effectiveSandbox,
    lifetime: spec.lifetime,
    notes: spec.notes,
  });
}

/** What must be told of a task even among very many. */
function briefTaskData(view: TaskView, now: Date, answer: string | null): Record<string, unknown> {
  const { task } = view;
  return withoutEmpty({
    task_id: task.id,
    status: task.state.status,
    label: task.spec.label,
    thread_id: threadIdOf(view),
    elapsed_seconds: elapsedSeconds(task, now),
    phase: isFinished(task) ? undefined : phaseOf(view),
    answer,
    answer_file: isFinished(task) && view.answer !== null ? view.directory.answerFile : undefined,
    failure: isFinished(task) ? failureData(view, task.state) : undefined,
  });
}

/** Data of several tasks, at most about `maxLength` characters of JSON; `shown` is how many of them fitted. */
export function boundedTaskData(
  views: readonly ViewedTask[],
  options: { readonly now: Date; readonly maxLength: number; readonly isBrief?: boolean },
): { readonly tasks: Record<string, unknown>[]; readonly shown: number } {
  const { now, maxLength } = options;
  for (const describe of options.isBrief === true ? [briefTaskData] : [taskData, briefTaskData]) {
    const room = maxLength - JSON.stringify(views.map((view) => describe(view, now, null))).length;
    const wanted = views.reduce((sum, { answer }) => sum + jsonLength(answer ?? ""), 0);
    // The answers are what the caller waits for: details give way when they would take more than half of the room.
    if (room < Math.min(wanted, maxLength / 2)) continue;
    const answers = boundedAnswers(views, room, jsonLength);
    return { tasks: views.map((view, index) => describe(view, now, answers[index] ?? null)), shown: views.length };
  }
  const tasks: Record<string, unknown>[] = [];
  let length = 0;
  for (const view of views) {
    const task = briefTaskData(view, now, boundedAnswers([view], MIN_ANSWER, jsonLength)[0] ?? null);
    length += JSON.stringify(task).length + 1;
    if (tasks.length > 0 && length > maxLength) break;
    tasks.push(task);
  }
  return { tasks, shown: tasks.length };
}

/** Tells whether a run ended without anybody having seen its exit code. */
export function isExitCodeLost({ startedAt, outcome }: FinishedState): boolean {
  return startedAt !== null && outcome.exitCode === null;
}

function outcomeData(view: ViewedTask, state: FinishedState): Record<string, unknown> {
  const { outcome } = state;
  const failure = failureData(view, state);
  return {
    exit_code: outcome.exitCode,
    exit_code_lost: isExitCodeLost(state) ? true : undefined,
    status_inferred: outcome.statusInferred ? true : undefined,
    stop_reason: outcome.stopReason,
    failure: failure === undefined || view.stderrTail === "" ? failure : { ...failure, stderr_tail: view.stderrTail },
    output_schema_verdict: outcome.outputSchemaVerdict,
  };
}

function failureData(view: TaskView, { outcome: { failure } }: FinishedState): Record<string, unknown> | undefined {
  if (failure === undefined) return undefined;
  return withoutEmpty({
    class: failure.class,
    category: failureCategory(failure),
    message: failureMessage(view, failure),
    retryable: failure.retryable,
    action: failure.action,
    resets_at: failure.resetsAt?.toISOString(),
  });
}

/** Why a task failed, in Codex's words where it gave some, cut if these are very many. */
export function failureMessage({ directory }: TaskView, { message }: Failure): string {
  return cutMiddle(message, MAX_FAILURE, directory.eventsFile);
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

function optionalText(text: string | null, maxLength: number): string | undefined {
  return text === null ? undefined : cutEnd(text, maxLength);
}

/** Leaves out what says nothing: undefined, null (an answer or an exit code aside, it is named where it matters), zero counts and empty lists. */
function withoutEmpty(data: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(data).filter(([name, value]) => {
      if (value === undefined) return false;
      if (value === null) return name === "exit_code";
      if (Array.isArray(value)) return value.length > 0;
      return !(value === 0 && name !== "elapsed_seconds" && name !== "exit_code" && name !== "tools_called");
    }),
  );
}
