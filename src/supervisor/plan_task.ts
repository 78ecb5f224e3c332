/** Turns a call into a task that can be run: everything is checked here, before anything is written or started. */
import { resolve } from "node:path";
import { codexArgs, type CodexArgsInput } from "../codex/codex_args.ts";
import { readCodexConfig } from "../codex/codex_home.ts";
import type { CodexConfigFacts } from "../codex/config_layers.ts";
import { type CodexProbe, hasFlag } from "../codex/probe.ts";
import { secretVariables } from "../task/secret_names.ts";
import { readThread, type ThreadFacts } from "../codex/thread_file.ts";
import { flattenConfig } from "../codex/toml_value.ts";
import { findRepository, type Repository } from "../git/repository.ts";
import { TaskError } from "../task/errors.ts";
import {
  type EffectiveSandbox,
  isFinished,
  type Lifetime,
  type SandboxMode,
  type Task,
  type TaskSpec,
} from "../task/task.ts";
import { compileSchema } from "./check_answer.ts";
import { checkLeading, checkRoot, type Limits, limitSandbox } from "./limits.ts";
import { disabledMcpServers } from "./mcp_servers.ts";
import { checkDepth } from "./recursion.ts";
import type { PlannedTask } from "./supervisor.ts";

/** What a client asks for; absent means Codex's own setting, or on a resumed thread what it had. */
export interface StartRequest {
  readonly prompt: string;
  readonly lifetime: Lifetime;
  /** The Codex thread that makes the call, when there is one. */
  readonly callerThreadId: string | null;
  readonly threadId?: string;
  /** Relative to the server's. */
  readonly cwd?: string;
  readonly sandbox?: SandboxMode;
  readonly approvalPolicy?: string;
  readonly model?: string;
  readonly reasoningEffort?: string;
  readonly profile?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly worktree?: boolean;
  readonly baseInstructions?: string;
  readonly developerInstructions?: string;
  readonly compactPrompt?: string;
  readonly images?: readonly string[];
  readonly outputSchema?: Readonly<Record<string, unknown>>;
  readonly addDirs?: readonly string[];
  readonly network?: boolean;
  readonly mcpServers?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly label?: string;
}

/** What the planner knows of its server. */
export interface PlannerOptions {
  readonly cwd: string;
  readonly codexHome: string;
  readonly server: CodexArgsInput["server"];
  readonly limits: Limits;
  readonly taskTimeoutMs: number;
  readonly maxDepth: number;
  /** The environment of every agent, and which of its names were given on purpose. */
  readonly env: Readonly<Record<string, string>>;
  readonly givenEnvNames: ReadonlySet<string>;
  /** The file or program this server is, to know its own entry among MCP servers. */
  readonly ownScript: string;
  readonly probe: () => Promise<CodexProbe>;
  /** How many agents stand above this server. */
  readonly depth: () => Promise<number>;
  readonly findByThread: (threadId: string) => Promise<Task | null>;
}

/** Efforts that some model knows; any other string is passed on all the same. */
const KNOWN_EFFORTS = new Set(["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"]);

