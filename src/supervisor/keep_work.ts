import type { KeptWork } from "../task/task.ts";
import type { FollowedTask } from "./followed_task.ts";
import type { RunTaskServices } from "./services.ts";

/** Keeps what a task's agent has done in its worktree, if it has one. Never throws. */
export async function keepWork(
  { task, directory, progress }: FollowedTask,
  { worktrees }: Pick<RunTaskServices, "worktrees">,
): Promise<KeptWork | undefined> {
  if (task.spec.worktree === undefined) return undefined;
  const prompt = await directory.readInput("prompt.txt").catch(() => "");
  const { threadId, lastMessage } = progress;
  return await worktrees.keep({ task, prompt, threadId, lastMessage });
}
