/** The record of one piece of work and the words around it. Pure data: nothing here touches the system. */
import type { FileChange, PlanStep, Usage } from "./event.ts";

export const SANDBOX_MODES = ["read-only", "workspace-write", "danger-full-access"] as const;
/** Codex's sandbox modes, from the most to the least restricted. */
export type SandboxMode = typeof SANDBOX_MODES[number];

export const LIFETIMES = ["server-bound", "detached"] as const;
/** `detached` outlives the server; `server-bound` ends with it. */
export type Lifetime = typeof LIFETIMES[number];

export const SANDBOX_SOURCES = [
  "call",
  "call config",
  "server config",
  "profile",
  "config.toml",
  "trusted project",
  "Codex default",
  "thread",
  "limit",
] as const;
/** Who decided about a sandbox; `limit` is `--max-sandbox`, which lowered it. */
export type SandboxSource = typeof SANDBOX_SOURCES[number];

/** The sandbox a run has, and who said so. */
export interface EffectiveSandbox {
  readonly mode: SandboxMode;
  readonly source: SandboxSource;
  /** `null` when a permission profile of the user's own decides, whose limits are not known here. */
  readonly network: boolean | null;
}

/** The server's own settings for Codex, which apply to all its runs. */
export interface CodexSettings {
  /** `-c key=value`, verbatim; a later one wins. */
  readonly config: readonly string[];
  readonly skipGitRepoCheck: boolean;
  readonly ephemeral: boolean;
}

/** What a run owes to the server that planned it: another one starts a queued task with these, not with its own. */
export interface ServerSettings extends CodexSettings {
  /** Names of variables that the agent's commands must not see. */
  readonly withheldEnv: readonly string[];
  /** Configured MCP servers that this agent does without; Codex refuses names that are not configured. */
  readonly disabledMcpServers: readonly string[];
  /** Working directory of the server; empty in records of format 1. A server that starts there again takes its orphans. */
  readonly cwd: string;
}

export const STARTERS = ["spawn_agent", "spawn_agent_async", "spawn_agents_parallel"] as const;
/** The tools of codex-as-mcp that start agents. */
export type Starter = typeof STARTERS[number];

/** What was asked for, complete and checked: enough to start the run again. Never changes. */
export interface TaskSpec {
  /** Absolute; also the working directory of the process. */
  readonly cwd: string;
  /** The thread that this task continues; absent for a new one. */
  readonly resumeThreadId?: string;
  readonly model?: string;
  readonly profile?: string;
  /** Passed to Codex as `-s`; absent when Codex's own configuration decides. */
  readonly sandbox?: SandboxMode;
  readonly addDirs: readonly string[];
  readonly network?: boolean;
  /** The call's `config` object, not yet flattened. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly reasoningEffort?: string;
  /** Absolute paths. */
  readonly images: readonly string[];
  readonly outputSchema?: Readonly<Record<string, unknown>>;
  readonly baseInstructions?: string;
  readonly developerInstructions?: string;
  readonly compactPrompt?: string;
  /** MCP servers the agent keeps, by name; absent keeps all that are configured, `[]` none. */
  readonly mcpServers?: readonly string[];
  /** Names of the variables the call gave; their values may be secrets and are never written down. */
  readonly envNames: readonly string[];
  /** Wall clock of one run. */
  readonly timeoutMs: number;
  readonly label?: string;
  /** The task on the same thread that comes first. */
  readonly afterTaskId?: string;
  /** It comes after so many of these have ended: one call's tasks, of which only some may run at once. */
  readonly startsAfter?: { readonly tasks: readonly string[]; readonly count: number };
  /** The tool of codex-as-mcp that started the task, and the log that it promised. */
  readonly startedBy?: Starter;
  readonly agentLog?: string;
  /** CODEX_HOME of its runs; empty in records of format 1. */
  readonly codexHome: string;
  /** Tells one account's limits from another's; empty in records of format 1. */
  readonly account: string;
  readonly lifetime: Lifetime;
  readonly effectiveSandbox: EffectiveSandbox;
  readonly server: ServerSettings;
  /** What the caller should know about how the call was understood, one sentence each. */
  readonly notes: readonly string[];
  /** The thread's token counts before this task, so that its own share can be told. */
  readonly usageBefore: Usage | null;
}

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
  readonly failure?: Failure;
  /** The verdict on the answer when the call gave an output schema. */
  readonly outputSchemaVerdict?: {
    readonly valid: boolean;
    readonly errors: readonly string[];
    /** Places of patterns in the schema that were not checked, since they could take for ever. */
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
  /** Its last run met a usage limit; the next one continues the thread. */
  | ({ readonly status: "waiting"; readonly until: Date } & Runs)
  | {
    readonly status: FinalStatus;
    /** `null` when it ended before it ran. */
    readonly startedAt: Date | null;
    readonly endedAt: Date;
    readonly run: number;
    readonly prompts: number;
    readonly outcome: Outcome;
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
