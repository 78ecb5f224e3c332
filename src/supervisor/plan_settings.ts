/** What the call's, the thread's, the server's and the user's own settings come to. */
import { approvalPolicyOf } from "../codex/codex_args.ts";
import { readCodexConfig } from "../codex/codex_home.ts";
import type { ThreadFacts } from "../codex/thread_file.ts";
import { flattenConfig } from "../codex/toml_value.ts";
import { resolveLinks } from "../storage/paths.ts";
import { TaskError } from "../task/errors.ts";
import { secretVariables } from "../task/secret_names.ts";
import type { CodexSettings, EffectiveSandbox, ServerSettings } from "../task/spec.ts";
import { effectiveSandbox } from "./effective_sandbox.ts";
import { checkRoot, checkSettings, type Limits } from "./limits.ts";
import { disabledMcpServers } from "./mcp_servers.ts";
import type { Places } from "./plan_places.ts";
import type { StartRequest } from "./start_request.ts";

/** The settings of a run. */
export interface Settings {
  /** The call's and the thread's `config`, but for an approval policy. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The approval policy of the call's `config` or of the server; it has no effect. */
  readonly approval: string | null;
  readonly sandbox: EffectiveSandbox;
  /** The sandbox is passed to Codex, not left to its own configuration. */
  readonly isSandboxNamed: boolean;
  /** What Codex's own configuration makes writable. */
  readonly writableRoots: readonly string[];
  readonly server: ServerSettings;
  /** What could not be read or understood, one sentence each. */
  readonly notes: readonly string[];
}

/** What settings depend on that is the same for all calls of a server. */
export interface ServerContext {
  readonly server: CodexSettings;
  /** Working directory of the server. */
  readonly cwd: string;
  /** The environment of every agent, and which of its names were given on purpose. */
  readonly env: Readonly<Record<string, string>>;
  readonly givenEnvNames: ReadonlySet<string>;
  /** The file or program this server is, to know its own entry among MCP servers. */
  readonly ownScript: string;
  /** Where this server, and the others on its state, listen now. */
  readonly ownEndpoints: () => Promise<readonly string[]>;
}

/** What settings depend on besides the call. */
export interface SettingsContext extends ServerContext {
  readonly places: Places;
  readonly thread: ThreadFacts | null;
  /** Of the run. */
  readonly codexHome: string;
  readonly limits: Limits;
}

/** Reads and decides all settings. `request` has what the thread keeps. Throws for what the limits forbid. */
export async function readSettings(request: StartRequest, context: SettingsContext): Promise<Settings> {
  const { limits, places, server } = context;
  const config = request.config ?? {};
  checkSettings(config, limits);
  const { approval_policy: approval, ...kept } = config;
  const facts = await readCodexConfig({
    codexHome: context.codexHome,
    cwd: places.cwd,
    repository: places.repository,
    serverConfig: server.config,
    callConfig: [...flattenConfig(kept), ...networkSetting(request)],
    ...(request.profile === undefined ? {} : { profile: request.profile }),
  });
  const skipGitRepoCheck = server.skipGitRepoCheck || request.skipGitRepoCheck === true;
  if (places.repository === null && !skipGitRepoCheck && facts.trust !== "trusted") throw noRepository(places);
  for (const root of facts.writableRoots) {
    checkRoot(await resolveLinks(root), "sandbox_workspace_write.writable_roots", limits);
  }
  const { thread } = context;
  const sandbox = effectiveSandbox(request, { facts, thread, limits });
  return {
    config: kept,
    approval: approval === undefined ? serverApproval(server.config) : String(approval),
    sandbox,
    // A permission profile of the user's own has no name among the modes: `-s` would take its place.
    isSandboxNamed: sandbox.network !== null &&
      (["call", "thread", "worktree"].includes(sandbox.source) || limits.maxSandbox !== null),
    writableRoots: facts.writableRoots,
    server: {
      config: server.config.filter((setting) => approvalPolicyOf(setting) === null),
      skipGitRepoCheck,
      ephemeral: server.ephemeral,
      cwd: context.cwd,
      envNames: [...context.givenEnvNames],
      hasEnvPolicy: facts.hasShellEnvironmentPolicy,
      withheldEnv: facts.hasShellEnvironmentPolicy
        ? []
        : secretVariables(context.env, new Set([...context.givenEnvNames, ...Object.keys(request.env ?? {})])),
      disabledMcpServers: disabledMcpServers(facts.mcpServers, {
        ...(request.mcpServers === undefined ? {} : { wanted: request.mcpServers }),
        own: { script: context.ownScript, endpoints: await context.ownEndpoints() },
      }),
    },
    notes: facts.notes,
  };
}

/** As {@linkcode codexArgs} passes it, after the call's `config`. */
function networkSetting({ network }: StartRequest): string[] {
  return network === undefined ? [] : [`sandbox_workspace_write.network_access=${network}`];
}

/** The server's own `-c approval_policy`, which means as little as a call's: agents cannot ask. */
function serverApproval(settings: readonly string[]): string | null {
  return settings.map(approvalPolicyOf).findLast((policy) => policy !== null) ?? null;
}

function noRepository({ cwd }: Places): TaskError {
  return new TaskError(
    "not_a_repository",
    `Cannot run Codex in ${cwd}: it is not inside a git repository. Choose another cwd, run "git init" there, or start ` +
      "the server with --skip-git-repo-check.",
  );
}
