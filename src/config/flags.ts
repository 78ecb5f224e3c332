/** Every command, flag and environment variable, declared once: the parser, the help and README's tables read these. */
import { LOG_LEVELS } from "../log.ts";
import { SANDBOX_MODES } from "../task/task.ts";

export const COMMANDS = {
  "mcp-server": "Serves MCP on stdin and stdout; the default",
  "doctor": "Shows what was found on this machine and how to fix what is missing; exit code 1 if no agent can start",
  "help": "Shows this text",
  "version": "Shows the version",
} as const;
export type CommandName = keyof typeof COMMANDS;

export const FLAG_GROUPS = ["Codex", "Limits", "Waiting", "State and logs", "Commands"] as const;
export type FlagGroup = typeof FLAG_GROUPS[number];

export interface Flag {
  readonly short?: string;
  /** What stands for the value in the help; absent for a switch. */
  readonly value?: string;
  readonly isRepeatable?: boolean;
  /** The environment variable that sets the same; the flag wins. */
  readonly variable?: string;
  /** How the variable holds several values. */
  readonly variableForm?: string;
  readonly group: FlagGroup;
  /** Written as a user would write it, and parsed the same way. */
  readonly default?: string;
  /** What holds without the flag where that is no fixed value. */
  readonly otherwise?: string;
  readonly description: string;
}

const flags = {
  "config": {
    short: "c",
    value: "KEY=VALUE",
    isRepeatable: true,
    variable: "CODEX_SWARM_CONFIG",
    variableForm: "one per line, before the flags",
    group: "Codex",
    description: "A setting of Codex's config.toml for every agent, passed on verbatim",
  },
  "codex": {
    value: "PATH",
    variable: "CODEX_SWARM_CODEX",
    group: "Codex",
    otherwise: "looked for in PATH, the login shell's PATH and the usual folders",
    description: "The Codex to run: a path, or a name in PATH",
  },
  "env": {
    value: "KEY=VALUE",
    isRepeatable: true,
    variable: "CODEX_SWARM_ENV",
    variableForm: "one per line",
    group: "Codex",
    description: "A variable of every agent's environment",
  },
  "skip-git-repo-check": {
    variable: "CODEX_SWARM_SKIP_GIT_REPO_CHECK",
    group: "Codex",
    description: "Lets agents work outside git repositories",
  },
  "ephemeral": {
    variable: "CODEX_SWARM_EPHEMERAL",
    group: "Codex",
    description: "Makes Codex keep no session files; such threads cannot be continued",
  },
  "max-sandbox": {
    value: "MODE",
    variable: "CODEX_SWARM_MAX_SANDBOX",
    group: "Limits",
    otherwise: "no limit",
    description: `The widest sandbox that a call may ask for: ${SANDBOX_MODES.join(", ")}`,
  },
  "root": {
    value: "DIR",
    isRepeatable: true,
    variable: "CODEX_SWARM_ROOT",
    variableForm: "separated as PATH is",
    group: "Limits",
    otherwise: "no limit",
    description: "A directory in which agents may work; elsewhere is refused",
  },
  "max-concurrent": {
    value: "N",
    variable: "CODEX_SWARM_MAX_CONCURRENT",
    group: "Limits",
    default: "16",
    description: "Agents that run at the same time; further ones are queued",
  },
  "max-depth": {
    value: "N",
    variable: "CODEX_SWARM_MAX_DEPTH",
    group: "Limits",
    default: "1",
    description: "Levels of agents: 1 lets no agent start agents, 2 lets agents start agents that start none",
  },
  "task-timeout": {
    value: "DURATION",
    variable: "CODEX_SWARM_TASK_TIMEOUT",
    group: "Limits",
    default: "8h",
    description: "How long one run of an agent may take",
  },
  "offline-timeout": {
    value: "DURATION",
    variable: "CODEX_SWARM_OFFLINE_TIMEOUT",
    group: "Limits",
    default: "30m",
    description: "How long an agent may try to reach its model again; its thread can be continued afterwards",
  },
  "max-wait": {
    value: "DURATION",
    variable: "CODEX_SWARM_MAX_WAIT",
    group: "Waiting",
    otherwise: "what the client bears: 50s unless it is known to bear more",
    description: "The longest that one codex_wait blocks before it says STILL RUNNING",
  },
  "state-dir": {
    value: "DIR",
    variable: "CODEX_SWARM_STATE_DIR",
    group: "State and logs",
    otherwise: "$XDG_STATE_HOME/codex-swarm, else ~/.local/state/codex-swarm, on macOS ~/Library/Application " +
      "Support/codex-swarm, on Windows %LOCALAPPDATA%\\codex-swarm",
    description: "Where tasks, worktrees and logs are kept",
  },
  "log-level": {
    value: "LEVEL",
    variable: "CODEX_SWARM_LOG_LEVEL",
    group: "State and logs",
    default: "WARNING",
    description: `The least that is logged: ${LOG_LEVELS.join(", ")}`,
  },
  "help": { short: "h", group: "Commands", description: "Shows this text" },
  "version": { short: "V", group: "Commands", description: "Shows the version" },
} as const satisfies Readonly<Record<string, Flag>>;

export type FlagName = keyof typeof flags;
/** In the order of the help. */
export const FLAGS: Readonly<Record<FlagName, Flag>> = flags;

export function isFlagName(name: string): name is FlagName {
  return Object.hasOwn(FLAGS, name);
}

/** Gives the flags in the order of the help. */
export function flagEntries(): [FlagName, Flag][] {
  return Object.keys(FLAGS).filter(isFlagName).map((name) => [name, FLAGS[name]]);
}

/** A variable without a flag. All are codex-mcp-swarm's: a bad value is ignored with a warning, as it was there. */
export interface Variable {
  readonly value: string;
  readonly default?: string;
  readonly otherwise?: string;
  readonly description: string;
}

const variables = {
  CODEX_SWARM_LOG: {
    value: "FILE",
    otherwise: "logs/codex-swarm.log in the state directory",
    description: "The log file",
  },
  CODEX_SWARM_TASK_DIR: {
    value: "DIR",
    otherwise: "tasks in the state directory",
    description: "Where tasks are kept",
  },
  CODEX_SWARM_WORKTREE_DIR: {
    value: "DIR",
    otherwise: "worktrees in the state directory",
    description: "Where worktrees will be made; there are none yet",
  },
  CODEX_SWARM_TASK_MAX_AGE: {
    value: "DURATION",
    default: "14d",
    description: "How long a finished task will be kept; nothing is removed yet",
  },
  CODEX_SWARM_MIN_WAIT: {
    value: "DURATION",
    default: "150s",
    description: "The least that codex_wait waits, within what the client bears, whatever the call asks",
  },
} as const satisfies Readonly<Record<string, Variable>>;

export type VariableName = keyof typeof variables;
export const VARIABLES: Readonly<Record<VariableName, Variable>> = variables;

/** Set by an agent's run for the servers below it; no settings. */
export const MARKERS = ["CODEX_SWARM_TASK_ID", "CODEX_SWARM_DEPTH"] as const;
