/** The model: what was asked for, what was done to it, and how it may have ended then. Pure. */
import type { Lifetime } from "../../src/task/spec.ts";
import type { FinalStatus } from "../../src/task/task.ts";
import type { LedgerRun } from "./agent_ledger.ts";
import { type AgentPlan, keyOf } from "./steps.ts";

/** One request for an agent, and all that was done to it. */
export interface ModelRequest {
  readonly key: string;
  readonly lifetime: Lifetime;
  readonly agent: AgentPlan;
  /** The first request of its thread. */
  readonly family: string;
  /** The server that was asked. */
  readonly server: object | null;
  /** The task that it became; `null` as long as nobody has said so, and for one that was told to a task that ran. */
  id: string | null;
  /** How it may end beside its agent's own end: each stop adds one. */
  readonly stops: Set<FinalStatus>;
  /** An agent of its thread was given another prompt while it worked. */
  isTold: boolean;
  isShimKilled: boolean;
  isAgentKilled: boolean;
  /** Made up by the test: no agent ever worked on it. */
  readonly isRecycled: boolean;
  isReleased: boolean;
  /** A server has answered that it was cancelled, or tried to. */
  isCancelled: boolean;
  /** It was old enough to be removed. */
  isAged: boolean;
}

/** A request of which nothing has happened yet. */
export function newRequest(
  { step, agent, ...fields }: Pick<ModelRequest, "lifetime" | "agent" | "server"> & {
    readonly step: number;
    readonly family?: string;
    readonly isRecycled?: boolean;
  },
): ModelRequest {
  const key = keyOf(step);
  return {
    isRecycled: false,
    family: key,
    ...fields,
    key,
    agent,
    id: null,
    stops: new Set(agent.timeout === null ? [] : ["timed_out"]),
    isTold: false,
    isShimKilled: false,
    isAgentKilled: false,
    isReleased: false,
    isCancelled: false,
    isAged: false,
  };
}

/** What a server says of the end of a task. */
export interface ToldEnd {
  readonly status: string;
  readonly exitCode: number | null;
}

/** Exit codes of an agent that a stop ended before it could say anything. */
const STOPPED_EARLY: readonly (number | null)[] = [null, 130, 143, 137];

/** What is wrong with the end of a task, given what its agents wrote down; `null` when nothing is. */
export function wrongEnd(request: ModelRequest, runs: readonly LedgerRun[], told: ToldEnd): string | null {
  const { stops, isTold, isShimKilled, isAgentKilled } = request;
  const isSignalled = stops.size > 0 || isTold;
  const last = runs.at(-1);
  const statuses = new Set<string>(stops);
  const exitCodes: (number | null)[] = isSignalled ? [...STOPPED_EARLY] : [];
  if (isAgentKilled) exitCodes.push(137);
  if (isShimKilled) exitCodes.push(null);
  if (last === undefined) {
    if (request.isRecycled) {
      statuses.add("interrupted");
      exitCodes.push(null);
    } else if (!isSignalled) return "it has ended although its agent was never started";
  } else if (last.end === null) {
    if (!isSignalled && !isAgentKilled) return "its agent was killed although nobody asked for that";
    for (const status of ["failed", "interrupted", "completed"]) statuses.add(status);
  } else {
    const { code, turn, by } = last.end;
    if (by !== "self" && !isSignalled) return `its agent was sent SIG${by} although nobody asked for that`;
    exitCodes.push(code);
    if (turn === "completed") statuses.add("completed");
    else if (turn === "failed" || told.exitCode !== null) statuses.add("failed");
    else statuses.add("interrupted");
  }
  if (!exitCodes.includes(told.exitCode)) {
    return `exit code ${told.exitCode} instead of ${exitCodes.map(String).join(" or ")}`;
  }
  return statuses.has(told.status) ? null : `status ${told.status} instead of ${[...statuses].join(" or ")}`;
}

/** Requests of which more agents were started than one. */
export function startedTwice(runs: readonly LedgerRun[]): string[] {
  const seen = new Set<string>();
  return runs.flatMap(({ keys }) => keys).filter((key) => seen.size === seen.add(key).size);
}
