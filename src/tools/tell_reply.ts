/** A reply to a thread whose turn still runs, which is broken off for it. */
import * as z from "zod";
import { type Lifetime, LIFETIMES } from "../task/spec.ts";
import { TaskError } from "../task/errors.ts";
import { type AnsweredRun, awaitAgent, cancelAgents, joinAgent, reportAgent } from "./run_agent.ts";
import { joinedField } from "./start_agent.ts";
import { noting, type StartClaim, type TellingTo } from "./start_claim.ts";
import type { Begun, ToolCall, ToolServices } from "./tool.ts";

/** How long who starts a task waits for another server that is just doing the same. */
const WAIT_MS = 30_000;

/** What becomes a task of its own where nobody can be told any more. */
const keptPrompt = z.object({
  threadId: z.string(),
  prompt: z.string(),
  callerThreadId: z.string().nullable(),
  lifetime: z.enum(LIFETIMES),
});
type Reply = z.output<typeof keptPrompt>;

/** A task that is told more, as it is kept until its end; without `telling` it was told already. */
export const keptTelling = z.object({
  told: z.string(),
  joined: z.literal(true).optional(),
  telling: keptPrompt.extend({ number: z.number(), otherwise: z.string() }).optional(),
});
export type KeptTelling = z.output<typeof keptTelling>;

/** A task that is to be told more, or was. */
interface BegunTelling {
  readonly told: string;
  readonly telling?: TellingTo;
  readonly isEarlier?: boolean;
}

interface Caller {
  readonly call: ToolCall;
  readonly services: ToolServices;
}

/**
 * Writes down what an agent is to be told; `null` where nobody is there to be told. Throws `start_failed` when its task
 * was cancelled: then nobody wants another one.
 */
export async function beginTelling(
  id: string,
  { threadId, prompt }: Reply,
  { claim, call, services: { supervisor } }: Caller & { readonly claim: StartClaim },
): Promise<BegunTelling | null> {
  const otherwise = supervisor.newId();
  const number = await claim.tell(id, otherwise, async () => {
    // Nobody waits for an agent whose call was cancelled meanwhile.
    call.signal.throwIfAborted();
    const added = await supervisor.addPrompt(id, prompt);
    if (added === "stopped") throw stopped(id, threadId);
    return added === "not_running" ? null : added;
  });
  return number === null ? null : { told: id, telling: { number, otherwise } };
}

/** A call whose agent is told from now on. */
export function begunTelling({ told, telling, isEarlier }: BegunTelling, reply: Reply): Begun<KeptTelling> {
  const kept = {
    told,
    ...joinedField(isEarlier),
    ...(telling === undefined ? {} : { telling: { ...reply, ...telling } }),
  };
  return { kept, taskIds: [told] };
}

/**
 * Breaks the turn off, and waits for the end of what its agent was told; or of the task that is started instead where it
 * ended before. May be done again, and by several servers: each goes on where the others are.
 */
export async function awaitTold(kept: KeptTelling, call: ToolCall, services: ToolServices): Promise<AnsweredRun> {
  const { told: id, telling } = kept;
  const joined = { id, isJoined: kept.joined === true };
  if (telling === undefined) return await joinAgent(joined, call, services);
  const { supervisor } = services;
  const { number, otherwise, threadId, lifetime } = telling;
  if (await supervisor.find(otherwise) === null) {
    const answer = await untilTold(id, number, { call, services });
    switch (answer) {
      case "told":
        return await joinAgent(joined, call, services);
      case "stopped":
        await supervisor.removePrompt(id, number);
        throw stopped(id, threadId);
      case "taken_back":
        throw takenBack(id);
      case "not_running":
        await startInstead(telling, { call, services });
        // Last: until then the prompt says that there is something to start.
        await supervisor.removePrompt(id, number);
    }
  }
  return await awaitAgent(
    { id: otherwise, lifetime: keptLifetime(lifetime, kept), ...joinedField(kept.joined) },
    call,
    services,
  );
}

/** One that others wait for, too, is not stopped by a server that ends. */
function keptLifetime(lifetime: Lifetime, { joined }: KeptTelling): Lifetime {
  return joined === true ? "detached" : lifetime;
}

async function untilTold(
  id: string,
  number: number,
  { call, services }: Caller,
): ReturnType<ToolServices["supervisor"]["untilTold"]> {
  await using _reports = reportAgent(id, call, services);
  const isWithdrawn = (): boolean => isCancelled(call);
  return await services.supervisor.untilTold(id, { number, signal: call.signal, isWithdrawn });
}

/** A handle goes on with the next server; what waits for an answer does so only where its client may come back for it. */
function isCancelled(call: ToolCall): boolean {
  if (!call.signal.aborted) return false;
  return call.handle === null ? call.interruption() !== "client_left" : !call.ending.aborted;
}

/** Starts an ordinary reply, once among all servers that wait for the same one. */
async function startInstead(
  { otherwise, number: _number, ...request }: Reply & TellingTo,
  { call, services }: Caller,
): Promise<void> {
  const { requests, supervisor } = services;
  const name = await requests.nameOf("codex_reply", otherwise, []);
  using lock = await noting(() => requests.lock(name, WAIT_MS));
  if (lock === null) {
    throw new TaskError("start_failed", "Cannot reply: another server is halted in it. Call again later.");
  }
  if (await supervisor.find(otherwise) !== null) return;
  const planned = await services.plan(request);
  call.signal.throwIfAborted();
  await supervisor.start(planned, { id: otherwise });
  // Who cancelled it meanwhile has not found it.
  if (isCancelled(call)) await cancelAgents([otherwise], services);
}

/** Stops what was started instead; an agent that was told runs on. */
export async function cancelTelling({ telling }: KeptTelling, services: ToolServices): Promise<void> {
  if (telling !== undefined) await cancelAgents([telling.otherwise], services);
}

function stopped(id: string, threadId: string): TaskError {
  const message =
    `Cannot tell the agent: task ${id}, which worked on thread ${threadId}, was cancelled before it could ` +
    "be told. Nothing was started; to go on with the thread all the same, call codex_reply again.";
  return new TaskError("start_failed", message);
}

function takenBack(id: string): TaskError {
  const message = `Cannot tell the agent: the same call was cancelled before the agent of task ${id} could be told. ` +
    "Nothing was started; to tell it all the same, call codex_reply again.";
  return new TaskError("start_failed", message);
}
