/** Serves MCP, on standard input and output or over HTTP. */
import { resolve } from "node:path";
import type { Config } from "../config.ts";
import { findRepository } from "../git/repository.ts";
import { createLog, type Log } from "../log.ts";
import { createServer, type MakeServer } from "../server/create_server.ts";
import { instructions } from "../server/instructions.ts";
import { KeptCalls } from "../server/kept_calls.ts";
import { OpenCalls } from "../server/open_calls.ts";
import { resourceFacts } from "../server/resource_facts.ts";
import { createTemplates } from "../server/resource_templates.ts";
import { ResourceUpdates } from "../server/resource_updates.ts";
import { createResources, type Resource } from "../server/resources.ts";
import { serveStdio } from "../server/stdio.ts";
import { HandleFiles } from "../storage/handle_files.ts";
import { existingDirectory } from "../storage/paths.ts";
import { TaskChanges } from "../storage/task_changes.ts";
import { findRepositoryId } from "../supervisor/plan_places.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import { tools } from "../tools/mod.ts";
import type { Tool } from "../tools/tool.ts";
import type { Connection } from "./connection.ts";
import { signalled, withDeadline } from "./ending.ts";
import { openSwarm, type Swarm } from "./open_swarm.ts";
import { permissionStates, revokeNet } from "./permissions.ts";
import type { Program } from "./program.ts";
import { remember, rememberFor } from "./remember.ts";
import { serveHttp } from "./serve_http.ts";

/** How long a count of open tasks is told to those who connect. */
const COUNT_MS = 1_000;
/** The longest that ending takes: the whole ladder of signals, and some. */
const CLOSE_MS = 10_000;

/**
 * Serves one client on standard input and output, or any number over HTTP, until the client leaves or a signal comes;
 * `insist` is called at a second signal. Throws a TaskError where it cannot begin as it is told to.
 */
export async function serve(
  config: Config,
  { program, offered, insist }: {
    readonly program: Program;
    readonly offered: readonly Tool[];
    readonly insist: () => void;
  },
): Promise<void> {
  if (config.http === null) await revokeNet();
  for (const root of config.limits.roots) await existingDirectory(root, "--root");
  const log = createLog({ level: config.logLevel, file: config.logFile });
  for (const warning of config.warnings) log.warning(warning);
  // A promise that nobody watched must not take the agents of all clients with it.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.error("something failed unseen", { error: event.reason });
  });
  const swarm = await openSwarm(config, { program, log });
  const { supervisor } = swarm;
  const ending = new AbortController();
  const mcp = makeMcp(config, { program, offered, swarm, ending: ending.signal, log });
  const { makeServer, updates, kept, calls } = mcp;
  const connection: Connection = config.http === null
    ? serveStdio(makeServer, { updates, log })
    : await serveHttp(config, config.http, {
      makeServer,
      health: () => ({
        status: "ok",
        version: program.version,
        agents: supervisor.countRunning(),
        calls: calls.count,
      }),
      updates,
      log,
    });
  supervisor.open();
  kept.open();
  const reason = await Promise.race([connection.left.then(() => "the client left"), signalled(insist)]);
  log.info("the server ends", { reason });
  connection.stop?.();
  ending.abort();
  // What cannot be stopped in time is stopped by its shim, once this process is gone.
  await withDeadline(Promise.all([kept.settled(), supervisor.close()]), CLOSE_MS);
  await connection.close();
}

/** What all connections of a server have in common. */
interface Mcp {
  readonly makeServer: MakeServer;
  readonly updates: ResourceUpdates;
  readonly kept: KeptCalls;
  readonly calls: OpenCalls;
}

function makeMcp(
  config: Config,
  { program, offered, swarm: { supervisor, services }, ending, log }: {
    readonly program: Program;
    readonly offered: readonly Tool[];
    readonly swarm: Swarm;
    readonly ending: AbortSignal;
    readonly log: Log;
  },
): Mcp {
  const toolNames = offered.map(({ name }) => name);
  const transport = config.http === null ? "stdio" : "http";
  // Over HTTP clients are elsewhere, and say where if they want to.
  const ownRepository = transport === "stdio"
    ? remember(async () => (await findRepository(config.cwd))?.commonDir ?? config.cwd)
    : () => Promise.resolve(null);
  const repository = async (cwd?: string): Promise<string | null> =>
    cwd === undefined ? await ownRepository() : await findRepositoryId(resolve(config.cwd, cwd));
  const resources = makeResources(config, { program, toolNames, supervisor });
  const templates = createTemplates({ supervisor, services });
  const updates = new ResourceUpdates({ look: resourceFacts(new TaskChanges(config.tasksDir), resources) });
  const countOpen = rememberFor(COUNT_MS, async (): ReturnType<Supervisor["countOpen"]> => {
    try {
      return await supervisor.countOpen(await ownRepository());
    } catch (error) {
      // A client gets to know of it from its calls; it must be able to make them.
      log.error("the tasks cannot be counted", { error });
      return { running: 0, unread: 0 };
    }
  });
  const kept = new KeptCalls({
    files: new HandleFiles(config.stateDir),
    tools,
    offered: toolNames,
    services,
    repository,
    maxAgeMs: config.taskMaxAgeMs,
    ending,
    log,
    now: () => new Date(),
  });
  const calls = new OpenCalls();
  const makeServer: MakeServer = async ({ era }) =>
    createServer({
      version: program.version,
      tools: offered,
      resources,
      templates,
      updates,
      completeIds: (options) => supervisor.newestIds(options),
      services,
      kept,
      era,
      repository,
      instructions: instructions({ open: await countOpen(), toolNames, transport }),
      transport,
      ending,
      maxWaitMs: config.maxWaitMs,
      calls,
      log,
    });
  return { makeServer, updates, kept, calls };
}

function makeResources(
  config: Config,
  { program, toolNames, supervisor }: {
    readonly program: Program;
    readonly toolNames: readonly string[];
    readonly supervisor: Supervisor;
  },
): Resource[] {
  return createResources({
    version: program.version,
    toolNames,
    tasksDir: config.tasksDir,
    worktreesDir: config.worktreesDir,
    taskMaxAgeMs: config.taskMaxAgeMs,
    logFile: config.logFile,
    logLevel: config.logLevel,
    serverConfig: config.codex.config,
    serverFlags: [
      ...(config.codex.skipGitRepoCheck ? ["--skip-git-repo-check"] : []),
      ...(config.codex.ephemeral ? ["--ephemeral"] : []),
    ],
    supervisor,
    permissions: permissionStates,
  });
}
