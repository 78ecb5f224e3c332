/** Puts the parts together. Alone reads the command line and the environment, and alone ends the process. */
import { join, resolve } from "node:path";
import manifest from "./deno.json" with { type: "json" };
import type { Client } from "./src/cli/install/client.ts";
import { bellDirectory } from "./src/codex/run_codex.ts";
import { type CodexProbe, rememberProbe } from "./src/codex/probe.ts";
import {
  checkToolChoice,
  chooseClient,
  type Config,
  ConfigError,
  type HttpSettings,
  isToken,
  parseConfig,
} from "./src/config.ts";
import { findRepository } from "./src/git/repository.ts";
import { Git } from "./src/git/git.ts";
import { createLog, type Log } from "./src/log.ts";
import { directHost, windowsTools } from "./src/process/direct.ts";
import { shimHost } from "./src/process/shim.ts";
import { type EndpointToken, listEndpoints, noteEndpoint } from "./src/storage/endpoint_files.ts";
import { HandleFiles } from "./src/storage/handle_files.ts";
import { existingDirectory } from "./src/storage/paths.ts";
import { isNewerState } from "./src/storage/state_directory.ts";
import { RequestFiles } from "./src/storage/request_files.ts";
import { StatePlaces } from "./src/storage/state_places.ts";
import { TaskChanges } from "./src/storage/task_changes.ts";
import { readTokenFile } from "./src/storage/token_file.ts";
import { createServer, type MakeServer } from "./src/server/create_server.ts";
import { instructions } from "./src/server/instructions.ts";
import { KeptCalls } from "./src/server/kept_calls.ts";
import { OpenCalls } from "./src/server/open_calls.ts";
import { resourceFacts } from "./src/server/resource_facts.ts";
import { createTemplates } from "./src/server/resource_templates.ts";
import { ResourceUpdates } from "./src/server/resource_updates.ts";
import { createResources } from "./src/server/resources.ts";
import { serveStdio } from "./src/server/stdio.ts";
import { findRepositoryId } from "./src/supervisor/plan_places.ts";
import { planTask } from "./src/supervisor/plan_task.ts";
import type { WorktreePlanner } from "./src/supervisor/plan_worktree.ts";
import { runCheck } from "./src/work/run_check.ts";
import { serverDepth } from "./src/supervisor/recursion.ts";
import { RepositoryContent } from "./src/work/repository_content.ts";
import { Supervisor } from "./src/supervisor/supervisor.ts";
import { Work } from "./src/work/work.ts";
import { WorkDirectories } from "./src/storage/work_directory.ts";
import { Worktrees } from "./src/work/worktrees.ts";
import { TaskError } from "./src/task/errors.ts";
import { chooseTools } from "./src/tools/choose_tools.ts";
import { tools } from "./src/tools/mod.ts";
import { SharedAnswers } from "./src/tools/shared_answers.ts";
import { type Tool, type ToolServices, TOOLSETS } from "./src/tools/tool.ts";

const { version } = manifest;
const PERMISSIONS = ["run", "read", "write", "env", "sys", "net", "ffi", "import"] as const;

/** Size of an agent's events beyond which their middle is dropped: more than any sound run writes. */
const MAX_EVENT_BYTES = 256 * 1024 * 1024;
/** How long a count of open tasks is told to those who connect. */
const COUNT_MS = 1_000;
/** The longest that ending takes: the whole ladder of signals, and some. */
const CLOSE_MS = 10_000;

async function main(): Promise<number> {
  let config: Config;
  let offered: readonly Tool[];
  try {
    config = parseConfig({ args: Deno.args, env: Deno.env.toObject(), cwd: Deno.cwd(), os: Deno.build.os });
    checkToolChoice(config.toolChoice, { toolsets: TOOLSETS, tools: tools.map(({ name }) => name) });
    offered = chooseTools(tools, config.toolChoice);
    if (offered.length === 0) {
      throw new ConfigError("No tool is left: --toolsets, --tools, --exclude-tools and --read-only leave none");
    }
  } catch (error) {
    return refuse(error);
  }
  // What only some start is loaded by them: each start under a client counts.
  switch (config.command) {
    case "help": {
      const { helpText } = await import("./src/cli/help.ts");
      writeText(Deno.stdout, helpText(version));
      return 0;
    }
    case "version":
      writeText(Deno.stdout, `codex-swarm ${version}\n`);
      return 0;
    case "doctor": {
      const { runDoctor } = await import("./src/cli/doctor.ts");
      return await runDoctor({
        ...config,
        version,
        ...(config.codex.path === undefined ? {} : { codexPath: config.codex.path }),
        cacheFile: probeCache(config),
        log: createLog({ level: config.logLevel }),
        write: (text) => writeText(Deno.stdout, text),
      });
    }
    case "install":
    case "uninstall":
      return await changeClient(config);
    case "mcp-server":
      return await serve(config, offered);
  }
}

