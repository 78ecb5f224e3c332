import type { CodexRun } from "../codex/run_codex.ts";
import { watchUntil } from "../storage/changes.ts";
import type { FollowedTask } from "./followed_task.ts";
import { pause } from "../process/pause.ts";
import type { Probe } from "./usage_limits.ts";

/** How long the others wait for one that the model does not answer; a later answer counts all the same. */
const ANSWER_MS = 2 * 60_000;

/** What is watched, and for how long nobody else may try. */
export interface WatchedProbe {
  readonly run: Pick<CodexRun, "ended">;
  readonly probe: Probe;
  readonly answerMs?: number;
}

/**
 * Lets the account's other runs start as soon as the model has answered the probe, or the next one of them try when it
 * has not for long. Never rejects.
 */
export async function watchProbe(
  followed: FollowedTask,
  { run, probe, answerMs = ANSWER_MS }: WatchedProbe,
): Promise<void> {
  const over = new AbortController();
  const passedOn = pause(answerMs, over.signal).then(() => {
    if (!over.signal.aborted) probe[Symbol.dispose]();
  });
  const hasAnswered = async (): Promise<boolean> => (await followed.refresh()).hasModelAnswered;
  try {
    await watchUntil(followed.directory.path, { look: hasAnswered, until: run.ended });
    if (await hasAnswered()) await probe.lift();
  } catch {
    // The end of the run says it as well.
  } finally {
    over.abort();
    await passedOn;
  }
}
