/** Several agents of one call. */
import * as z from "zod";
import { FewAtOnce } from "../process/few_at_once.ts";
import { removeTextLog } from "../storage/text_log.ts";
import { TaskError } from "../task/errors.ts";
import { isFinished } from "../task/task.ts";
import { AgentError, type AgentErrorPayload, agentErrorPayload, errorPayload } from "./agent_error.ts";
import { reportProgress } from "./progress_reports.ts";
import type { KeyedInput } from "./request_key.ts";
import { awaitAgent, LostSight } from "./run_agent.ts";
import { type Agent, keptAgent, keptOf } from "./start_agent.ts";
import { claimStart, type StartClaim } from "./start_claim.ts";
import { planSpawned, spawnDirectory, type Spawned, type SpawnInput, spawnParameters } from "./start_spawned.ts";
import { elapsedSeconds, isBound, labelOf, phaseOf } from "./task_facts.ts";
import type { ToolCall, ToolServices } from "./tool.ts";
import type { ViewedTask } from "./viewed_task.ts";

/** Phases that a report of progress names. */
const MAX_PHASES = 3;
/** Each takes open files for a moment. */
const PLANNED_AT_ONCE = 8;

type Plan = Spawned | StartedAgent;

/** A spec that became a task, or why it did not. */
export type StartedAgent = Agent | { readonly error: AgentErrorPayload };
/** The same as it is kept until the ends of the tasks. */
export const keptBatch = z.array(z.union([keptAgent, z.object({ error: agentErrorPayload })]));
export type KeptBatch = z.output<typeof keptBatch>;
/** The same after the end of the task. */
export type EndedAgent = { readonly view: ViewedTask; readonly isEarlier?: boolean } | {
  readonly error: AgentErrorPayload;
};

interface Caller {
  readonly call: ToolCall;
  readonly services: ToolServices;
}

const specSchema = z.strictObject(spawnParameters);
/** As much of a spec, bad ones among them, as says where its agent starts. */
const directoryAsked = z.object({ cwd: z.string().optional() });

/** Starts an agent per spec, in order. All are on disk when this returns; at most so many will run at once. */
export async function startBatch(
  specs: readonly unknown[],
  { input = {}, isWaiting, maxParallel, call, services }: Caller & {
    /** The whole call. */
    readonly input?: KeyedInput;
    readonly isWaiting: boolean;
    readonly maxParallel: number;
  },
): Promise<StartedAgent[]> {
  const directories = specs.map((spec) => spawnDirectory(directoryAsked.safeParse(spec).data?.cwd, services));
  const agents = specs.map(withoutDirectory);
  const starting = { tool: "spawn_agents_parallel", input: { ...input, agents }, directories };
  using claim = await claimStart(starting, { call, services });
  const startedBy = isWaiting ? "spawn_agents_parallel" : "spawn_agent_async";
  const few = new FewAtOnce(PLANNED_AT_ONCE);
  const plans = await Promise.all(specs.map((spec, index) =>
    few.run(async (): Promise<Plan> => {
      const earlier = earlierAt(claim, index);
      if (earlier !== null) return earlier;
      try {
        const origin = { startedBy, index, count: specs.length } as const;
        return await planSpawned(readSpec(spec), origin, { call, services });
      } catch (error) {
        // Whoever has cancelled the call hears no answer.
        return call.signal.aborted ? { error: errorPayload(error) } : refusal(error, services);
      }
    })
  ));
  const spawned = plans.flatMap((plan) => "planned" in plan ? [plan] : []);
  if (call.signal.aborted) {
    await Promise.all(spawned.map(({ log }) => removeTextLog(log)));
    throw call.signal.reason;
  }
  const started = (await startPlanned(plans, { spawned, claim, maxParallel, services })).values();
  return plans.map((plan) => "planned" in plan ? started.next().value ?? refusal(null, services) : plan);
}

/** A spec without what says where its agent starts. */
function withoutDirectory(spec: unknown): unknown {
  if (!directoryAsked.safeParse(spec).success) return spec;
  const { cwd: _cwd, ...rest } = z.record(z.string(), z.unknown()).parse(spec);
  return rest;
}

