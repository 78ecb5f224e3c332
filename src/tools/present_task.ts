/** Turns a task into data: everything a model needs to know of it. */
import { failureCategory } from "../codex/failure_category.ts";
import type { TaskView } from "../supervisor/task_view.ts";
import { type FinishedState, isFinished, type Task } from "../task/task.ts";
import { boundedAnswers } from "./bounded_answers.ts";
import { cutEnd, jsonLength } from "./bounded_text.ts";
import {
  cwdOf,
  elapsedSeconds,
  failureMessage,
  filesOf,
  isExitCodeLost,
  labelOf,
  leftBehindOf,
  MAX_COMMAND,
  MAX_THINKING,
  modelOf,
  notesOf,
  phaseOf,
  planOf,
  silenceOf,
  silentSeconds,
  statusOf,
  threadIdOf,
  toolsCalled,
  usageData,
  verdictOf,
  warningsOf,
} from "./task_facts.ts";
import type { ViewedTask } from "./viewed_task.ts";
import { conflictingIds, overlapData, worktreeData } from "./worktree_words.ts";

/** An answer's least share when not all tasks fit. */
const MIN_ANSWER = 400;

/** The data of one task, every text of which is bounded by itself; `answer` has been cut to fit already. */
function taskData(view: ViewedTask, now: Date, answer: string | null): Record<string, unknown> {
  const { task, progress, directory } = view;
  const { spec, state } = task;
  const plan = planOf(view);
  const files = filesOf(view);
  return withoutEmpty({
    task_id: task.id,
    status: statusOf(view),
    label: labelOf(task),
    thread_id: threadIdOf(view),
    elapsed_seconds: elapsedSeconds(task, now),
    queue_position: view.queuePosition,
    waiting_until: view.waitingUntil?.toISOString(),
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
    plan: isFinished(task) ? undefined : plan.shown,
    plan_steps_not_shown: isFinished(task) ? undefined : plan.rest,
    files_changed: files.shown,
    files_changed_not_shown: files.rest,
    tools_called: toolsCalled(view),
    sub_agents: progress.subAgents,
    waiting_for_network: isFinished(task) ? undefined : optionalText(progress.waitingForNetwork, MAX_THINKING),
    silent_seconds: silentSeconds(view, now),
    silence: silenceOf(view),
    stalled: view.silence?.isStalled === true ? true : undefined,
    usage: usageData(view),
    warnings: warningsOf(view),
    unreadable_events: progress.unreadableEvents,
    dropped_bytes: progress.droppedBytes,
    cwd: cwdOf(task),
    ...worktreeData(task),
    overlaps: overlapData(view.overlaps),
    model: modelOf(task),
    sandbox: spec.effectiveSandbox,
    lifetime: spec.lifetime,
    notes: notesOf(task),
    started_at: state.status === "queued" ? undefined : state.startedAt?.toISOString(),
    ended_at: isFinished(task) ? task.state.endedAt.toISOString() : undefined,
    events_file: directory.eventsFile,
  });
}

/** What is surely known of a task that was just started. */
export function startedData(task: Task): Record<string, unknown> {
  return withoutEmpty({
    task_id: task.id,
    status: task.state.status,
    label: labelOf(task),
    cwd: cwdOf(task),
    ...worktreeData(task),
    model: modelOf(task),
    sandbox: task.spec.effectiveSandbox,
    lifetime: task.spec.lifetime,
    notes: notesOf(task),
  });
}

/** What must be told of a task even among very many. */
function briefTaskData(view: ViewedTask, now: Date, answer: string | null): Record<string, unknown> {
  const { task } = view;
  return withoutEmpty({
    task_id: task.id,
    status: statusOf(view),
    label: labelOf(task),
    thread_id: threadIdOf(view),
    elapsed_seconds: elapsedSeconds(task, now),
    phase: isFinished(task) ? undefined : phaseOf(view),
    answer,
    answer_file: isFinished(task) && view.answer !== null ? view.directory.answerFile : undefined,
    worktree_branch: task.spec.worktree?.branch,
    conflicts_with: conflictingIds(view.overlaps),
    failure: isFinished(task) ? failureData(view, task.state) : undefined,
  });
}

/** What remains of a task where there is no room at all. */
function bareTaskData(view: TaskView): Record<string, unknown> {
  const { task, directory } = view;
  return withoutEmpty({
    task_id: task.id,
    status: statusOf(view),
    thread_id: threadIdOf(view),
    answer_file: isFinished(task) && view.answer !== null ? directory.answerFile : undefined,
  });
}

/** The data of one task without its answer, as much as fits into `maxLength` characters of JSON. */
export function boundedTask(
  view: ViewedTask,
  { now, maxLength }: { readonly now: Date; readonly maxLength: number },
): Record<string, unknown> {
  for (const describe of [taskData, briefTaskData]) {
    const data = describe(view, now, null);
    if (JSON.stringify(data).length <= maxLength) return data;
  }
  return bareTaskData(view);
}

/** Data of several tasks, at most `maxLength` characters of JSON; `shown` is how many of them fitted. */
export function boundedTaskData(
  views: readonly ViewedTask[],
  options: { readonly now: Date; readonly maxLength: number; readonly isBrief?: boolean },
): { readonly tasks: Record<string, unknown>[]; readonly shown: number } {
  const { now, maxLength } = options;
  for (const describe of options.isBrief === true ? [briefTaskData] : [taskData, briefTaskData]) {
    const bare = views.map((view) => describe(view, now, view.answer === null ? null : ""));
    const room = maxLength - JSON.stringify(bare).length;
    const wanted = views.reduce((sum, { answer }) => sum + jsonLength(answer ?? ""), 0);
    // The answers are what the caller waits for: details give way when they would take more than half of the room.
    if (room < Math.min(wanted, maxLength / 2)) continue;
    const answers = boundedAnswers(views, room, jsonLength);
    const tasks = views.map((view, index) => describe(view, now, answers[index] ?? null));
    // The words about the cuts take their room even when there is none.
    if (JSON.stringify(tasks).length <= maxLength) return { tasks, shown: views.length };
  }
  const tasks: Record<string, unknown>[] = [];
  let length = 0;
  for (const view of views) {
    const task = briefTaskData(view, now, boundedAnswers([view], MIN_ANSWER, jsonLength)[0] ?? null);
    length += JSON.stringify(task).length + 1;
    if (length <= maxLength) tasks.push(task);
    else {
      if (tasks.length === 0) tasks.push(bareTaskData(view));
      break;
    }
  }
  return { tasks, shown: tasks.length };
}

function outcomeData(view: ViewedTask, state: FinishedState): Record<string, unknown> {
  const { outcome } = state;
  const failure = failureData(view, state);
  return {
    exit_code: outcome.exitCode,
    exit_code_lost: isExitCodeLost(state) ? true : undefined,
    status_inferred: outcome.statusInferred ? true : undefined,
    stop_reason: outcome.stopReason,
    left_behind: leftBehindOf(state),
    failure: failure === undefined || view.stderrTail === "" ? failure : { ...failure, stderr_tail: view.stderrTail },
    output_schema_verdict: verdictOf(state),
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