/** Checks a call whole and plans its task. Throws {@linkcode TaskError}; nothing has been written then. */
export async function planTask(request: StartRequest, options: PlannerOptions): Promise<PlannedTask> {
  checkPrompt(request.prompt);
  const depth = await callerDepth(request, options);
  const probe = await options.probe();
  const earlier = request.threadId === undefined ? null : await findThread(request.threadId, options);
  const merged = mergeEarlier(request, earlier);

  const cwd = await existingDirectory(resolve(options.cwd, merged.cwd ?? "."), "cwd");
  checkRoot(cwd.real, "cwd", options.limits);
  const repository = await findRepository(cwd.real);
  const config = withoutApproval(merged.config ?? {});
  const facts = await readCodexConfig({
    codexHome: options.codexHome,
    cwd: cwd.path,
    repository,
    serverConfig: options.server.config,
    callConfig: flattenConfig(config.kept),
    ...(merged.profile === undefined ? {} : { profile: merged.profile }),
  });
  checkRepository(cwd.path, { repository, facts, server: options.server });
  const addDirs = await Promise.all(
    (merged.addDirs ?? []).map((path) => existingDirectory(resolve(cwd.path, path), "add-dirs")),
  );
  for (const { real } of addDirs) checkRoot(real, "add-dirs", options.limits);
  for (const root of facts.writableRoots) checkRoot(root, "sandbox_workspace_write.writable_roots", options.limits);
  checkLeading({ config: request.config ?? {}, env: request.env ?? {} }, options.limits);

  const sandbox = limitSandbox(chooseSandbox(request, earlier?.facts ?? null, facts), options.limits);
  const isNamed = sandbox.source === "call" || sandbox.source === "thread" || options.limits.maxSandbox !== null;
  const env = request.env ?? {};
  const withheldEnv = facts.hasShellEnvironmentPolicy
    ? []
    : secretVariables(options.env, new Set([...options.givenEnvNames, ...Object.keys(env)]));
  if (merged.outputSchema !== undefined) await checkSchema(merged.outputSchema);

  const spec: TaskSpec = {
    cwd: cwd.path,
    ...(request.threadId === undefined ? {} : { resumeThreadId: request.threadId }),
    ...optional("model", merged.model),
    ...optional("profile", merged.profile),
    ...(isNamed ? { sandbox: sandbox.mode } : {}),
    addDirs: addDirs.map(({ path }) => path),
    ...optional("network", merged.network),
    config: config.kept,
    ...optional("reasoningEffort", merged.reasoningEffort),
    images: await Promise.all((request.images ?? []).map((path) => existingFile(resolve(cwd.path, path)))),
    ...optional("outputSchema", merged.outputSchema),
    ...optional("baseInstructions", merged.baseInstructions),
    ...optional("developerInstructions", merged.developerInstructions),
    ...optional("compactPrompt", merged.compactPrompt),
    ...optional("mcpServers", merged.mcpServers),
    envNames: Object.keys(env),
    timeoutMs: request.timeoutMs ?? options.taskTimeoutMs,
    ...optional("label", request.label ?? earlier?.task?.spec.label),
    lifetime: request.lifetime,
    effectiveSandbox: sandbox,
    notes: [
      ...notesOf(request, { probe, sandbox, approvalInConfig: config.approval, withheldEnv }),
      ...earlierEnvNotes(request, earlier),
      ...facts.notes,
    ],
    usageBefore: earlier?.facts?.usage ?? null,
  };
  const planned: PlannedTask = {
    spec,
    files: {
      prompt: request.prompt,
      env,
      ...optional("outputSchema", merged.outputSchema),
      ...optional("baseInstructions", merged.baseInstructions),
    },
    repository: repository?.commonDir ?? cwd.real,
    depth,
    probe,
    withheldEnv,
    disabledMcpServers: disabledMcpServers(facts.mcpServers, {
      ...(merged.mcpServers === undefined ? {} : { wanted: merged.mcpServers }),
      ownScript: options.ownScript,
    }),
  };
  checkArgs(planned, options);
  return planned;
}

function checkPrompt(prompt: string): void {
  if (prompt.trim() === "") throw new TaskError("invalid_argument", "Cannot start: the prompt is empty.");
  if (prompt.includes("\0")) {
    throw new TaskError("invalid_argument", "Cannot start: the prompt holds a NUL character. Remove it and try again.");
  }
}

/** How deep the new task stands: below its server, or below the task whose own agent makes the call. */
async function callerDepth(request: StartRequest, options: PlannerOptions): Promise<number> {
  let depth = await options.depth();
  if (request.callerThreadId !== null) {
    const caller = await options.findByThread(request.callerThreadId);
    if (caller !== null) depth = Math.max(depth, caller.depth + 1);
  }
  checkDepth(depth, options.maxDepth);
  return depth;
}

/** A thread as our own last task on it and Codex's own record know it. */
interface EarlierThread {
  readonly task: Task | null;
  readonly facts: ThreadFacts | null;
}

