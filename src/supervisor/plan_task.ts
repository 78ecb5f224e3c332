/** Turns a call into a task that can be run: everything is checked here, before anything is written or started. */
import { checkArgumentSizes } from "../codex/argument_sizes.ts";
import { codexArgs } from "../codex/codex_args.ts";
import { type CodexProbe, hasFlag } from "../codex/probe.ts";
import { defined } from "../task/defined.ts";
import type { TaskSpec, WorktreeSpec } from "../task/spec.ts";
import type { Task } from "../task/task.ts";
import { accountOf, callCodexHome } from "./call_env.ts";
import { checkRequest } from "./check_request.ts";
import { checkRoom } from "./check_room.ts";
import { earlierNotes, type EarlierThread, findThread, mergeEarlier } from "./earlier_thread.ts";
import { checkVariables, type Limits } from "./limits.ts";
import { planMerge } from "./plan_merge.ts";
import { planNotes } from "./plan_notes.ts";
import { findPlaces, type Places, resolveRoots } from "./plan_places.ts";
import { readSettings, type ServerContext, type Settings } from "./plan_settings.ts";
import { checkDepth } from "./recursion.ts";
import { planWorktree, standingWorktree, type WorktreePlanner } from "./plan_worktree.ts";
import type { PlannedTask } from "./planned_task.ts";
import type { StartRequest } from "./start_request.ts";

/** What the planner knows of its server. */
export interface PlannerOptions extends ServerContext {
  readonly codexHome: string;
  readonly limits: Limits;
  readonly taskTimeoutMs: number;
  /** What all agents do when the server ends; `null`: each what its own lifetime says. */
  readonly onExit: "stop" | "keep" | null;
  readonly maxDepth: number;
  readonly probe: () => Promise<CodexProbe>;
  /** How many agents stand above this server. */
  readonly depth: () => Promise<number>;
  readonly findByThread: (threadId: string) => Promise<Task | null>;
  readonly worktrees: WorktreePlanner;
  readonly worktreesDir: string;
}

const LIFETIME_ON_EXIT = { stop: "server-bound", keep: "detached" } as const;

/** Checks a call whole and plans its task. Throws {@linkcode TaskError}; nothing has been written then. */
export async function planTask(asked: StartRequest, options: PlannerOptions): Promise<PlannedTask> {
  checkRequest(asked);
  checkVariables(asked.env ?? {}, options.limits);
  const depth = await callerDepth(asked, options);
  const probe = await options.probe();
  const callHome = await callCodexHome(asked.env ?? {}, options);
  const earlier = await findEarlier(asked, { ...options, codexHome: callHome });
  const codexHome = earlier?.codexHome ?? callHome;
  const env = { ...asked.env, ...(codexHome === callHome ? {} : { CODEX_HOME: codexHome }) };
  checkVariables(env, options.limits);
  const request = { ...asked, env };
  const merged = mergeEarlier(request, earlier);
  const limits = await resolveRoots(options.limits);
  const standing = await standingWorktree(merged, { cwd: options.cwd, earlier, at: options.worktrees.at });
  const places = await findPlaces(merged, { ...options, limits, worktree: standing });
  const settings = await readSettings(merged, {
    ...options,
    places,
    thread: earlier?.facts ?? null,
    codexHome,
    limits,
  });
  const worktree = await planWorktree(request, places, options.worktrees);
  if (worktree !== undefined) await checkRoom(options.worktreesDir);
  const notes = [
    ...worktree?.notes ?? [],
    ...planNotes(request, { probe, ...settings }),
    ...earlierNotes(request, earlier),
    ...settings.notes,
  ];
  const planned: PlannedTask = {
    spec: taskSpec(merged, {
      places,
      settings,
      earlier,
      standing,
      mergeFirst: await planMerge(merged, standing, options.worktrees),
      notes,
      taskTimeoutMs: options.taskTimeoutMs,
      onExit: options.onExit,
      codexHome,
      account: await accountOf(merged, { codexHome, env: { ...options.env, ...env } }),
    }),
    files: {
      prompt: request.prompt,
      ...defined({
        outputSchema: merged.outputSchema,
        baseInstructions: merged.baseInstructions,
      }),
    },
    ...defined({ worktree }),
    env,
    repository: places.repositoryId,
    depth,
    probe,
  };
  checkArgs(planned, options);
  return planned;
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

async function findEarlier(
  { threadId, env = {} }: StartRequest,
  options: PlannerOptions,
): Promise<EarlierThread | null> {
  if (threadId === undefined) return null;
  return await findThread(threadId, {
    ...options,
    isHomeNamed: env["CODEX_HOME"] !== undefined || env["HOME"] !== undefined,
    isEphemeral: options.server.ephemeral,
  });
}

/** Puts together what is written down; `merged` is the call with what its thread keeps. */
function taskSpec(
  merged: StartRequest,
  { places, settings, earlier, standing, mergeFirst, notes, taskTimeoutMs, onExit, codexHome, account }: {
    readonly places: Places;
    readonly settings: Settings;
    readonly earlier: EarlierThread | null;
    readonly standing: WorktreeSpec | undefined;
    readonly mergeFirst: string | undefined;
    readonly notes: readonly string[];
    readonly taskTimeoutMs: number;
    readonly onExit: PlannerOptions["onExit"];
    readonly codexHome: string;
    readonly account: string;
  },
): TaskSpec {
  return {
    cwd: places.cwd,
    addDirs: places.addDirs,
    images: places.images,
    config: settings.config,
    envNames: Object.keys(merged.env ?? {}),
    timeoutMs: merged.timeoutMs ?? taskTimeoutMs,
    lifetime: onExit === null ? merged.lifetime : LIFETIME_ON_EXIT[onExit],
    codexHome,
    account,
    effectiveSandbox: settings.sandbox,
    server: settings.server,
    usageBefore: earlier?.facts?.usage ?? null,
    notes,
    ...defined({
      resumeThreadId: merged.threadId,
      model: merged.model,
      profile: merged.profile,
      sandbox: settings.isSandboxNamed ? settings.sandbox.mode : undefined,
      network: merged.network,
      reasoningEffort: merged.reasoningEffort,
      outputSchema: merged.outputSchema,
      baseInstructions: merged.baseInstructions,
      developerInstructions: merged.developerInstructions,
      compactPrompt: merged.compactPrompt,
      mcpServers: merged.mcpServers,
      label: merged.label ?? earlier?.task?.spec.label,
      afterTaskId: earlier?.busyTaskId ?? undefined,
      worktree: standing,
      mergeFirst,
      writableRoots: settings.writableRoots.length === 0 ? undefined : settings.writableRoots,
      startedBy: merged.startedBy,
      agentLog: merged.agentLog,
    }),
  };
}

/** Finds out now, not when its turn comes, whether the installed Codex can do what is asked and can be started with it. */
function checkArgs(planned: PlannedTask, options: PlannerOptions): void {
  const args = codexArgs({
    spec: planned.spec,
    taskId: "00000000",
    depth: planned.depth,
    files: {
      ...(planned.files.outputSchema === undefined ? {} : { outputSchema: "/" }),
      ...(planned.files.baseInstructions === undefined ? {} : { baseInstructions: "/" }),
    },
    isFlagSupported: (flag, command) => hasFlag(planned.probe, flag, command),
    codexVersion: planned.probe.version,
  });
  const env = { ...options.env, ...planned.env };
  checkArgumentSizes({ args: [planned.probe.binary, ...args], env }, Deno.build.os);
}
