/** Every environment variable without a flag, declared once. */

/** A variable without a flag. As a predecessor had it a bad value is ignored with a warning, as it was ignored there. */
export interface Variable {
  readonly of: "codex-swarm" | "codex-mcp-swarm" | "codex-as-mcp";
  readonly value: string;
  readonly default?: string;
  readonly otherwise?: string;
  readonly description: string;
}

const variables = {
  CODEX_SWARM_TOKEN: {
    of: "codex-swarm",
    value: "TOKEN",
    otherwise: "as --token-file",
    description:
      "The token that requests over HTTP must show; a secret, so no flag, and not in the environment of agents",
  },
  CODEX_SWARM_LOG: {
    of: "codex-mcp-swarm",
    value: "FILE",
    otherwise: "logs/codex-swarm.log in the state directory",
    description: "The log file",
  },
  CODEX_SWARM_TASK_DIR: {
    of: "codex-mcp-swarm",
    value: "DIR",
    otherwise: "tasks in the state directory",
    description: "Where tasks are kept",
  },
  CODEX_SWARM_WORKTREE_DIR: {
    of: "codex-mcp-swarm",
    value: "DIR",
    otherwise: "worktrees in the state directory",
    description: "Where the worktrees of agents are made",
  },
  CODEX_SWARM_TASK_MAX_AGE: {
    of: "codex-mcp-swarm",
    value: "DURATION",
    default: "14d",
    description: "How long a task is kept after its end, at least 10 minutes",
  },
  CODEX_SWARM_MIN_WAIT: {
    of: "codex-mcp-swarm",
    value: "DURATION",
    default: "150s",
    description: "The least that codex_wait waits, within what the client bears, whatever the call asks",
  },
  CODEX_AGENT_CWD: {
    of: "codex-as-mcp",
    value: "DIR",
    otherwise: "the server's working directory",
    description: "Where agents of the spawn_* tools work unless the call says",
  },
  CODEX_AS_MCP_LOG_DIR: {
    of: "codex-as-mcp",
    value: "DIR",
    default: "~/.cache/codex-as-mcp/logs",
    description: "Where the readable logs of agents of the spawn_* tools are kept",
  },
  CODEX_TIMEOUT_SECONDS: {
    of: "codex-as-mcp",
    value: "SECONDS",
    otherwise: "as --task-timeout",
    description: "How long one run of an agent of the spawn_* tools may take; more than 24 days count as 24",
  },
  CODEX_MODEL: {
    of: "codex-as-mcp",
    value: "MODEL",
    otherwise: "Codex's own",
    description: "The model of agents of the spawn_* tools unless the call says",
  },
  CODEX_REASONING_EFFORT: {
    of: "codex-as-mcp",
    value: "EFFORT",
    otherwise: "Codex's own",
    description: "Their reasoning effort unless the call says",
  },
} as const satisfies Readonly<Record<string, Variable>>;

export type VariableName = keyof typeof variables;
export const VARIABLES: Readonly<Record<VariableName, Variable>> = variables;

/** Set by an agent's run for the servers below it; no settings. */
export const MARKERS = ["CODEX_SWARM_TASK_ID", "CODEX_SWARM_DEPTH"] as const;

/** Secrets of the server's own: nothing that it starts gets them. */
export const SECRETS: ReadonlySet<string> = new Set(["CODEX_SWARM_TOKEN"]);

/** By these git runs in one repository, whatever directory it is in. */
export const REPOSITORY_VARIABLES: ReadonlySet<string> = new Set([
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_COMMON_DIR",
  "GIT_OBJECT_DIRECTORY",
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_NAMESPACE",
  "GIT_PREFIX",
  "GIT_SHALLOW_FILE",
  "GIT_GRAFT_FILE",
  "GIT_REPLACE_REF_BASE",
]);
