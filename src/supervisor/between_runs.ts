/** What becomes of a task between two of its runs. */
import type { Task } from "../task/task.ts";
import { awaitRun, unstartRun } from "../task/transitions.ts";
import { saveTask, stopReasonOf } from "./end_task.ts";
import type { FollowedTask } from "./followed_task.ts";
import type { EndTaskServices } from "./services.ts";

/** Nothing runs from now on until the next run begins. */
export async function awaitNextRun(
  followed: FollowedTask,
  next: Parameters<typeof awaitRun>[1],
  { log, bell }: Pick<EndTaskServices, "log" | "bell">,
): Promise<void> {
  followed.update(awaitRun(followed.task, next));
  await saveTask(followed, log);
  await bell.ring(followed.task.id);
}

/** Nothing has been started: the task is as it was before. */
export async function takeBackRun(
  followed: FollowedTask,
  before: Task,
  { log }: Pick<EndTaskServices, "log">,
): Promise<void> {
  followed.update(unstartRun(followed.task, before));
  await saveTask(followed, log);
}

/** Tells whether the task is to have no further run, whoever has stopped it. */
export async function isStopped(
  followed: FollowedTask,
  { closing }: Pick<EndTaskServices, "closing">,
): Promise<boolean> {
  const reason = await stopReasonOf(followed);
  if (reason !== undefined) followed.noteStop(reason);
  else if (closing.aborted && followed.task.spec.lifetime === "server-bound") followed.noteStop("server_exit");
  return followed.stopReason !== undefined;
}