async function findThread(threadId: string, options: PlannerOptions): Promise<EarlierThread> {
  const [task, facts] = await Promise.all([
    options.findByThread(threadId),
    readThread({ codexHome: options.codexHome, threadId }),
  ]);
  if (task !== null && !isFinished(task)) {
    throw new TaskError(
      "not_resumable",
      `Cannot continue thread ${threadId} yet: task ${task.id} is still working on it. Wait for it first: ` +
        `codex_wait(task_ids=["${task.id}"]).`,
    );
  }
  if (options.server.ephemeral && task !== null) {
    throw new TaskError(
      "not_resumable",
      `Cannot continue thread ${threadId}: this server was started with --ephemeral, so Codex kept no record of it. ` +
        "Start the server without --ephemeral to be able to continue threads.",
    );
  }
  if (facts === null) {
    throw new TaskError(
      "unknown_thread",
      `Cannot find thread "${threadId}" under ${options.codexHome}/sessions. Thread ids are UUIDs that codex and ` +
        "codex_status return; one of an --ephemeral run or of another CODEX_HOME cannot be continued.",
    );
  }
  return { task, facts };
}

/** What a resumed thread keeps unless the call says otherwise; Codex itself keeps neither sandbox nor model nor cwd. */
function mergeEarlier(request: StartRequest, earlier: EarlierThread | null): StartRequest {
  if (earlier === null) return request;
  const spec = earlier.task?.spec;
  const { facts } = earlier;
  const network = facts?.network ?? spec?.network;
  return {
    ...(spec === undefined ? {} : {
      ...optional("profile", spec.profile),
      ...optional("baseInstructions", spec.baseInstructions),
      ...optional("developerInstructions", spec.developerInstructions),
      ...optional("compactPrompt", spec.compactPrompt),
      ...optional("mcpServers", spec.mcpServers),
    }),
    ...optional("cwd", facts?.cwd ?? spec?.cwd),
    ...optional("model", facts?.model ?? spec?.model),
    ...optional("reasoningEffort", facts?.effort ?? spec?.reasoningEffort),
    ...optional("network", network ?? undefined),
    addDirs: spec?.addDirs ?? facts?.addDirs ?? [],
    ...request,
    config: { ...spec?.config, ...request.config },
  };
}

interface Directory {
  readonly path: string;
  /** Symbolic links resolved. */
  readonly real: string;
}

async function existingDirectory(path: string, parameter: string): Promise<Directory> {
  if (path.includes("\0")) {
    throw new TaskError("invalid_argument", `Cannot use ${parameter}: it holds a NUL character.`);
  }
  try {
    const real = await Deno.realPath(path);
    if ((await Deno.stat(real)).isDirectory) return { path, real };
  } catch {
    throw new TaskError("cwd_missing", `Cannot use ${parameter} ${path}: there is no such directory.`);
  }
  throw new TaskError("cwd_missing", `Cannot use ${parameter} ${path}: it is not a directory.`);
}

/** Codex itself runs on without an image that is not there. */
async function existingFile(path: string): Promise<string> {
  try {
    if ((await Deno.stat(path)).isFile) return path;
  } catch {
    // said below
  }
  throw new TaskError("invalid_argument", `Cannot attach image ${path}: there is no such file.`);
}

function checkRepository(
  cwd: string,
  { repository, facts, server }: {
    readonly repository: Repository | null;
    readonly facts: CodexConfigFacts;
    readonly server: PlannerOptions["server"];
  },
): void {
  if (repository !== null || server.skipGitRepoCheck || facts.trust === "trusted") return;
  throw new TaskError(
    "not_a_repository",
    `Cannot run Codex in ${cwd}: it is not inside a git repository. Choose another cwd, run "git init" there, or start ` +
      "the server with --skip-git-repo-check.",
  );
}

