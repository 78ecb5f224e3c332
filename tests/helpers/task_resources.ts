/** Resources of tasks, as clients read them. */
import { join } from "node:path";
import type { Swarm } from "./swarm.ts";

/** What one read of a task's events gives. */
export interface EventsRead {
  readonly task_id: string;
  readonly status: string;
  readonly after: number;
  readonly next: number;
  readonly more: boolean;
  readonly dropped_bytes?: number;
  readonly whole?: string;
  readonly events: readonly unknown[];
}

export async function readEvents(swarm: Swarm, id: string, after?: number): Promise<EventsRead> {
  return await swarm.resource(`tasks/${id}/events${after === undefined ? "" : `?after=${after}`}`);
}

/** All events that are there, from a position on. */
export async function readAllEvents(swarm: Swarm, id: string, after?: number): Promise<EventsRead[]> {
  const reads = [await readEvents(swarm, id, after)];
  for (let last = reads.at(-1); last?.more === true; last = reads.at(-1)) {
    reads.push(await readEvents(swarm, id, last.next));
  }
  return reads;
}

export function eventsFile(swarm: Swarm, id: string): string {
  return join(swarm.stateDir, "tasks", id, "events.jsonl");
}

/** What a client is told that reads this; fails when it can. */
export async function refusedRead(
  swarm: Swarm,
  uri: string,
): Promise<{ readonly code: unknown; readonly message: string; readonly data: unknown }> {
  try {
    await swarm.client.readResource({ uri });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return {
      code: "code" in error ? error.code : undefined,
      message: error.message,
      data: "data" in error ? error.data : undefined,
    };
  }
  throw new Error(`${uri} can be read`);
}
