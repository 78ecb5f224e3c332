/** What is told of a call that was answered with a handle, in the words of the MCP extension Tasks. */
import type { HandleCall, HandleEnd } from "../storage/handle_files.ts";

/** How often clients are asked to come back. */
const POLL_MS = 2_000;

const WORDS = { completed: "Completed", failed: "Failed", cancelled: "Cancelled by the client" } as const;

export interface HandleView extends Record<string, unknown> {
  readonly taskId: string;
  readonly status: "working" | HandleEnd["status"];
  readonly statusMessage: string;
  readonly createdAt: string;
  /** When the status last changed. */
  readonly lastUpdatedAt: string;
  /** Milliseconds from `createdAt`; `null` while it is kept without end. */
  readonly ttlMs: number | null;
  readonly pollIntervalMs: number;
  /** The answer, once there is one, as the call itself would have been answered. */
  readonly result?: Readonly<Record<string, unknown>>;
  /** Why the protocol has no answer. */
  readonly error?: Readonly<Record<string, unknown>>;
}

/** A call that has not ended; `words` say how far it is. */
export function workingView(id: string, { createdAt, taskIds }: HandleCall, words: string | null): HandleView {
  return {
    taskId: id,
    status: "working",
    statusMessage: words ?? `Waiting for ${taskIds.length === 1 ? "task" : "tasks"} ${taskIds.join(", ")}`,
    createdAt: createdAt.toISOString(),
    lastUpdatedAt: createdAt.toISOString(),
    ttlMs: null,
    pollIntervalMs: POLL_MS,
  };
}

/** A call that has ended, which is kept for `maxAgeMs` from then on. */
export function endedView(
  id: string,
  { createdAt }: HandleCall,
  { end, maxAgeMs }: { readonly end: HandleEnd; readonly maxAgeMs: number },
): HandleView {
  return {
    taskId: id,
    status: end.status,
    statusMessage: WORDS[end.status],
    createdAt: createdAt.toISOString(),
    lastUpdatedAt: end.endedAt.toISOString(),
    ttlMs: Math.round(Math.max(0, end.endedAt.getTime() - createdAt.getTime()) + maxAgeMs),
    pollIntervalMs: POLL_MS,
    ...outcomeOf(end),
  };
}

function outcomeOf(end: HandleEnd): Pick<HandleView, "result" | "error"> {
  switch (end.status) {
    case "completed":
      return { result: { ...end.result, resultType: "complete" } };
    case "failed":
      return { error: end.error };
    case "cancelled":
      return {};
  }
}
