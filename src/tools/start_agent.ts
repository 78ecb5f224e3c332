/** What the tools share that start an agent: its start, and what is kept of it until its end. */
import * as z from "zod";
import type { StartRequest } from "../supervisor/start_request.ts";
import { type Lifetime, LIFETIMES } from "../task/spec.ts";
import type { Task } from "../task/task.ts";
import type { StartingCall } from "./request_key.ts";
import { claimStart, type StartClaim } from "./start_claim.ts";
import type { ToolCall, ToolServices } from "./tool.ts";

/** An agent that a call has started, as it is kept until its end. */
export const keptAgent = z.object({ id: z.string(), lifetime: z.enum(LIFETIMES), joined: z.literal(true).optional() });
export type KeptAgent = z.output<typeof keptAgent>;

/** An agent of a call: one that it has started, or that the same call has started before. */
export interface Agent {
  readonly task: Task;
  readonly isEarlier?: boolean;
}

/** What is kept of an agent. One that others have started is stopped by who cancels the call, but by nobody who leaves. */
export function keptOf({ task: { id, spec: { lifetime } }, isEarlier = false }: Agent): KeptAgent {
  return { id, lifetime: isEarlier ? "detached" : lifetime, ...joinedField(isEarlier) };
}

/** What the data say of an agent that an earlier call has started. */
export function joinedField(isEarlier = false): { readonly joined?: true } {
  return isEarlier ? { joined: true } : {};
}

/** The lifetime of an agent that its call waits for. */
export function awaitedLifetime({ handle }: ToolCall): Lifetime {
  return handle === null ? "server-bound" : "detached";
}

/** Starts the agent of a call, unless the same call has done so before; its task is on disk when this returns. */
export async function startAgent(
  request: StartRequest,
  starting: StartingCall,
  { call, services }: { readonly call: ToolCall; readonly services: ToolServices },
): Promise<Agent> {
  using claim = await claimStart(starting, { call, services });
  return earlierAgent(claim) ?? { task: await startClaimed(request, claim, { call, services }) };
}

/** The agent that the same call has started before. */
export function earlierAgent({ earlier: [earlier] }: StartClaim): Agent | null {
  return earlier !== null && earlier !== undefined && "task" in earlier ? { ...earlier, isEarlier: true } : null;
}

/** Starts the agent of a call that may start one. */
export async function startClaimed(
  request: StartRequest,
  claim: StartClaim,
  { call, services }: { readonly call: ToolCall; readonly services: ToolServices },
): Promise<Task> {
  const planned = await services.plan(request);
  // Nobody waits for an agent whose call was cancelled meanwhile.
  call.signal.throwIfAborted();
  return await claim.start(planned);
}
