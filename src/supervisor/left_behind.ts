import type { Log } from "../log.ts";
import type { RunHost } from "../process/run_host.ts";
import { mayLeaveBehind, type Outcome } from "../task/task.ts";
import type { FollowedTask } from "./followed_task.ts";
import { isPassing, patiently } from "./start_trouble.ts";

/**
 * Adds to the outcome how many processes have outlived their agent. In a sandbox they all end with it, and with a task
 * that is stopped all that belongs to it: that is not told before nobody is left.
 */
export async function withLeftBehind(
  followed: FollowedTask,
  outcome: Outcome,
  { host, log }: { readonly host: Pick<RunHost, "countLeftBehind" | "stop">; readonly log: Log },
): Promise<Outcome> {
  const { task, directory: { path: directory } } = followed;
  if (!mayLeaveBehind(task) || task.state.status === "queued") return outcome;
  const { stopReason: reason } = outcome;
  if (reason === undefined) {
    try {
      const leftBehind = await host.countLeftBehind(directory);
      return leftBehind === 0 ? outcome : { ...outcome, leftBehind };
    } catch (error) {
      // What passes is tried again with the whole end of the task.
      if (isPassing(error)) throw error;
      log.error("what a task has left behind could not be counted", { id: task.id, error });
      return outcome;
    }
  }
  try {
    // Whoever else has stopped it, its shim or another server, may still be at it, or may have been killed half-way.
    // What came to nothing, or to an end that nobody has seen, is tried once more.
    const report = await followed.stopping?.catch(() => null);
    if (report?.isGone !== true) await patiently(() => host.stop({ directory, reason }));
  } catch (error) {
    log.error("what a stopped task may have left behind could not be ended", { id: task.id, error });
  }
  return outcome;
}
