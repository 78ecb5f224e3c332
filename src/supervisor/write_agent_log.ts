import type { RunHost } from "../process/run_host.ts";
import { TextLog } from "../storage/text_log.ts";
import type { Log } from "../log.ts";
import { isFinished } from "../task/task.ts";
import { AgentLogWriter } from "./agent_log_writer.ts";
import type { FollowedTask } from "./followed_task.ts";
import { pause } from "../process/pause.ts";

/** How often an agent's output is looked at: whoever watches with `tail -f` shall see it soon. */
const LOOK_EVERY_MS = 1_000;
/** When the server ends: how long it is waited for that the agent is stopped too, and then for its end. */
const STOP_MS = 200;
const END_MS = 7_000;

/**
 * Writes the log of an agent that a tool of codex-as-mcp started, in its format, until the task has ended or, which the
 * signal says, this server drives it no longer; nothing for any other task. Never rejects: a log that cannot be written
 * harms no agent.
 */
export async function writeAgentLog(
  followed: FollowedTask,
  { host, now, log, signal }: {
    readonly host: Pick<RunHost, "observe">;
    readonly now: () => Date;
    readonly log: Log;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { id, spec: { agentLog } } = followed.task;
  if (agentLog === undefined) return;
  const textLog = new TextLog(agentLog);
  const writer = new AgentLogWriter(followed, textLog, { host, now });
  let hasFailed = false;
  const attempt = async (write: () => Promise<void>): Promise<void> => {
    try {
      await write();
    } catch (error) {
      if (!hasFailed) log.warning("an agent's log cannot be written for now", { id, path: agentLog, error });
      hasFailed = true;
    }
  };
  await attempt(() => writer.resume());
  const over = new AbortController();
  const end = (): void => over.abort();
  void followed.finished.then(end, end);
  const either = AbortSignal.any([signal, over.signal]);
  while (!either.aborted) {
    await attempt(() => writer.step());
    await pause(LOOK_EVERY_MS, either);
  }
  await pause(STOP_MS, AbortSignal.any([followed.stopSignal, over.signal]));
  if (followed.stopSignal.aborted) await pause(END_MS, over.signal);
  const { task } = followed;
  await attempt(() => isFinished(task) ? writer.finish(task) : writer.step());
  if (textLog.lostEntries > 0) {
    log.warning("an agent's log has gaps", { id, path: agentLog, lost: textLog.lostEntries });
  }
}
