import type { CodexRun } from "../codex/run_codex.ts";
import { watchUntil } from "../storage/changes.ts";
import type { FollowedTask } from "./followed_task.ts";
import type { Probe } from "./usage_limits.ts";

/** Lets the account's other runs start as soon as the model has answered the probe. Never rejects. */
export async function watchProbe(followed: FollowedTask, run: CodexRun, probe: Probe): Promise<void> {
  const hasAnswered = async (): Promise<boolean> => (await followed.refresh()).hasModelAnswered;
  try {
    await watchUntil(followed.directory.path, { look: hasAnswered, until: run.ended });
    if (await hasAnswered()) await probe.lift();
  } catch {
    // The end of the run says it as well.
  }
}