function chooseSandbox(
  request: StartRequest,
  thread: ThreadFacts | null,
  facts: CodexConfigFacts,
): EffectiveSandbox {
  const network = request.network ?? thread?.network ?? facts.networkAccess;
  if (request.sandbox !== undefined) return { mode: request.sandbox, source: "call", network };
  if (request.config?.["sandbox_mode"] !== undefined) return { ...facts.sandbox, network };
  if (thread?.sandbox !== undefined && thread.sandbox !== null) {
    return { mode: thread.sandbox, source: "thread", network };
  }
  return { ...facts.sandbox, network };
}

/** Agents cannot ask, so an approval policy in `config` would at best do nothing and at worst end the run. */
function withoutApproval(config: Readonly<Record<string, unknown>>): {
  readonly kept: Readonly<Record<string, unknown>>;
  readonly approval: string | null;
} {
  const { approval_policy: approval, ...kept } = config;
  return { kept, approval: approval === undefined ? null : String(approval) };
}

async function checkSchema(schema: Readonly<Record<string, unknown>>): Promise<void> {
  try {
    await compileSchema(schema);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TaskError("invalid_argument", `Cannot use output-schema: ${reason}`, { cause: error });
  }
}

/** What the caller should know about how the call was understood. */
function notesOf(
  request: StartRequest,
  { probe, sandbox, approvalInConfig, withheldEnv }: {
    readonly probe: CodexProbe;
    readonly sandbox: EffectiveSandbox;
    readonly approvalInConfig: string | null;
    readonly withheldEnv: readonly string[];
  },
): string[] {
  const notes: string[] = [];
  const approval = request.approvalPolicy ?? approvalInConfig;
  if (approval !== null && approval !== undefined && approval !== "never") {
    notes.push(`approval-policy "${approval}" has no effect: codex exec ${probe.version} always runs with "never".`);
  }
  if (request.reasoningEffort !== undefined && !KNOWN_EFFORTS.has(request.reasoningEffort)) {
    notes.push(
      `reasoning-effort "${request.reasoningEffort}" is passed on, but no model is known to have it; known are ` +
        `${[...KNOWN_EFFORTS].join(", ")}.`,
    );
  }
  if (sandbox.mode === "read-only") {
    notes.push('The agent cannot edit files: pass sandbox="workspace-write" to allow it.');
  }
  if (sandbox.source === "limit") notes.push(`The sandbox was lowered to ${sandbox.mode} by --max-sandbox.`);
  if (sandbox.mode === "read-only" && request.network === true) {
    notes.push('network has no effect in a read-only sandbox: pass sandbox="workspace-write" too.');
  }
  if (withheldEnv.length > 0) {
    notes.push(`Withheld from the agent's commands: ${withheldEnv.join(", ")}. Pass one on with env.`);
  }
  return notes;
}

/** Values of a call's variables are forgotten when its task ends, since they may be secrets. */
function earlierEnvNotes(request: StartRequest, earlier: EarlierThread | null): string[] {
  const forgotten = (earlier?.task?.spec.envNames ?? []).filter((name) => request.env?.[name] === undefined);
  if (forgotten.length === 0) return [];
  return [
    `Variables of the thread's first call are not kept: ${
      forgotten.join(", ")
    }. Use codex(threadId, env) to pass them again.`,
  ];
}

/** Finds out now, not when its turn comes, whether the installed Codex can do what is asked. */
function checkArgs(planned: PlannedTask, options: PlannerOptions): void {
  codexArgs({
    spec: planned.spec,
    taskId: "00000000",
    depth: planned.depth,
    server: options.server,
    files: {
      ...(planned.files.outputSchema === undefined ? {} : { outputSchema: "/" }),
      ...(planned.files.baseInstructions === undefined ? {} : { baseInstructions: "/" }),
    },
    withheldEnv: planned.withheldEnv,
    disabledMcpServers: planned.disabledMcpServers,
    isFlagSupported: (flag, command) => hasFlag(planned.probe, flag, command),
    codexVersion: planned.probe.version,
  });
}

/** A property that is there only when it has a value. */
function optional<Name extends string, Value>(name: Name, value: Value | undefined): { [K in Name]?: Value } {
  return value === undefined ? {} : { [name]: value } as { [K in Name]?: Value };
}