/** Puts the server into a client's configuration, or takes it out. */
async function changeClient(config: Config): Promise<number> {
  await revokeNet();
  const { clientNames, runInstall, runUninstall } = await import("./src/cli/install/mod.ts");
  let client: Client;
  try {
    client = chooseClient(config.client, { command: config.command, known: clientNames });
  } catch (error) {
    return refuse(error);
  }
  const options = {
    client,
    isPrint: config.isPrint,
    machine: { ...config, cwd: callerDirectory(config), os: Deno.build.os, isDirectory },
    write: (text: string) => writeText(Deno.stdout, text),
    writeError: (text: string) => writeText(Deno.stderr, text),
  };
  if (config.command === "uninstall") return await runUninstall(options);
  return await runInstall({
    ...options,
    address: config.http?.address ?? null,
    endpoints: config.http === null ? [] : await listEndpoints(endpointsDirectory(config)),
    token: endpointToken(config.http?.token ?? { kind: "none" }),
    program: {
      isStandalone: Deno.build.standalone,
      execPath: Deno.execPath(),
      script: import.meta.filename,
      startTask: manifest.tasks.start,
      searchPath: config.env["PATH"] ?? "",
    },
  });
}

/** `deno task` works in the sources' directory, whatever directory it was called in. */
function callerDirectory({ cwd, env }: Config): string {
  return cwd === import.meta.dirname ? env["INIT_CWD"] || cwd : cwd;
}

