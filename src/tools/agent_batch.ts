/** Several agents of one call. */
import * as z from "zod";
import { isFinished, type Task } from "../task/task.ts";
import { AgentError, type AgentErrorPayload, errorPayload } from "./agent_error.ts";
import { reportProgress } from "./progress_reports.ts";
import { awaitAgent } from "./run_agent.ts";
import { type SpawnInput, spawnParameters, startSpawned } from "./start_spawned.ts";
import { elapsedSeconds, labelOf, phaseOf } from "./task_facts.ts";
import type { ToolCall, ToolServices } from "./tool.ts";
import type { ViewedTask } from "./viewed_task.ts";

/** Phases that a report of progress names. */
const MAX_PHASES = 3;

/** A spec that became a task, or why it did not. */
export type StartedAgent = { readonly task: Task } | { readonly error: AgentErrorPayload };
/** The same after the end of the task. */
export type EndedAgent = { readonly view: ViewedTask } | { readonly error: AgentErrorPayload };

interface Caller {
  readonly call: ToolCall;
  readonly services: ToolServices;
}

const specSchema = z.strictObject(spawnParameters);

/** Starts an agent per spec, in order. All are on disk when this returns; at most so many will run at once. */
export async function startBatch(
  specs: readonly unknown[],
  { isWaiting, maxParallel, call, services }: Caller & { readonly isWaiting: boolean; readonly maxParallel: number },
): Promise<StartedAgent[]> {
  const started: StartedAgent[] = [];
  const ids: string[] = [];
  for (const [index, spec] of specs.entries()) {
    try {
      const count = ids.length - maxParallel + 1;
      const task = await startSpawned(readSpec(spec), {
        startedBy: isWaiting ? "spawn_agents_parallel" : "spawn_agent_async",
        index,
        count: specs.length,
        ...(count > 0 ? { startsAfter: { tasks: [...ids], count } } : {}),
      }, { call, services });
      ids.push(task.id);
      started.push({ task });
    } catch (error) {
      // Whoever has cancelled the call hears no answer; those that were started are stopped by the wait.
      if (call.signal.aborted) break;
      const payload = errorPayload(error, "unexpected_agent_error");
      if (payload.code === "unexpected_agent_error") {
        services.log.error("an agent of a call was not started", { error });
      }
      started.push({ error: payload });
    }
  }
  return started;
}

/** Waits for all; a cancelled call stops them. */
export async function awaitBatch(batch: readonly StartedAgent[], { call, services }: Caller): Promise<EndedAgent[]> {
  const tasks = batch.flatMap((agent) => "task" in agent ? [agent.task] : []);
  await using _reports = reportProgress(call, () => describe(tasks, services));
  // One voice is enough.
  const silent = { ...call, report: (): Promise<void> => Promise.resolve() };
  return await Promise.all(batch.map(async (agent): Promise<EndedAgent> => {
    if ("error" in agent) return agent;
    try {
      const { view } = await awaitAgent(agent.task, silent, services);
      return { view };
    } catch (error) {
      if (call.signal.aborted) throw error;
      services.log.error("an agent of a call could not be waited for", { id: agent.task.id, error });
      return { error: errorPayload(error, "unexpected_agent_error") };
    }
  }));
}

function readSpec(spec: unknown): SpawnInput {
  const given = z.record(z.string(), z.unknown()).safeParse(spec);
  const named = given.success ? Object.entries(given.data).filter(([, value]) => value !== null) : null;
  const read = specSchema.safeParse(named === null ? spec : Object.fromEntries(named));
  if (read.success) return read.data;
  const reasons = read.error.issues.map(({ path, message }) => [...path, message].join(": "));
  const isPromptMissing = named !== null && read.error.issues.some(({ path }) => path[0] === "prompt");
  throw new AgentError({
    code: isPromptMissing ? "invalid_prompt_type" : "invalid_agent_spec",
    kind: "validation_error",
    message: `Invalid agent spec: ${reasons.join("; ")}. A spec has ${Object.keys(spawnParameters).join(", ")}.`,
  });
}

/** `2/5 done; k3: running(cargo test) (12s)`. */
async function describe(tasks: readonly Task[], { supervisor }: ToolServices): Promise<string> {
  const views = await Promise.all(tasks.map(({ id }) => supervisor.view(id)));
  const open = views.filter(({ task }) => !isFinished(task));
  const phases = open.slice(0, MAX_PHASES).map((view) => {
    const name = labelOf(view.task) ?? view.task.id;
    return `${name}: ${phaseOf(view)} (${elapsedSeconds(view.task, new Date())}s)`.slice(0, 100);
  });
  return [`${tasks.length - open.length}/${tasks.length} done`, ...phases].join("; ");
}
