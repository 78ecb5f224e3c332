/** What the spawn_* tools share: their parameters, and the start of an agent with the log that was promised. */
import { resolve } from "node:path";
import * as z from "zod";
import { jsonLine, preview } from "../supervisor/agent_log_lines.ts";
import type { PlannedTask } from "../supervisor/planned_task.ts";
import type { StartRequest } from "../supervisor/start_request.ts";
import { logIdOf, newLogPath } from "../storage/agent_log_files.ts";
import { existingDirectory } from "../storage/paths.ts";
import { createLog, removeTextLog } from "../storage/text_log.ts";
import { defined } from "../task/defined.ts";
import { reasonOf } from "../task/errors.ts";
import { SANDBOX_MODES, type Starter, type TaskSpec } from "../task/spec.ts";
import { AgentError } from "./agent_error.ts";
import type { KeyedInput } from "./request_key.ts";
import { type Agent, awaitedLifetime, earlierAgent } from "./start_agent.ts";
import { claimStart } from "./start_claim.ts";
import type { ToolCall, ToolServices } from "./tool.ts";
import { worktreeParameter, worktreeRequest } from "./worktree_parameter.ts";

const MAX_PREVIEW = 160;

export const spawnParameters = {
  prompt: z.string().describe("What the agent shall do"),
  reasoning_effort: z.string().optional().describe("low, medium, high, xhigh…"),
  model: z.string().optional().describe("Model name"),
  cwd: z.string().optional().describe("Working directory"),
  sandbox: z.enum(SANDBOX_MODES).optional().describe("Default workspace-write"),
  label: z.string().optional().describe("Name shown in lists"),
  worktree: worktreeParameter,
};

const spawnInput = z.object(spawnParameters);
export type SpawnInput = z.output<typeof spawnInput>;

/** Where an agent comes from. */
export interface Origin {
  readonly startedBy: Starter;
  /** Its place among those of its call, and how many these are. */
  readonly index?: number;
  readonly count?: number;
  /** What is added to its prompt. */
  readonly promptEnd?: string;
}

interface Caller {
  readonly call: ToolCall;
  readonly services: ToolServices;
}

/** Starts the agent of a call, unless the same call has done so before; its task and its log are on disk when this returns. */
export async function startSpawned(
  input: SpawnInput & KeyedInput,
  origin: Origin & { readonly startedBy: "spawn_agent" | "spawn_agent_async" },
  caller: Caller,
): Promise<Agent> {
  const directories = [spawnDirectory(input.cwd, caller.services)];
  const named = { ...input, ...placeOf(origin) };
  using claim = await claimStart({ tool: origin.startedBy, input: named, directories }, caller);
  const earlier = earlierAgent(claim);
  if (earlier !== null) return earlier;
  const spawned = await planSpawned(input, origin, caller);
  try {
    return { task: await claim.start(spawned.planned) };
  } catch (error) {
    await removeTextLog(spawned.log);
    throw error;
  }
}

/** What the same call has to say again of the agent's place. */
function placeOf({ index, count }: Origin): Readonly<Record<string, unknown>> {
  return defined({ index, count });
}

/** Where an agent starts, absolute, that is asked to work in `cwd`. */
export function spawnDirectory(cwd: string | undefined, { agents, cwd: own }: ToolServices): string {
  return resolve(agents.cwd ?? own, cwd ?? ".");
}

/** What an agent is started with, and its log. */
export interface Spawned {
  readonly planned: PlannedTask;
  readonly log: string;
}

/** Checks what an agent is asked for and begins its log, which whoever does not start the agent has to remove. */
export async function planSpawned(
  input: SpawnInput,
  origin: Origin,
  { call, services }: Caller,
): Promise<Spawned> {
  if (input.prompt.trim() === "") {
    throw new AgentError({ code: "empty_prompt", kind: "validation_error", message: "The prompt is empty." });
  }
  const log = newLogPath(services.agents.logDir, { at: new Date(), ...defined({ index: origin.index }) });
  const planned = await services.plan(await requestOf(input, { ...origin, log, call, services }));
  call.signal.throwIfAborted();
  await beginLog(log, { prompt: input.prompt, origin, spec: planned.spec });
  return { planned, log };
}

async function requestOf(
  input: SpawnInput,
  { startedBy, promptEnd = "", log, call, services }: Origin & Caller & { readonly log: string },
): Promise<StartRequest> {
  const { agents } = services;
  // Said by its name, since the caller has not chosen it.
  if (agents.cwd !== null) await existingDirectory(agents.cwd, "CODEX_AGENT_CWD");
  return {
    prompt: `${input.prompt}${promptEnd}`,
    lifetime: awaitedLifetime(call),
    callerThreadId: call.callerThreadId,
    cwd: spawnDirectory(input.cwd, services),
    sandbox: input.sandbox ?? "workspace-write",
    skipGitRepoCheck: true,
    timeoutMs: agents.timeoutMs,
    startedBy,
    agentLog: log,
    ...defined({
      model: input.model ?? agents.model ?? undefined,
      reasoningEffort: input.reasoning_effort ?? agents.reasoningEffort ?? undefined,
      label: input.label,
      worktree: worktreeRequest(input.worktree),
    }),
  };
}

async function beginLog(
  path: string,
  { prompt, origin, spec }: { readonly prompt: string; readonly origin: Origin; readonly spec: TaskSpec },
): Promise<void> {
  const context = {
    agent_id: logIdOf(path),
    agent_index: origin.index,
    agent_count: origin.count,
    workdir: spec.cwd,
    prompt_preview: preview(prompt, MAX_PREVIEW),
    model: spec.model,
    reasoning_effort: spec.reasoningEffort,
    sandbox: spec.effectiveSandbox.mode,
    timeout_seconds: spec.timeoutMs / 1000,
  };
  try {
    const line = { at: new Date(), level: "INFO", event: "agent_start", message: "Agent started" } as const;
    await createLog(path, (pid) => jsonLine(line, { ...context, pid }));
  } catch (error) {
    const message = `Cannot make the log ${path}: ${reasonOf(error)}. Free some space or name another directory with ` +
      "CODEX_AS_MCP_LOG_DIR.";
    throw new AgentError({ code: "log_init_failed", kind: "io_error", message }, { cause: error });
  }
}