/** Tells what of the command line cannot be used. */
function refuse(error: unknown): number {
  if (!(error instanceof ConfigError)) throw error;
  writeText(Deno.stderr, `codex-swarm: ${error.message}\n`);
  return 2;
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/** Serves one client on standard input and output, or any number over HTTP, until the client leaves or a signal comes. */
async function serve(config: Config, offered: readonly Tool[]): Promise<number> {
  try {
    return await serveUntilEnd(config, offered);
  } catch (error) {
    // Where it cannot begin as it is told to.
    if (!(error instanceof TaskError)) throw error;
    writeText(Deno.stderr, `codex-swarm: ${error.message}\n`);
    return 2;
  }
}

async function serveUntilEnd(config: Config, offered: readonly Tool[]): Promise<number> {
  if (config.http === null) await revokeNet();
  for (const root of config.limits.roots) await existingDirectory(root, "--root");
  const log = createLog({ level: config.logLevel, file: config.logFile });
  for (const warning of config.warnings) log.warning(warning);
  // A promise that nobody watched must not take the agents of all clients with it.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.error("something failed unseen", { error: event.reason });
  });
  const probe = createProbe(config, log);
  const isReadOnly = await isNewerState(config.stateDir);
  if (isReadOnly) log.warning("the state directory is a newer program's: its tasks can only be looked at");
  const env = { ...config.env, ...config.agentEnv };
  const git = new Git(env);
  const content = new RepositoryContent(git, join(config.stateDir, "git"));
  const now = (): Date => new Date();
  const directories = new WorkDirectories(join(config.stateDir, "work"));
  const allowed = new Set(config.allowedCommands);
  const parts = { git, content, directories, env, log, now };
  const worktrees = new Worktrees(parts);
  const work = new Work({
    ...parts,
    stateDir: config.stateDir,
    worktreesDir: config.worktreesDir,
    retentionMs: config.retentionMs,
    isInUse: (id, directory) => supervisor.whoWorksIn(id, directory),
    check: (command, at) =>
      runCheck(command, at, { git, content, probe, env, allowed, directory: join(config.stateDir, "checks") }),
  });
  const supervisor: Supervisor = createSupervisor(config, { probe, isReadOnly, worktrees, work, log });
  // Over HTTP clients are elsewhere, and say where if they want to.
  const ownRepository = config.http === null
    ? remember(async () => (await findRepository(config.cwd))?.commonDir ?? config.cwd)
    : () => Promise.resolve(null);
  const repository = async (cwd?: string): Promise<string | null> =>
    cwd === undefined ? await ownRepository() : await findRepositoryId(resolve(config.cwd, cwd));
  const services = {
    supervisor,
    minWaitMs: config.minWaitMs,
    cwd: config.cwd,
    agents: config.agents,
    lists: new SharedAnswers(),
    work,
    requests: new RequestFiles(config.stateDir),
    plan: createPlan(config, {
      supervisor,
      probe,
      worktrees: {
        git,
        content,
        stateDir: config.stateDir,
        allowedCommands: allowed,
        at: (path) => worktrees.at(path),
        now,
      },
      log,
    }),
    log,
  };
  const resources = createResources({
    version,
    toolNames: offered.map(({ name }) => name),
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
  const ending = new AbortController();
  const kept = new KeptCalls({
    files: new HandleFiles(config.stateDir),
    tools,
    offered: offered.map(({ name }) => name),
    services,
    repository,
    maxAgeMs: config.taskMaxAgeMs,
    ending: ending.signal,
    log,
    now,
  });
  const calls = new OpenCalls();
  const transport = config.http === null ? "stdio" : "http";
  const makeServer: MakeServer = async ({ era }) =>
    createServer({
      version,
      tools: offered,
      resources,
      templates,
      updates,
      completeIds: (options) => supervisor.newestIds(options),
      services,
      kept,
      era,
      repository,
      instructions: instructions({ open: await countOpen(), toolNames: offered.map(({ name }) => name), transport }),
      transport,
      ending: ending.signal,
      maxWaitMs: config.maxWaitMs,
      calls,
      log,
    });
  const connection: Connection = config.http === null
    ? serveStdio(makeServer, { updates, log })
    : await listen(config, config.http, {
      makeServer,
      health: () => ({ status: "ok", version, agents: supervisor.countRunning(), calls: calls.count }),
      updates,
      log,
    });
  supervisor.open();
  kept.open();
  const reason = await Promise.race([connection.left.then(() => "the client left"), signalled()]);
  log.info("the server ends", { reason });
  connection.stop?.();
  ending.abort();
  // What cannot be stopped in time is stopped by its shim, once this process is gone.
  await withDeadline(Promise.all([kept.settled(), supervisor.close()]), CLOSE_MS);
  await connection.close();
  return 0;
}

/** From here on the program can open no connection to anybody, whatever code it runs. */
async function revokeNet(): Promise<void> {
  await Deno.permissions.revoke({ name: "net" });
}

/** Who can be served, how that is stopped and ended. */
interface Connection {
  /** Settles when nobody is left to be served. */
  readonly left: Promise<void>;
  /** Takes no more clients. */
  stop?(): void;
  close(): Promise<void>;
}

/** Listens over HTTP; says on stderr where, and where the token stands. */
async function listen(
  config: Config,
  { address, token, allowedHosts, allowedOrigins }: HttpSettings,
  { makeServer, health, updates, log }: {
    readonly makeServer: MakeServer;
    readonly health: () => Readonly<Record<string, unknown>>;
    readonly updates: ResourceUpdates;
    readonly log: Log;
  },
): Promise<Connection> {
  const { startHttp } = await import("./src/server/http/start_http.ts");
  const say = (text: string): void => writeText(Deno.stderr, `codex-swarm: ${text}\n`);
  const read = token.kind === "file" ? await readTokenFile(token.path, { isMade: token.isOwn, isToken }) : null;
  const http = await startHttp({
    address,
    gate: {
      allowedHosts: address.kind === "socket" ? null : new Set(allowedHosts),
      allowedOrigins: new Set(allowedOrigins),
      token: read?.token ?? (token.kind === "given" ? token.token : null),
    },
    makeServer,
    health,
    updates,
    log,
  });
  await revokeNet();
  const tokenFile = token.kind === "file" ? token.path : null;
  const note = await noteEndpoint(endpointsDirectory(config), {
    url: http.url,
    pid: Deno.pid,
    token: endpointToken(token),
  })
    .catch((error) => log.warning("others cannot be told where this server listens", { error }));
  say(`serving MCP at ${http.url}`);
  if (read?.isNew === true) say(`made a token, which clients must send: ${read.token}`);
  if (tokenFile !== null) say(`clients must send the token in ${tokenFile}, as Authorization: Bearer TOKEN`);
  if (read?.isOpen === true) say(`others on this machine can read or change ${tokenFile}: chmod 600 it`);
  if (token.kind === "none") say("no token is asked for: every program on this machine can start agents");
  return {
    left: new Promise(() => undefined),
    stop: () => http.stop(),
    async close(): Promise<void> {
      note?.[Symbol.dispose]();
      await http.close();
    },
  };
}

function createSupervisor(
  config: Config,
  { probe, isReadOnly, worktrees, work, log }: {
    readonly probe: () => Promise<CodexProbe>;
    readonly isReadOnly: boolean;
    readonly worktrees: Worktrees;
    readonly work: Work;
    readonly log: Log;
  },
): Supervisor {
  const bell = bellDirectory(config.stateDir);
  const places = new StatePlaces(config.stateDir, [config.tasksDir, bell]);
  const prepare = (): Promise<void> => places.prepare();
  const host = Deno.build.os === "windows"
    ? directHost(prepare, windowsTools(config.env))
    : shimHost({ prepare, script: () => places.script() }, config.env);
  return new Supervisor({
    stateDir: config.stateDir,
    isReadOnly,
    tasksDir: config.tasksDir,
    openTasksDir: join(config.stateDir, "open"),
    slotsDir: join(config.stateDir, "slots"),
    usageLimitsDir: join(config.stateDir, "limits"),
    codexHome: config.codexHome,
    cwd: config.cwd,
    runner: { host, bell, orphanGraceMs: config.orphanGraceMs, maxEventBytes: MAX_EVENT_BYTES },
    worktrees,
    worktreesDir: config.worktreesDir,
    work,
    env: { ...config.env, ...config.agentEnv },
    givenEnvNames: new Set(Object.keys(config.agentEnv)),
    maxConcurrent: config.maxConcurrent,
    offlineTimeoutMs: config.offlineTimeoutMs,
    stallAfterMs: config.stallAfterMs,
    stallAction: config.stallAction,
    onUsageLimit: config.onUsageLimit,
    taskMaxAgeMs: config.taskMaxAgeMs,
    probe,
    log,
    now: () => new Date(),
    newId: () => crypto.randomUUID().slice(0, 8),
  });
}

function createProbe(config: Config, log: Log): () => Promise<CodexProbe> {
  return rememberProbe({
    ...(config.codex.path === undefined ? {} : { configured: config.codex.path }),
    env: { ...config.env, ...config.agentEnv },
    home: config.home,
    cacheFile: probeCache(config),
    log,
  });
}

function createPlan(
  config: Config,
  { supervisor, probe, worktrees, log }: {
    readonly supervisor: Supervisor;
    readonly probe: () => Promise<CodexProbe>;
    readonly worktrees: WorktreePlanner;
    readonly log: Log;
  },
): ToolServices["plan"] {
  const depth = remember(() => serverDepth(config.depth, { pid: Deno.pid, env: config.env }));
  const options = {
    cwd: config.cwd,
    codexHome: config.codexHome,
    server: config.codex,
    limits: config.limits,
    taskTimeoutMs: config.taskTimeoutMs,
    onExit: config.onExit,
    maxDepth: config.maxDepth,
    env: { ...config.env, ...config.agentEnv },
    givenEnvNames: new Set(Object.keys(config.agentEnv)),
    ownScript: Deno.build.standalone ? Deno.execPath() : import.meta.filename ?? "",
    ownEndpoints: async () => {
      try {
        return (await listEndpoints(endpointsDirectory(config))).map(({ url }) => url);
      } catch (error) {
        log.warning("where servers listen cannot be seen", { error });
        return [];
      }
    },
    probe,
    depth,
    findByThread: (threadId: string) => supervisor.findByThread(threadId),
    worktrees,
    worktreesDir: config.worktreesDir,
  };
  return (request) => planTask(request, options);
}

/** What others may know of a token. */
function endpointToken(source: HttpSettings["token"]): EndpointToken {
  return source.kind === "given"
    ? { kind: "given" }
    : source.kind === "none"
    ? source
    : { kind: "file", path: source.path };
}

function endpointsDirectory(config: Config): string {
  return join(config.stateDir, "http");
}

function probeCache(config: Config): string {
  return join(config.stateDir, "codex_probe.json");
}

/** Settles with the name of the first signal that asks the server to end; a second one ends it at once. */
function signalled(): Promise<string> {
  const signals = Deno.build.os === "windows"
    ? ["SIGINT", "SIGTERM"] as const
    : ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  return new Promise((resolve) => {
    let isAsked = false;
    for (const signal of signals) {
      Deno.addSignalListener(signal, () => {
        if (isAsked) Deno.exit(1);
        isAsked = true;
        resolve(signal);
      });
    }
  });
}

async function permissionStates(): Promise<Record<string, string>> {
  const states = PERMISSIONS.map(async (name) => {
    const { state } = await Deno.permissions.query({ name });
    // Deno calls a revoked permission `prompt`, but under --no-prompt nobody is asked.
    return [name, state === "granted" ? state : "denied"] as const;
  });
  return Object.fromEntries(await Promise.all(states));
}

async function withDeadline(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
  await Promise.race([work, deadline]);
  clearTimeout(timer);
}

/** Computes a value at most so often. */
function rememberFor<T>(ms: number, compute: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  let until = 0;
  return () => {
    if (value === undefined || performance.now() >= until) {
      value = compute();
      until = performance.now() + ms;
    }
    return value;
  };
}

/** Computes a value when it is first needed; a failure is tried again, since Codex may be installed meanwhile. */
function remember<T>(compute: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  return async () => {
    try {
      return await (value ??= compute());
    } catch (error) {
      value = undefined;
      throw error;
    }
  };
}

function writeText(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
}

if (import.meta.main) Deno.exit(await main());
