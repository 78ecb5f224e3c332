/** What can be told of a task at one moment. */
import { readExit, readNotedRun } from "../process/run_files.ts";
import type { TaskDirectory } from "../storage/task_directory.ts";
import { type FinishedTask, isFinished, type Progress, type Task } from "../task/task.ts";
import { FollowedTask } from "./followed_task.ts";
import { pause } from "../process/pause.ts";
import type { Silence } from "./rounds.ts";

/** How long a look waits for events to be read that have piled up; the rest is told the next time. */
const READ_MS = 100;

/** How the agent has ended of a task that is still noted as running. */
export interface UnnotedEnd {
  /** `null` where nobody knows it yet. */
  readonly exitCode: number | null;
}

/** A task as it stands now. */
export interface TaskView {
  readonly task: Task;
  readonly progress: Progress;
  /** The agent's final message, whole; while it works, its last one. */
  readonly answer: string | null;
  /** From 1; `null` unless it is queued here. */
  readonly queuePosition: number | null;
  /** The usage limit of its account lifts then; `null` unless it waits for that, queued or between two runs. */
  readonly waitingUntil: Date | null;
  /** It waits for another run of its account, which finds out whether a usage limit has lifted. */
  readonly isProbeAwaited: boolean;
  /** When Codex last wrote an event. */
  readonly lastEventAt: Date | null;
  /** `null` while it is not silent for long. */
  readonly silence: Silence | null;
  /** The agent runs, but nobody will see its exit code. */
  readonly isShimLost: boolean;
  /** The agent of a running task has ended, which the server that drives it has not written down yet. */
  readonly unnotedEnd: UnnotedEnd | null;
  /** Of the agent that runs, or has run last. */
  readonly agentPid: number | null;
  readonly directory: TaskDirectory;
}

/** Looks at a task that is followed. */
export async function viewFollowed(
  followed: FollowedTask,
  { queuePosition, limitedUntil, silence, now }: {
    readonly queuePosition: number | null;
    readonly limitedUntil: Date | null;
    readonly silence: Silence | null;
    readonly now: Date;
  },
): Promise<TaskView> {
  const over = new AbortController();
  await Promise.race([followed.refresh(), pause(READ_MS, over.signal)]);
  over.abort();
  const { task, directory, progress } = followed;
  if (isFinished(task)) return await viewFinished(task, directory, progress.lastMessage);
  const isRunning = task.state.status === "running";
  const unnotedEnd = await unnotedEndOf(followed);
  const until = task.state.status === "waiting" ? limitedUntil ?? task.state.until : limitedUntil;
  return {
    task,
    progress,
    answer: progress.lastMessage,
    queuePosition: isRunning ? null : queuePosition,
    waitingUntil: !isRunning && until !== null && until > now ? until : null,
    // Who finds it out has a place in the queue, or has left it.
    isProbeAwaited: !isRunning && limitedUntil !== null && limitedUntil <= now && queuePosition === null,
    lastEventAt: directory.lastEventAt(),
    silence: unnotedEnd === null ? silence : null,
    isShimLost: isRunning && followed.isShimLost,
    unnotedEnd,
    agentPid: isRunning ? (await readNotedRun(directory.path))?.agent.pid ?? null : null,
    directory,
  };
}

/** What its files, or who stopped it, tell of a run, while its record says that it goes on. */
async function unnotedEndOf(
  { task: { state }, directory, isAgentGone }: FollowedTask,
): Promise<UnnotedEnd | null> {
  if (state.status !== "running") return null;
  const exit = await readExit(directory.path, state.run);
  if (exit !== null) return { exitCode: exit.exitCode };
  return isAgentGone ? { exitCode: null } : null;
}

/** Where there was no room for the answer's own file it stands only in the events. */
async function savedAnswer(task: FinishedTask, directory: TaskDirectory): Promise<string | null> {
  return await directory.readAnswer() ?? (await new FollowedTask(task, directory).readToEnd()).lastMessage;
}

/** Looks at a task that has ended; `seen` is its answer if this server has read it from the events itself. */
export async function viewFinished(
  task: FinishedTask,
  directory: TaskDirectory,
  seen: string | null = null,
): Promise<TaskView> {
  const answer = seen ?? (task.state.hasAnswer === false ? null : await savedAnswer(task, directory));
  return {
    task,
    progress: task.state.progress,
    answer,
    queuePosition: null,
    waitingUntil: null,
    isProbeAwaited: false,
    lastEventAt: null,
    silence: null,
    isShimLost: false,
    unnotedEnd: null,
    agentPid: null,
    directory,
  };
}
