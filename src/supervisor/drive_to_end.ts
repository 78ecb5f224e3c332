import type { Log } from "../log.ts";
import type { AgentLogs } from "./agent_logs.ts";
import type { FollowedTask } from "./followed_task.ts";
import { NotForThisServer } from "./take_over.ts";
import type { TaskDrive } from "./task_drive.ts";

/**
 * Drives a task to its end, and writes its log for people; gives the reason when that is for another server. `check`
 * throws it before anything is done. Never rejects: whoever waits for the task hears what has failed.
 */
export async function driveToEnd(
  followed: FollowedTask,
  drive: TaskDrive,
  { check, logs, log }: {
    readonly check?: () => Promise<void>;
    readonly logs: AgentLogs;
    readonly log: Log;
  },
): Promise<NotForThisServer | null> {
  const { id } = followed.task;
  const over = new AbortController();
  try {
    await check?.();
    logs.write(followed, over.signal);
    await drive.toEnd();
    return null;
  } catch (error) {
    if (error instanceof NotForThisServer) {
      over.abort();
      // Whoever takes the task over goes on with it.
      await logs.whole(id);
      return error;
    }
    log.error("a task could not be driven to its end", { id, error });
    followed.fail(error);
    return null;
  } finally {
    over.abort();
  }
}
