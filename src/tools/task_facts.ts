/** What is worked out of a task for its data and its text alike. */
import type { TaskView } from "../supervisor/task_view.ts";
import type { Usage } from "../task/event.ts";
import { type Failure, type FinishedState, isFinished, type Task } from "../task/task.ts";
import { cutEnd, cutMiddle } from "./bounded_text.ts";

/** Longest texts of the live status, in characters: those of codex-mcp-swarm. */
export const MAX_COMMAND = 120;
export const MAX_THINKING = 200;
export const MAX_OUTPUT = 300;
const MAX_FAILURE = 1_000;

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

/** Tells whether a run ended without anybody having seen its exit code. */
export function isExitCodeLost({ startedAt, outcome }: FinishedState): boolean {
  return startedAt !== null && outcome.exitCode === null;
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