/** What the same call has started before at one place, or why it has not. */
function earlierAt({ earlier }: StartClaim, index: number): StartedAgent | null {
  const found = earlier[index] ?? null;
  if (found === null || "told" in found) return null;
  return "task" in found ? { task: found.task, isEarlier: true } : { error: agentErrorPayload.parse(found.error) };
}

async function startPlanned(
  plans: readonly Plan[],
  { spawned, claim, maxParallel, services }: {
    readonly spawned: readonly Spawned[];
    readonly claim: StartClaim;
    readonly maxParallel: number;
    readonly services: ToolServices;
  },
): Promise<StartedAgent[]> {
  const starts = await claim.startAll(plans, maxParallel).catch((reason) =>
    spawned.map(() => ({ status: "rejected", reason } as const))
  );
  return await Promise.all(spawned.map(async ({ log }, index): Promise<StartedAgent> => {
    const start = starts[index];
    if (start?.status === "fulfilled") return { task: start.value };
    await removeTextLog(log);
    return refusal(start?.reason, services);
  }));
}

function refusal(error: unknown, { log }: ToolServices): { readonly error: AgentErrorPayload } {
  const payload = errorPayload(error, "unexpected_agent_error");
  if (payload.code === "unexpected_agent_error") log.error("an agent of a call was not started", { error });
  return { error: payload };
}

/** What is kept of agents that were just started. */
export function keptBatchOf(batch: readonly StartedAgent[]): KeptBatch {
  return batch.map((agent) => "task" in agent ? keptOf(agent) : agent);
}

/** The tasks of a batch. */
export function batchIds(batch: KeptBatch): string[] {
  return batch.flatMap((agent) => "id" in agent ? [agent.id] : []);
}

/** Waits for all; a cancelled call stops them. */
export async function awaitBatch(batch: KeptBatch, { call, services }: Caller): Promise<EndedAgent[]> {
  await using _reports = reportProgress(call, () => describe(batchIds(batch), { call, services }));
  // One voice is enough.
  const { handle } = call;
  const silent = {
    ...call,
    report: (): Promise<void> => Promise.resolve(),
    handle: handle && { tell: (ids: readonly string[]): void => handle.tell(ids), follow: (): void => {} },
  };
  const faults: unknown[] = [];
  const ended = await Promise.all(batch.map(async (agent): Promise<EndedAgent> => {
    if ("error" in agent) return agent;
    try {
      const { view, isJoined } = await awaitAgent(agent, silent, services);
      return { view, isEarlier: isJoined };
    } catch (error) {
      if (call.signal.aborted) throw error;
      services.log.error("an agent of a call could not be waited for", { id: agent.id, error });
      if (error instanceof TaskError) return { error: errorPayload(error) };
      faults.push(error);
      return { error: lostSight(agent.id, error instanceof LostSight ? error.cause : error) };
    }
  }));
  // Nothing that the agents have done: who comes back for their ends has them waited for anew.
  if (handle !== null && faults.length > 0) throw faults[0];
  return ended;
}

/** Says that an agent is no longer waited for, which may well work on. */
function lostSight(id: string, error: unknown): AgentErrorPayload {
  const { message, ...rest } = errorPayload(error, "unexpected_agent_error");
  const wayOut = `get_agent_status(task_id="${id}") tells how it stands, codex_wait(task_ids=["${id}"]) waits for it`;
  return { ...rest, message: `Cannot wait for task ${id}, which may still be running: ${message}. ${wayOut}.` };
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
async function describe(
  ids: readonly string[],
  { call: { handle }, services: { supervisor } }: Caller,
): Promise<string> {
  const views = await Promise.all(ids.map((id) => supervisor.view(id)));
  const open = views.filter(({ task }) => !isFinished(task));
  const phases = open.slice(0, MAX_PHASES).map((view) => {
    const name = labelOf(view.task) ?? view.task.id;
    return `${name}: ${phaseOf(view)} (${elapsedSeconds(view.task, new Date())}s)`.slice(0, 100);
  });
  // A handle outlives servers; what it stands for may not, if another call has started it.
  const bound = handle === null ? 0 : open.filter(({ task }) => isBound(task)).length;
  const words = bound === 0 ? [] : [`${bound} server-bound: stopped when their server ends`];
  return [`${ids.length - open.length}/${ids.length} done`, ...words, ...phases].join("; ");
}
