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

  /** Writes the log of a task that was promised one, until the task or this server ends. */
  write(followed: FollowedTask): void {
    const { id, spec: { agentLog } } = followed.task;
    if (agentLog === undefined) return;
    const { runner: { host }, now, log, closing: signal } = this.#services;
    const writing = writeAgentLog(followed, { host, now, log, signal }).finally(() => this.#writing.delete(id));
    this.#writing.set(id, writing);
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
