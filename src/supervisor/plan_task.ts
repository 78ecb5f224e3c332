/** Turns a call into a task that can be run: everything is checked here, before anything is written or started. */
import { resolve } from "node:path";
import { approvalPolicyOf, codexArgs, type CodexArgsInput } from "../codex/codex_args.ts";
import { readCodexConfig } from "../codex/codex_home.ts";
import type { CodexConfigFacts } from "../codex/config_layers.ts";
import { type CodexProbe, hasFlag } from "../codex/probe.ts";
import { secretVariables } from "../task/secret_names.ts";
import type { ThreadFacts } from "../codex/thread_file.ts";
import { flattenConfig } from "../codex/toml_value.ts";
import { findRepository, type Repository } from "../git/repository.ts";
import { existingDirectory, existingImage, resolveLinks } from "../storage/paths.ts";
import { defined } from "../task/defined.ts";
import { TaskError } from "../task/errors.ts";
import type { EffectiveSandbox, Task, TaskSpec } from "../task/task.ts";
import { compileSchema } from "./check_answer.ts";
import { earlierNotes, findThread, mergeEarlier } from "./earlier_thread.ts";
import { checkLeading, checkRoot, type Limits, limitSandbox } from "./limits.ts";
import { disabledMcpServers } from "./mcp_servers.ts";
import { planNotes } from "./plan_notes.ts";
import { checkDepth } from "./recursion.ts";
import type { PlannedTask } from "./run_task.ts";
import type { StartRequest } from "./start_request.ts";

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

const MAX_LABEL_LENGTH = 200;

/** Checks a call whole and plans its task. Throws {@linkcode TaskError}; nothing has been written then. */
export async function planTask(request: StartRequest, options: PlannerOptions): Promise<PlannedTask> {
  checkTexts(request);
  if (request.worktree === true) {
    throw new TaskError(
      "not_available",
      "worktree is not available yet. Leave it out and give each agent its own cwd.",
    );
  }
  const depth = await callerDepth(request, options);
  const probe = await options.probe();
  const earlier = request.threadId === undefined
    ? null
    : await findThread(request.threadId, { ...options, isEphemeral: options.server.ephemeral });
  const merged = mergeEarlier(request, earlier);

  const cwd = await existingDirectory(resolve(options.cwd, merged.cwd ?? "."), "cwd");
  const limits = { ...options.limits, roots: await Promise.all(options.limits.roots.map(resolveLinks)) };
  checkRoot(cwd.real, "cwd", limits);
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
  for (const { real } of addDirs) checkRoot(real, "add-dirs", limits);
  for (const root of facts.writableRoots) {
    checkRoot(await resolveLinks(root), "sandbox_workspace_write.writable_roots", limits);
  }
  checkLeading({ config: merged.config ?? {}, env: request.env ?? {} }, limits);

  const sandbox = limitSandbox(
    chooseSandbox({ ...request, ...defined({ network: merged.network }) }, earlier?.facts ?? null, facts),
    options.limits,
  );
  const isNamed = sandbox.source === "call" || sandbox.source === "thread" || options.limits.maxSandbox !== null;
  const env = request.env ?? {};
  const withheldEnv = facts.hasShellEnvironmentPolicy
    ? []
    : secretVariables(options.env, new Set([...options.givenEnvNames, ...Object.keys(env)]));
  if (merged.outputSchema !== undefined) checkSchema(merged.outputSchema);

  const spec: TaskSpec = {
    cwd: cwd.path,
    addDirs: addDirs.map(({ path }) => path),
    images: await Promise.all((request.images ?? []).map((path) => existingImage(resolve(cwd.path, path)))),
    config: config.kept,
    envNames: Object.keys(env),
    timeoutMs: request.timeoutMs ?? options.taskTimeoutMs,
    lifetime: request.lifetime,
    effectiveSandbox: sandbox,
    usageBefore: earlier?.facts?.usage ?? null,
    notes: [
      ...planNotes(request, {
        probe,
        sandbox,
        approvalInConfig: config.approval ?? serverApproval(options.server.config),
        withheldEnv,
        isEphemeral: options.server.ephemeral,
      }),
      ...earlierNotes(request, earlier),
      ...facts.notes,
    ],
    ...defined({
      resumeThreadId: request.threadId,
      model: merged.model,
      profile: merged.profile,
      sandbox: isNamed ? sandbox.mode : undefined,
      network: merged.network,
      reasoningEffort: merged.reasoningEffort,
      outputSchema: merged.outputSchema,
      baseInstructions: merged.baseInstructions,
      developerInstructions: merged.developerInstructions,
      compactPrompt: merged.compactPrompt,
      mcpServers: merged.mcpServers,
      label: request.label ?? earlier?.task?.spec.label,
    }),
  };
  const planned: PlannedTask = {
    spec,
    files: {
      prompt: request.prompt,
      env,
      ...defined({
        outputSchema: merged.outputSchema,
        baseInstructions: merged.baseInstructions,
      }),
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

function checkTexts({ prompt, label, env }: StartRequest): void {
  if (prompt.trim() === "") throw new TaskError("invalid_argument", "Cannot start: the prompt is empty.");
  if (prompt.includes("\0")) {
    throw new TaskError("invalid_argument", "Cannot start: the prompt holds a NUL character. Remove it and try again.");
  }
  if (label !== undefined && (label.length > MAX_LABEL_LENGTH || /\p{Cc}/u.test(label))) {
    throw new TaskError(
      "invalid_argument",
      `Cannot use label: it must be one line of at most ${MAX_LABEL_LENGTH} characters.`,
    );
  }
  for (const [name, value] of Object.entries(env ?? {})) {
    if (name !== "" && !/[=\0]/.test(name) && !value.includes("\0")) continue;
    throw new TaskError(
      "invalid_argument",
      `Cannot pass env ${JSON.stringify(name)}: a name has no "=" and nothing a NUL.`,
    );
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
  const network = request.network ?? facts.networkAccess;
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

function checkSchema(schema: Readonly<Record<string, unknown>>): void {
  try {
    compileSchema(schema);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TaskError("invalid_argument", `Cannot use output-schema: ${reason}`, { cause: error });
  }
}

/** The server's own `-c approval_policy`, which means as little. */
function serverApproval(settings: readonly string[]): string | null {
  return settings.map(approvalPolicyOf).findLast((policy) => policy !== null) ?? null;
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
