/** What agents of the spawn_* tools have unless the call says otherwise: codex-as-mcp's variables. */
import { VARIABLES } from "./variables.ts";
import { absolute, type Paths, variablePath } from "./paths.ts";
import { MAX_TIMER_MS, type Sources } from "./settings.ts";
import { parseDuration } from "./values.ts";

/** Directories are absolute. */
export interface AgentSettings {
  /** `null`: the server's. */
  readonly cwd: string | null;
  readonly logDir: string;
  /** Wall clock of one run. */
  readonly timeoutMs: number;
  readonly model: string | null;
  readonly reasoningEffort: string | null;
}

export function readAgentSettings(
  sources: Sources,
  { paths, stateDir, taskTimeoutMs }: {
    readonly paths: Paths;
    readonly stateDir: string;
    readonly taskTimeoutMs: number;
  },
): AgentSettings {
  const { env } = sources;
  return {
    cwd: variablePath(paths, "CODEX_AGENT_CWD"),
    logDir: variablePath(paths, "CODEX_AS_MCP_LOG_DIR") ?? defaultLogDir(paths, stateDir),
    timeoutMs: readTimeout(sources) ?? taskTimeoutMs,
    model: env["CODEX_MODEL"] || null,
    reasoningEffort: env["CODEX_REASONING_EFFORT"] || null,
  };
}

/** Beside the state where the home directory is unknown. */
function defaultLogDir(paths: Paths, stateDir: string): string {
  if (paths.home !== null) return absolute(paths, VARIABLES.CODEX_AS_MCP_LOG_DIR.default ?? "");
  return stateDir === "" ? "" : paths.path.join(stateDir, "logs", "agents");
}

function readTimeout({ env, warnings }: Sources): number | null {
  const text = env["CODEX_TIMEOUT_SECONDS"] ?? "";
  if (text === "") return null;
  const ms = parseDuration(text) ?? parseFloatOfPython(text) * 1_000;
  if (ms > MAX_TIMER_MS) {
    warnings.push(`CODEX_TIMEOUT_SECONDS="${text}" is more than a run may take: using ${MAX_TIMER_MS / 1_000}.`);
    return MAX_TIMER_MS;
  }
  // A fraction of a millisecond is as good as none.
  if (Math.round(ms) > 0) return Math.round(ms);
  warnings.push(`Ignored CODEX_TIMEOUT_SECONDS="${text}": expected seconds, more than 0; using --task-timeout.`);
  return null;
}

/** Reads a number as codex-as-mcp did, which knew no longest: `1e9` and `inf` too; `NaN` for anything else. */
function parseFloatOfPython(text: string): number {
  return /^\+?inf(inity)?$/i.test(text.trim()) ? Infinity : Number(text);
}
