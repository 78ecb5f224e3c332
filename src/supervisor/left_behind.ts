import type { RunHost } from "../process/run_host.ts";
import { mayLeaveBehind, type Outcome } from "../task/task.ts";
import type { FollowedTask } from "./followed_task.ts";

/**
 * Adds to the outcome how many processes have outlived their agent. In a sandbox they all end with it, and with a task
 * that is stopped all that belongs to it.
 */
export async function withLeftBehind(
  { task, directory }: FollowedTask,
  outcome: Outcome,
  host: Pick<RunHost, "countLeftBehind">,
): Promise<Outcome> {
  if (!mayLeaveBehind(task) || outcome.stopReason !== undefined) return outcome;
  const leftBehind = await host.countLeftBehind(directory.path);
  return leftBehind === 0 ? outcome : { ...outcome, leftBehind };
}
