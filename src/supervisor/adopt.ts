/** A task that a server which is gone has left in its queue. */
import type { CodexProbe } from "../codex/probe.ts";
import { failTask } from "./end_task.ts";
import type { FollowedTask } from "./followed_task.ts";
import type { Runnable } from "./run_task.ts";
import type { RunTaskServices } from "./services.ts";
import { lookAtTask, watchTask } from "./watch_task.ts";

/** Runs the task to its end as it was asked for, or says why that is impossible now. This server holds its lock. */
export async function runAdopted(
  followed: FollowedTask,
  services: RunTaskServices & {
    readonly probe: () => Promise<CodexProbe>;
    readonly drive: (runnable: Runnable) => Promise<void>;
  },
): Promise<void> {
  // Its server may have got further, or another one been faster, since it was read: nothing is started twice.
  if (await lookAtTask(followed, services, { isOwner: true })) return;
  if (followed.task.state.status !== "queued") return await watchTask(followed, services, { isOwner: true });
  const { envNames } = followed.task.spec;
  if (envNames.length > 0) {
    const reason = `its server has ended, and with it the values of ${envNames.join(", ")}; start it again`;
    return await failTask(followed, new Error(reason), services);
  }
  let probe: CodexProbe;
  try {
    probe = await services.probe();
  } catch (error) {
    return await failTask(followed, error, services);
  }
  await services.drive({ env: {}, probe });
}
