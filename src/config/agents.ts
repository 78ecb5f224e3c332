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
  const ms = parseDuration(text);
  if (ms !== null && ms > 0 && ms <= MAX_TIMER_MS) return ms;
  const expected = `seconds, more than 0 and at most ${MAX_TIMER_MS / 1000}`;
  warnings.push(`Ignored CODEX_TIMEOUT_SECONDS="${text}": expected ${expected}; using --task-timeout.`);
  return null;
}
