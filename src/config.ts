/** Turns flags and environment into one frozen {@linkcode Config}. Pure. `config/flags.ts` holds the defaults and their units. */
import { type AgentSettings, readAgentSettings } from "./config/agents.ts";
import { chooseClient } from "./config/client_choice.ts";
import { closest } from "./config/closest.ts";
import { parseCommandLine } from "./config/command_line.ts";
import { ConfigError } from "./config/config_error.ts";
import { CLIENT_COMMANDS, type CommandName } from "./config/commands.ts";
import { type HttpSettings, isToken, readHttp } from "./config/http.ts";
import { EXIT_ACTIONS, flagEntries, type FlagName, STALL_ACTIONS, USAGE_LIMIT_ACTIONS } from "./config/flags.ts";
import { absolute, codexHome, createPaths, defaultStateDir, type Paths, variablePath } from "./config/paths.ts";
import {
  readAgentEnv,
  readChoice,
  readCodexConfig,
  readDepth,
  readDuration,
  readList,
  readLogLevel,
  readMaxSandbox,
  readSwitch,
  readText,
  readVariableDuration,
  readWholeNumber,
  type Sources,
} from "./config/settings.ts";
import { checkToolChoice, readToolChoice, type ToolChoice } from "./config/tool_choice.ts";
import { MARKERS, REPOSITORY_VARIABLES, SECRETS, VARIABLES } from "./config/variables.ts";
import type { LogLevel } from "./log.ts";
import type { SandboxMode } from "./task/spec.ts";

export { checkToolChoice, chooseClient, ConfigError, type HttpSettings, isToken };

/** All that the program is told at its start. Directories and files are absolute. */
export interface Config {
  readonly command: CommandName;
  /** The client that install and uninstall are about, as the user named it. */
  readonly client: string | null;
  /** `--print`: install and uninstall only show what they would change. */
  readonly isPrint: boolean;
  /**
   * The process's environment, without what leads git to one repository wherever it runs and without the server's own
   * secrets; children get it explicitly.
   */
  readonly env: Readonly<Record<string, string>>;
  /** `--env KEY=VALUE`, for every agent. */
  readonly agentEnv: Readonly<Record<string, string>>;
  readonly codex: {
    /** A path, or a name to be looked for in PATH. */
    readonly path?: string;
    /** `key=value`, verbatim; a later one wins. */
    readonly config: readonly string[];
    readonly skipGitRepoCheck: boolean;
    readonly ephemeral: boolean;
  };
  /**
   * CODEX_HOME of `--env`, else of the environment, else `~/.codex`. It and the state directory are empty when the home
   * directory is unknown, which only help, version and doctor put up with.
   */
  readonly codexHome: string;
  /** The root of the file system where nobody knows better. */
  readonly home: string;
  readonly cwd: string;
  readonly stateDir: string;
  readonly tasksDir: string;
  readonly worktreesDir: string;
  readonly logFile: string;
  readonly logLevel: LogLevel;
  readonly maxConcurrent: number;
  /** Wall clock of one run. */
  readonly taskTimeoutMs: number;
  /** `null`: what the client bears. */
  readonly maxWaitMs: number | null;
  readonly minWaitMs: number;
  readonly offlineTimeoutMs: number;
  /** How long a server-bound agent outlives a crash of its server; 0: not at all. */
  readonly orphanGraceMs: number;
  /** What all agents do when the server ends; `null`: each what its own lifetime says. */
  readonly onExit: typeof EXIT_ACTIONS[number] | null;
  readonly stallAfterMs: number;
  readonly stallAction: typeof STALL_ACTIONS[number];
  readonly onUsageLimit: typeof USAGE_LIMIT_ACTIONS[number];
  readonly taskMaxAgeMs: number;
  /** Commands that may run outside every sandbox, word for word. */
  readonly allowedCommands: readonly string[];
  /** How long what was removed of worktrees is kept. */
  readonly retentionMs: number;
  /** `null` and an empty list are no limit. */
  readonly limits: { readonly maxSandbox: SandboxMode | null; readonly roots: readonly string[] };
  readonly maxDepth: number;
  /** How many agents stand above this server. */
  readonly depth: number;
  readonly toolChoice: ToolChoice;
  readonly agents: AgentSettings;
  /** `null`: the server speaks on stdin and stdout. */
  readonly http: HttpSettings | null;
  /** One sentence each, for the log. */
  readonly warnings: readonly string[];
}

export interface ConfigInput {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** As `Deno.build.os` names it. */
  readonly os: string;
}

