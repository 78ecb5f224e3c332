/** What a task was asked for, and the settings that it runs with. */
import type { Usage } from "./event.ts";

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
  "worktree",
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
  /** Names of its `--env` variables; their values may be secrets and are never written down. */
  readonly envNames: readonly string[];
  /** Names of variables that the agent's commands must not see. */
  readonly withheldEnv: readonly string[];
  /** Codex's configuration says itself what commands see: nothing else is withheld then. True where a record does not tell. */
  readonly hasEnvPolicy: boolean;
  /** Configured MCP servers that this agent does without; Codex refuses names that are not configured. */
  readonly disabledMcpServers: readonly string[];
  /** Working directory of the server; empty in records of format 1. A server that starts there again takes its orphans. */
  readonly cwd: string;
}

export const STARTERS = ["spawn_agent", "spawn_agent_async", "spawn_agents_parallel"] as const;
/** The tools of codex-as-mcp that start agents. */
export type Starter = typeof STARTERS[number];

/** A checkout of the agent's own, on a branch of its own. */
export interface WorktreeSpec {
  /** Of the task that it was made for; a restored one has a number behind that. */
  readonly id: string;
  /** Its top; absolute. */
  readonly path: string;
  /** Without `refs/heads/`. */
  readonly branch: string;
  /** Object id of the commit that the branch begins with. */
  readonly base: string;
  /** Full name of the branch that this was the end of, if it was one. */
  readonly baseBranch?: string;
  /** The common `.git` directory of the repository. */
  readonly commonDir: string;
  /** Top of the checkout that the call named. */
  readonly checkout: string;
  /** Command that makes the worktree ready; a human has approved it. */
  readonly setup?: string;
}

/** What was asked for, complete and checked: enough to start the run again. Never changes. */
export interface TaskSpec {
  /** Absolute; also the working directory of the process. */
  readonly cwd: string;
  /** `cwd` is in it. */
  readonly worktree?: WorktreeSpec;
  /** Full name of a branch that is merged into the worktree before the agent is let in. */
  readonly mergeFirst?: string;
  /** The thread that this task continues; absent for a new one. */
  readonly resumeThreadId?: string;
  readonly model?: string;
  readonly profile?: string;
  /** Passed to Codex as `-s`; absent when Codex's own configuration decides. */
  readonly sandbox?: SandboxMode;
  readonly addDirs: readonly string[];
  /** What Codex's own configuration makes writable besides. */
  readonly writableRoots?: readonly string[];
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
