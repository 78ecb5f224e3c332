/** Every flag, declared once: the parser, the help and README's tables read these. */
import { LOG_LEVELS } from "../log.ts";
import { SANDBOX_MODES } from "../task/spec.ts";

/** What becomes of running agents when the server ends, whatever their own lifetime. */
export const EXIT_ACTIONS = ["stop", "keep"] as const;
export const STALL_ACTIONS = ["report", "stop"] as const;
export const USAGE_LIMIT_ACTIONS = ["wait", "fail"] as const;

export const FLAG_GROUPS = [
  "Codex",
  "Tools",
  "Limits",
  "Lifetime",
  "Worktrees",
  "Waiting",
  "HTTP",
  "State and logs",
  "Commands",
] as const;
export type FlagGroup = typeof FLAG_GROUPS[number];

export interface Flag {
  readonly short?: string;
  /** What stands for the value in the help; absent for a switch. */
  readonly value?: string;
  /** The flag may stand alone too. */
  readonly isValueOptional?: boolean;
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
  "toolsets": {
    value: "LIST",
    isRepeatable: true,
    variable: "CODEX_SWARM_TOOLSETS",
    variableForm: "separated by commas",
    group: "Tools",
    default: "codex,agents",
    description: "Sets of tools to offer: codex for codex_*, agents for those of codex-as-mcp",
  },
  "tools": {
    value: "LIST",
    isRepeatable: true,
    variable: "CODEX_SWARM_TOOLS",
    variableForm: "separated by commas",
    group: "Tools",
    description: "Single tools to offer: alone only these, else beside those of --toolsets",
  },
  "exclude-tools": {
    value: "LIST",
    isRepeatable: true,
    variable: "CODEX_SWARM_EXCLUDE_TOOLS",
    variableForm: "separated by commas",
    group: "Tools",
    description: "Tools not to offer",
  },
  "read-only": {
    variable: "CODEX_SWARM_READ_ONLY",
    group: "Tools",
    description:
      "Offers only tools that look: none that starts, stops or deletes anything. The server itself goes on " +
      "with what others have left",
  },
  "max-sandbox": {
    value: "MODE",
    variable: "CODEX_SWARM_MAX_SANDBOX",
    group: "Limits",
    otherwise: "no limit; workspace-write with --http",
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
  "orphan-grace": {
    value: "DURATION",
    variable: "CODEX_SWARM_ORPHAN_GRACE",
    group: "Lifetime",
    default: "60s",
    description:
      "How long a server-bound agent outlives a crash of its server, for another one to take it over; 0: not",
  },
  "on-exit": {
    value: "ACTION",
    variable: "CODEX_SWARM_ON_EXIT",
    group: "Lifetime",
    otherwise: "server-bound agents are stopped, detached ones go on",
    description: "What all agents do when the server ends: stop, or keep on working",
  },
  "stall-after": {
    value: "DURATION",
    variable: "CODEX_SWARM_STALL_AFTER",
    group: "Lifetime",
    default: "60s",
    description: "How long an agent may show no sign of life until it is said to be silent",
  },
  "stall-action": {
    value: "ACTION",
    variable: "CODEX_SWARM_STALL_ACTION",
    group: "Lifetime",
    default: "report",
    description: "What is done with a stalled agent, one that is silent, uses no CPU time and changes no files: " +
      "report it, or stop it",
  },
  "on-usage-limit": {
    value: "ACTION",
    variable: "CODEX_SWARM_ON_USAGE_LIMIT",
    group: "Lifetime",
    default: "wait",
    description: "What agents do at a usage limit whose end is known: wait for it and go on, or fail",
  },
  "allow-command": {
    value: "COMMAND",
    isRepeatable: true,
    variable: "CODEX_SWARM_ALLOW_COMMAND",
    variableForm: "one per line",
    group: "Worktrees",
    otherwise: "none",
    description:
      "A command, word for word, that calls may have run outside every sandbox: as setup of a worktree, or " +
      "as check of a merge",
  },
  "retention": {
    value: "DURATION",
    variable: "CODEX_SWARM_RETENTION",
    group: "Worktrees",
    default: "14d",
    description: "How long the files of a removed worktree are kept, and the snapshots of what is merged; those of " +
      "unmerged work are kept without end",
  },
  "max-wait": {
    value: "DURATION",
    variable: "CODEX_SWARM_MAX_WAIT",
    group: "Waiting",
    otherwise: "what the client bears: 50s unless it is known to bear more",
    description: "The longest that one codex_wait blocks before it says STILL RUNNING",
  },
  "http": {
    value: "[HOST:PORT]",
    isValueOptional: true,
    variable: "CODEX_SWARM_HTTP",
    variableForm: "HOST:PORT, or 1",
    group: "HTTP",
    otherwise: "off; alone 127.0.0.1:7077",
    description: "Serves any number of clients over HTTP, at /mcp, instead of one on stdin and stdout",
  },
  "port": {
    value: "N",
    group: "HTTP",
    description: "The port alone; 0 takes a free one and prints it. Implies --http",
  },
  "socket": { value: "PATH", group: "HTTP", description: "Listens on a Unix socket instead. Implies --http" },
  "token-file": {
    value: "FILE",
    variable: "CODEX_SWARM_TOKEN_FILE",
    group: "HTTP",
    otherwise: "token in the state directory, made at the first start",
    description: "Holds the token that requests must show",
  },
  "no-token": {
    variable: "CODEX_SWARM_NO_TOKEN",
    group: "HTTP",
    description: "Lets everybody in who reaches the server from this machine: every program of every user",
  },
  "allowed-host": {
    value: "NAME",
    isRepeatable: true,
    variable: "CODEX_SWARM_ALLOWED_HOST",
    variableForm: "separated by commas",
    group: "HTTP",
    otherwise: "the names of this machine's loopback",
    description: "A further host name by which clients reach the server",
  },
  "allowed-origin": {
    value: "ORIGIN",
    isRepeatable: true,
    variable: "CODEX_SWARM_ALLOWED_ORIGIN",
    variableForm: "separated by commas",
    group: "HTTP",
    otherwise: "pages that this machine's loopback served",
    description: "A further origin, such as https://example.com, whose web pages may call the server",
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
  "print": {
    group: "Commands",
    description: "With install and uninstall: only shows what would be changed",
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