/** Reads flags and environment. Throws {@linkcode ConfigError} on what cannot be used. */
export function parseConfig(input: ConfigInput): Config {
  const given = parseCommandLine(input.args);
  const isInformation = given.command === "help" || given.command === "version";
  // Help comes whatever else is wrong.
  const line = isInformation ? { ...given, values: new Map<FlagName, readonly string[]>() } : given;
  const env = isInformation ? {} : input.env;
  const warnings = [...line.warnings, ...warnOfUnknownVariables(env)];
  const sources: Sources = { line, env, warnings };
  const paths = createPaths({ ...input, env });
  const agentEnv = readAgentEnv(sources);
  const codexPath = readText(sources, "codex");
  const taskTimeoutMs = readDuration(sources, "task-timeout");
  const places = findPlaces(sources, paths, agentEnv["CODEX_HOME"] || env["CODEX_HOME"]);
  const { flag, variable } = readList(sources, "root", paths.path.delimiter);
  const roots = (flag.length > 0 ? flag : variable).map((root) => absolute(paths, root));
  const allowed = readList(sources, "allow-command", "\n");
  const http = readHttp(sources, paths, places.stateDir);
  return Object.freeze({
    command: line.command,
    client: line.client,
    isPrint: readSwitch(sources, "print"),
    env: Object.freeze(forChildren(input.env)),
    agentEnv: Object.freeze(agentEnv),
    codex: Object.freeze({
      ...(codexPath === null ? {} : { path: /[\\/]/.test(codexPath) ? absolute(paths, codexPath) : codexPath }),
      config: Object.freeze(readCodexConfig(sources)),
      skipGitRepoCheck: readSwitch(sources, "skip-git-repo-check"),
      ephemeral: readSwitch(sources, "ephemeral"),
    }),
    home: paths.home ?? paths.path.parse(input.cwd).root,
    cwd: input.cwd,
    ...places,
    logLevel: readLogLevel(sources),
    maxConcurrent: readWholeNumber(sources, "max-concurrent", [1, 1_000]),
    taskTimeoutMs,
    maxWaitMs: readText(sources, "max-wait") === null ? null : readDuration(sources, "max-wait"),
    minWaitMs: readVariableDuration(sources, "CODEX_SWARM_MIN_WAIT"),
    offlineTimeoutMs: readDuration(sources, "offline-timeout"),
    orphanGraceMs: readDuration(sources, "orphan-grace", { isZeroAllowed: true }),
    onExit: readText(sources, "on-exit") === null ? null : readChoice(sources, "on-exit", EXIT_ACTIONS),
    stallAfterMs: readDuration(sources, "stall-after"),
    stallAction: readChoice(sources, "stall-action", STALL_ACTIONS),
    onUsageLimit: readChoice(sources, "on-usage-limit", USAGE_LIMIT_ACTIONS),
    taskMaxAgeMs: readVariableDuration(sources, "CODEX_SWARM_TASK_MAX_AGE"),
    allowedCommands: Object.freeze([...allowed.variable, ...allowed.flag]),
    retentionMs: readDuration(sources, "retention", { mostDays: 3_650 }),
    limits: Object.freeze({
      maxSandbox: readMaxSandbox(sources) ?? (http === null ? null : "workspace-write"),
      roots: Object.freeze(roots),
    }),
    maxDepth: readWholeNumber(sources, "max-depth", [1, 10]),
    depth: readDepth(sources),
    toolChoice: Object.freeze(readToolChoice(sources)),
    agents: Object.freeze(readAgentSettings(sources, { paths, stateDir: places.stateDir, taskTimeoutMs })),
    http,
    warnings: Object.freeze(warnings),
  });
}

/** A server may have been started by a hook of some repository; its agents work in others, and know none of its secrets. */
function forChildren(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !REPOSITORY_VARIABLES.has(name) && !SECRETS.has(name)),
  );
}

type Places = Pick<Config, "codexHome" | "stateDir" | "tasksDir" | "worktreesDir" | "logFile">;

function findPlaces({ line, env, warnings }: Sources, paths: Paths, codexHomeText: string | undefined): Places {
  const asked = readText({ line, env, warnings }, "state-dir");
  const stateDir = asked === null ? defaultStateDir(paths) : absolute(paths, asked);
  const codex = codexHome(paths, codexHomeText);
  if (stateDir === null || codex === null) {
    const missing = [...(stateDir === null ? ["--state-dir DIR"] : []), ...(codex === null ? ["CODEX_HOME"] : [])];
    const message = `The home directory is unknown: set HOME, or ${missing.join(" and ")}`;
    if (line.command === "mcp-server" || CLIENT_COMMANDS.has(line.command)) throw new ConfigError(message);
    if (line.command === "doctor") warnings.push(`${message}.`);
  }
  const inState = (...names: string[]): string => stateDir === null ? "" : paths.path.join(stateDir, ...names);
  return {
    codexHome: codex ?? "",
    stateDir: stateDir ?? "",
    tasksDir: variablePath(paths, "CODEX_SWARM_TASK_DIR") ?? inState("tasks"),
    worktreesDir: variablePath(paths, "CODEX_SWARM_WORKTREE_DIR") ?? inState("worktrees"),
    logFile: variablePath(paths, "CODEX_SWARM_LOG") ?? inState("logs", "codex-swarm.log"),
  };
}

function warnOfUnknownVariables(env: Readonly<Record<string, string>>): string[] {
  const known: string[] = [
    ...flagEntries().flatMap(([, flag]) => flag.variable ?? []),
    ...Object.keys(VARIABLES),
    ...MARKERS,
  ];
  return Object.keys(env).filter((name) => name.startsWith("CODEX_SWARM_") && !known.includes(name)).map((name) => {
    const meant = closest(name, known);
    return `Ignored the unknown variable ${name}${meant === null ? "." : `: did you mean ${meant}?`}`;
  });
}
