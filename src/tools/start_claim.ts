/** The start of what a call asks for, which the same call made again does not repeat. */
import type { PlannedTask } from "../supervisor/planned_task.ts";
import type { RequestEntry } from "../storage/request_files.ts";
import { reasonOf, TaskError } from "../task/errors.ts";
import { isFinished, type Task } from "../task/task.ts";
import type { AgentErrorPayload } from "./agent_error.ts";
import { NamedClaim } from "./named_claim.ts";
import { busyCall, digestOf, type NamedCall, namedCall, otherCall, type StartingCall } from "./request_key.ts";
import type { ToolCall, ToolServices } from "./tool.ts";

/** How long a call waits for the same one that is just being begun, and when it looks whether it was cancelled. */
const WAIT_MS = 30_000;
const LOOK_MS = 1_000;

/** What a task is to be told, and the id of the one that is started if it cannot be. */
export interface TellingTo {
  /** Of the prompt. */
  readonly number: number;
  readonly otherwise: string;
}

/** What stands at one place of a call that was made before. */
export type EarlierStart =
  | { readonly task: Task }
  /** A task that was told more, or is to be; `telling` as long as it may not have been. */
  | { readonly told: string; readonly telling?: TellingTo }
  | { readonly error: Readonly<Record<string, unknown>> };

/** What is to be started at one place, what was, or why nothing is. */
export type PlannedStart = { readonly planned: PlannedTask } | { readonly task: Task } | {
  readonly error: AgentErrorPayload;
};

/** The right to start what a call asks for, which among all calls of its name one has, until it is disposed. */
export interface StartClaim extends Disposable {
  /** What the same call has started before, by place; `null` where that is nothing. */
  readonly earlier: readonly (EarlierStart | null)[];
  /** Starts the only task of the call. */
  start(planned: PlannedTask): Promise<Task>;
  /** Starts what is planned, at most so many at once of all places; gives the starts alone. */
  startAll(plans: readonly PlannedStart[], maxParallel: number): Promise<PromiseSettledResult<Task>[]>;
  /** Has a task told more, unless that gives `null`; `otherwise` is the id of the task that is started if it cannot be. */
  tell<T>(id: string, otherwise: string, tell: () => Promise<T | null>): Promise<T | null>;
}

interface Caller {
  readonly call: ToolCall;
  readonly services: ToolServices;
}

/** Takes the right to start what a call asks for. Throws `invalid_argument` when another call had its name. */
export async function claimStart(starting: StartingCall, caller: Caller): Promise<StartClaim> {
  const { services } = caller;
  const nothing = starting.directories.map(() => null);
  const named = await namedCall(starting);
  if (named === null) return new NamelessClaim(nothing, services);
  const name = await services.requests.nameOf(named.tool, named.key, [...new Set(named.directories)].toSorted());
  using stack = new DisposableStack();
  const lock = stack.use(await lockName(name, named, caller));
  const record = await noting(() => services.requests.read(name));
  const found = await Promise.all((record?.entries ?? []).map((entry) => findStart(entry, named, services)));
  // What was begun, but came to nothing, is nobody's.
  const hasStarted = found.some((one) => one !== null && !("error" in one));
  const asked = await digestOf(named);
  if (hasStarted && record?.asked !== asked) throw otherCall(named);
  stack.move();
  return new NamedClaim({ name, input: named.asked, asked, lock }, { earlier: hasStarted ? found : nothing, services });
}

/** Waits for the same call that is just being begun. */
async function lockName(name: string, named: NamedCall, { call, services }: Caller): Promise<Disposable> {
  for (let waitedMs = 0; waitedMs < WAIT_MS; waitedMs += LOOK_MS) {
    call.signal.throwIfAborted();
    const lock = await noting(() => services.requests.lock(name, LOOK_MS));
    if (lock !== null) return lock;
  }
  throw busyCall(named);
}

/** What has become of what was about to be started; `null` for nothing. */
export async function findStart(
  entry: RequestEntry,
  { asked: { prompt } }: Pick<NamedCall, "asked">,
  { supervisor }: ToolServices,
): Promise<EarlierStart | null> {
  if ("error" in entry) return entry;
  if ("told" in entry) {
    const { told, after, otherwise } = entry;
    const instead = otherwise === undefined ? null : await findTask(otherwise, supervisor);
    if (instead !== null) return { task: instead };
    const number = await supervisor.findPrompt(told, { prompt: String(prompt), after });
    if (number === null) return null;
    return { told, ...(otherwise === undefined ? {} : { telling: { number, otherwise } }) };
  }
  const task = await findTask(entry.id, supervisor);
  return task === null ? null : { task };
}

/** A task that was started, unless it came to nothing. */
async function findTask(id: string, supervisor: ToolServices["supervisor"]): Promise<Task | null> {
  const task = await supervisor.find(id);
  return task === null || isLost(task) ? null : task;
}

/** Tells whether a task ended with its server before it had begun. */
function isLost(task: Task): boolean {
  return isFinished(task) && task.state.status === "interrupted" && task.state.startedAt === null;
}

/** Does something with the notes of named calls. */
export async function noting<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TaskError) throw error;
    const message =
      `Cannot note the request-key: ${reasonOf(error)}. Free some space in the state directory, or leave ` +
      "request-key out.";
    throw new TaskError("state_not_writable", message, { cause: error });
  }
}

/** A call without a name: each one is another. */
class NamelessClaim implements StartClaim {
  readonly earlier: readonly null[];
  readonly #services: ToolServices;

  constructor(earlier: readonly null[], services: ToolServices) {
    this.earlier = earlier;
    this.#services = services;
  }

  start(planned: PlannedTask): Promise<Task> {
    return this.#services.supervisor.start(planned);
  }

  startAll(plans: readonly PlannedStart[], maxParallel: number): Promise<PromiseSettledResult<Task>[]> {
    const planned = plans.flatMap((plan) => "planned" in plan ? [plan.planned] : []);
    return this.#services.supervisor.startAll(planned, { maxParallel });
  }

  tell<T>(_id: string, _otherwise: string, tell: () => Promise<T | null>): Promise<T | null> {
    return tell();
  }

  [Symbol.dispose](): void {}
}
