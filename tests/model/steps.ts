/** What a random history is made of. Steps name what they are about by their own numbers, so that any can be left out. */

export const TURNS = ["completed", "failed", "none", "killed"] as const;
/** The last event of a run; `killed` for an agent that kills itself. */
export type Turn = typeof TURNS[number];

/** How an agent ends. */
export interface Ending {
  readonly code: number;
  readonly turn: Turn;
}

/** What an agent does; see `agent.sh`. */
export interface AgentPlan {
  /** `null`: it works until it is released. */
  readonly ending: Ending | null;
  /** The signals that it heeds. */
  readonly signals: readonly ("int" | "term")[];
  /** It leaves a process in a session of its own, and has the sandbox in which it can. */
  readonly hasChild: boolean;
  /** Seconds that its run may take; `null` for the default. */
  readonly timeout: number | null;
}

/** Tools that start an agent: in the background and detached, in the background and bound to the server, and waited for. */
export type Starter = "codex_async" | "spawn_agent_async" | "codex";

/** Environments of processes that look as if they belonged to a task. */
export const STRANGERS = ["other task", "longer id", "within a value", "same thread", "same words"] as const;
export type StrangerKind = typeof STRANGERS[number];

/** `of` is the number of the step that started the agent; `server` is one of a few places. */
export type Action =
  | { readonly kind: "start server"; readonly server: number }
  | { readonly kind: "end server"; readonly server: number }
  | { readonly kind: "kill server"; readonly server: number }
  | { readonly kind: "spawn"; readonly server: number; readonly tool: Starter; readonly agent: AgentPlan }
  | {
    readonly kind: "reply";
    readonly server: number;
    readonly of: number;
    readonly when: "after" | "now";
    readonly agent: AgentPlan;
  }
  /** Goes on when the agent works, or soon if it does not come to that. */
  | { readonly kind: "meet"; readonly of: number }
  | { readonly kind: "release"; readonly of: number; readonly ending: Ending }
  | { readonly kind: "wait"; readonly server: number; readonly of: readonly number[]; readonly until: "all" | "any" }
  | { readonly kind: "status"; readonly server: number; readonly of: readonly number[] }
  | { readonly kind: "cancel"; readonly server: number; readonly of: number }
  /** The client takes back a call that waits. */
  | { readonly kind: "leave call"; readonly of: number }
  | { readonly kind: "kill shim"; readonly of: number }
  | { readonly kind: "kill agent"; readonly of: number }
  /** A process that is none of ours but looks like one of this task. */
  | { readonly kind: "stranger"; readonly of: number; readonly looks: StrangerKind }
  /** A task left behind by a machine that was switched off, whose agent's process id is a stranger's now. */
  | { readonly kind: "recycled"; readonly of: number }
  /** The older part of all that has ended is removed. */
  | { readonly kind: "age out"; readonly share: number }
  /** All servers are killed at once and none is there until those are gone that are bound to them. */
  | { readonly kind: "blackout" }
  /** All servers tell the same. */
  | { readonly kind: "compare" }
  /** All that runs comes to its end and is looked at. */
  | { readonly kind: "rest" };

export type Step = Action & {
  readonly number: number;
  /** It waits for the answers to all calls before it, but for those that wait for agents. */
  readonly isSettled: boolean;
};

/** The name of the request that a step makes. */
export function keyOf(number: number): string {
  return `k${number}`;
}

/** The prompt that makes `agent.sh` behave. */
export function promptOf(key: string, { ending, signals, hasChild }: AgentPlan): string {
  const words = [
    `key=${key}`,
    `signals=${signals.join(",") || "none"}`,
    `child=${hasChild ? 1 : 0}`,
    ...(ending === null ? ["hold=1"] : [`code=${ending.code}`, `turn=${ending.turn}`]),
  ];
  return `model: ${words.join(" ")}`;
}

/** One line for a person. */
export function describeStep({ number, isSettled, kind, ...fields }: Step): string {
  return `${number}${isSettled ? "" : " (at once)"}: ${kind} ${JSON.stringify(fields)}`;
}
