/** The record of one piece of work and the words around it. Pure data: nothing here touches the system. */
import type { FileChange, PlanStep, Usage } from "./event.ts";
import type { TaskSpec } from "./spec.ts";

export const FAILURE_CLASSES = [
  "authentication",
  "usage_limit",
  "rate_limit",
  "provider",
  "network",
  "context_window",
  "invalid_request",
  "codex_crash",
  "killed",
  "timeout",
  "setup_failed",
  "unknown",
] as const;
export type FailureClass = typeof FAILURE_CLASSES[number];

/** Why a run did not complete, and what its caller can do. */
export interface Failure {
  readonly class: FailureClass;
  /** In Codex's words where it gave some. */
  readonly message: string;
  readonly retryable: boolean;
  /** One sentence: the way out. */
  readonly action: string;
  /** When a usage limit lifts, if Codex said. */
  readonly resetsAt?: Date;
}

/** What has been seen of a task's events so far. */
export interface Progress {
  readonly threadId: string | null;
  /** The thread of the runs before this one, which it was asked to continue. */
  readonly earlierThreadId: string | null;
  readonly turnStarted: boolean;
  /** The agent's last complete message: its answer, once the turn has ended. */
  readonly lastMessage: string | null;
  readonly lastReasoning: string | null;
  /** The command that runs now. */
  readonly currentCommand: string | null;
  readonly lastCommand: { readonly command: string; readonly exitCode: number | null } | null;
  readonly plan: readonly PlanStep[];
  /** By path; the last kind wins, an added file that is updated stays `add`. */
  readonly filesChanged: readonly FileChange[];
  /** Changes of further paths that are counted only; `filesChanged` is full then. */
  readonly filesChangedBeyond: number;
  readonly commands: number;
  readonly mcpToolCalls: number;
  readonly webSearches: number;
  readonly subAgents: number;
  /** Codex's cumulative counts of the thread. */
  readonly usage: Usage | null;
  readonly warnings: readonly string[];
  /** Codex's last `Reconnecting…`, while nothing has come after it. */
  readonly waitingForNetwork: string | null;
  /** Codex's last top-level error that is no `Reconnecting…`: the reason of a run that ends without a terminal event. */
  readonly lastError: string | null;
  /** The turn's own end; a later one replaces an earlier one of the other kind only by the exit code's verdict. */
  readonly turnCompleted: boolean;
  readonly turnFailed: string | null;
  readonly events: number;
  /** Those of the last run. */
  readonly eventsOfRun: number;
  /** The model has answered anything in the last run. */
  readonly hasModelAnswered: boolean;
  readonly unreadableEvents: number;
  readonly unknownEvents: number;
  /** What was passed over of an event file that had grown too large. */
  readonly droppedBytes: number;
}

export const STOP_REASONS = ["cancelled", "timeout", "offline", "stalled", "server_exit", "server_gone"] as const;
/** The first reason to stop a task; the first one written wins. */
export type StopReason = typeof STOP_REASONS[number];

export const FINAL_STATUSES = ["completed", "failed", "cancelled", "timed_out", "interrupted"] as const;
/** How a task can end; none of these ever changes again. */
export type FinalStatus = typeof FINAL_STATUSES[number];

/** What has become of the work in an agent's worktree. */
export interface KeptWork {
  /** Ref of the latest snapshot; `null` when none could be taken. */
  readonly snapshot: string | null;
  /** The end of the agent's branch, with all that is not ignored; `null` when nothing could be committed there. */
  readonly commit: string | null;
  /** Nothing was committed: HEAD was not on the branch, a merge or rebase was under way, or conflicts were left in files. */
  readonly uncommitted?: "elsewhere" | "under way" | "conflicts";
  /** Files that differ from where the branch began. */
  readonly files: number;
  /** Repositories inside, which the snapshot has and the branch has not. */
  readonly leftOut: readonly string[];
  /** What neither has, by path: too large, or not to be read. */
  readonly notKept: readonly string[];
  /** What went wrong; the worktree is left as it is then. */
  readonly problem?: string;
}

/** How a task ended. Never changes once written. */
export interface Outcome {
  readonly status: FinalStatus;
  /** `null` when nobody could see it: a signal or a crash took the witness too. */
  readonly exitCode: number | null;
  /** The status was read from Codex's own terminal event because the exit code is unknown. */
  readonly statusInferred: boolean;
  readonly stopReason?: StopReason;
  /** Processes of the agent that outlived it; absent for none. */
  readonly leftBehind?: number;
  /** Of a task with a worktree. */
  readonly work?: KeptWork;
  readonly failure?: Failure;
  /** The verdict on the answer when the call gave an output schema. */
  readonly outputSchemaVerdict?: {
    readonly valid: boolean;
    readonly errors: readonly string[];
    /** Places in the schema that were not checked, since that could take for ever; an empty one is all of it. */
    readonly unchecked?: readonly string[];
  };
}

/** How far the runs of a task have come. */
export interface Runs {
  /** Start of the first one. */
  readonly startedAt: Date;
  /** Number of the last one, from 1. */
  readonly run: number;
  /** File in the task's directory that the last run was given as its prompt. */
  readonly input: string;
  /** How many further prompts the agent has been given while it worked. */
  readonly prompts: number;
}

export type TaskState =
  | { readonly status: "queued" }
  | ({ readonly status: "running" } & Runs)
  /** Nothing runs between two runs: until a usage limit lifts, or with `null` until the next one has its turn. */
  | ({
    readonly status: "waiting";
    readonly until: Date | null;
    /** The next run is given what the last one was given too, since its agent never worked on it. */
    readonly isDueAgain: boolean;
  } & Runs)
  | {
    readonly status: FinalStatus;
    /** `null` when it ended before it ran. */
    readonly startedAt: Date | null;
    readonly endedAt: Date;
    readonly run: number;
    readonly prompts: number;
    readonly outcome: Outcome;
    /** The agent is known to have said nothing; what it may have said stands in a file of its own, or in the events. */
    readonly hasAnswer?: false;
    readonly progress: Progress;
  };

export interface Task {
  /** Eight lower-case hexadecimal digits. */
  readonly id: string;
  readonly createdAt: Date;
  /** The repository's common `.git` directory, or the directory itself outside a repository. */
  readonly repository: string;
  /** How many agents stand above this one: 0 for a task that a person's client started. */
  readonly depth: number;
  readonly spec: TaskSpec;
  readonly state: TaskState;
}

export type FinishedState = Extract<TaskState, { endedAt: Date }>;
export type FinishedTask = Task & { readonly state: FinishedState };

/** Tells whether processes of the task's agents can outlive them: no sandbox of Codex's own holds them. */
export function mayLeaveBehind({ spec: { effectiveSandbox: { mode, network } } }: Task): boolean {
  return mode === "danger-full-access" || network === null;
}

/** Tells whether the task has ended. */
export function isFinished(task: Task): task is FinishedTask {
  return "endedAt" in task.state;
}
