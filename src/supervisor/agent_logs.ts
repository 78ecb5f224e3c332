import type { FollowedTask } from "./followed_task.ts";
import type { RunTaskServices } from "./services.ts";
import { writeAgentLog } from "./write_agent_log.ts";

/** The logs for people that this server is writing. */
export class AgentLogs {
  readonly #services: RunTaskServices;
  readonly #writing = new Map<string, Promise<void>>();

  constructor(services: RunTaskServices) {
    this.#services = services;
  }

  /** Writes the log of a task that was promised one, until the task or this server ends, or the signal comes. */
  write(followed: FollowedTask, signal: AbortSignal): void {
    if (followed.task.spec.agentLog !== undefined) void this.#write(followed, signal);
  }

  async #write(followed: FollowedTask, signal: AbortSignal): Promise<void> {
    const { id } = followed.task;
    const { runner: { host }, now, log, closing } = this.#services;
    const either = AbortSignal.any([signal, closing]);
    // Two at once would write the same lines.
    const before = this.#writing.get(id) ?? Promise.resolve();
    const writing = before.then(() => writeAgentLog(followed, { host, now, log, signal: either }));
    this.#writing.set(id, writing);
    await writing;
    if (this.#writing.get(id) === writing) this.#writing.delete(id);
  }

  /** Settles when the log of a task that has ended is whole. */
  async whole(id: string): Promise<void> {
    await this.#writing.get(id);
  }

  /** Settles when all logs are whole, or as whole as this server can make them. */
  async allWhole(): Promise<void> {
    await Promise.all(this.#writing.values());
  }
}
