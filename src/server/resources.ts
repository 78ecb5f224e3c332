/** The three resources of codex-mcp-swarm. */
import { maskConfigValue } from "../task/secret_names.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import { taskEntry } from "../tools/present_entry.ts";

/** Tasks listed at most of those that have ended. */
const MAX_ENDED = 1_000;

/** Something that clients can read. */
export interface Resource {
  readonly uri: string;
  readonly name: string;
  readonly description: string;
  readonly read: () => Promise<unknown>;
}

/** What the resources tell about their server. */
export interface ResourceOptions {
  readonly version: string;
  readonly toolNames: readonly string[];
  readonly tasksDir: string;
  readonly worktreesDir: string;
  readonly taskMaxAgeMs: number;
  readonly logFile: string;
  readonly logLevel: string;
  readonly serverConfig: readonly string[];
  readonly serverFlags: readonly string[];
  readonly supervisor: Supervisor;
  /** Asks Deno for each permission's state. A revoked one is `prompt`, which is as good as `denied`: nobody is asked. */
  readonly permissions: () => Promise<Readonly<Record<string, string>>>;
}

/** Makes the resources. */
export function createResources(options: ResourceOptions): Resource[] {
  return [
    {
      uri: "codex-swarm:///server-info",
      name: "server-info",
      description: "Version, tools, directories, and the permissions this server still has",
      read: async () => ({
        name: "codex-swarm",
        version: options.version,
        tools: options.toolNames,
        task_dir: options.tasksDir,
        worktree_dir: options.worktreesDir,
        task_max_age_seconds: options.taskMaxAgeMs / 1000,
        log_file: options.logFile,
        log_level: options.logLevel,
        failure_reporting: {
          terminal_events: ["turn.completed", "turn.failed"],
          top_level_error_is_terminal: false,
          error_item_is_terminal: false,
          stderr_role: "diagnostic_only",
          wrapper_retries: "only starts that die of shared state before any event",
        },
        permissions: await options.permissions(),
      }),
    },
    {
      uri: "codex-swarm:///config",
      name: "config",
      description: "The server's own Codex settings; values that look like secrets are masked",
      read: () =>
        Promise.resolve({ server_config: maskedConfig(options.serverConfig), server_flags: options.serverFlags }),
    },
    {
      uri: "codex-swarm:///tasks",
      name: "tasks",
      description: `All tasks that have not ended, and the newest ${MAX_ENDED} that have`,
      read: async () =>
        (await options.supervisor.list({ limit: MAX_ENDED })).map((task) => taskEntry(task, new Date())),
    },
  ];
}

function maskedConfig(settings: readonly string[]): Record<string, string> {
  return Object.fromEntries(settings.map((setting) => {
    const masked = maskConfigValue(setting);
    const at = masked.indexOf("=");
    return [masked.slice(0, at).trim(), masked.slice(at + 1).trim()];
  }));
}
