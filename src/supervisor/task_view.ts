/** What can be told of a task at one moment. */
import type { TaskDirectory } from "../storage/task_directory.ts";
import { type FinishedTask, isFinished, type Progress, type Task } from "../task/task.ts";
import type { FollowedTask } from "./followed_task.ts";

/** A task as it stands now. */
export interface TaskView {
  readonly task: Task;
  readonly progress: Progress;
  /** The agent's final message, whole; while it works, its last one. */
  readonly answer: string | null;
  /** From 1; `null` unless it is queued here. */
  readonly queuePosition: number | null;
  /** When Codex last wrote an event. */
  readonly lastEventAt: Date | null;
  readonly directory: TaskDirectory;
}

/** Looks at a task that is followed; `queuePosition` is its place in this server's queue. */
export async function viewFollowed(followed: FollowedTask, queuePosition: number | null): Promise<TaskView> {
  const progress = await followed.refresh();
  const { task, directory } = followed;
  // The whole answer was seen here, should it not have been possible to save it.
  if (isFinished(task)) return await viewFinished(task, directory, progress.lastMessage);
  const lastEventAt = await directory.lastEventAt();
  return { task, progress, answer: progress.lastMessage, queuePosition, lastEventAt, directory };
}

/** Looks at a task that has ended; `seen` stands in for an answer that was not saved. */
export async function viewFinished(
  task: FinishedTask,
  directory: TaskDirectory,
  seen: string | null = null,
): Promise<TaskView> {
  const answer = await directory.readAnswer() ?? seen;
  return { task, progress: task.state.progress, answer, queuePosition: null, lastEventAt: null, directory };
}
