/** All that a run waits for before it may start. */
import type { TaskSpec } from "../task/spec.ts";
import type { ColdStartPermit } from "./cold_start.ts";
import type { FollowedTask } from "./followed_task.ts";
import type { RunTaskServices } from "./services.ts";
import type { Probe } from "./usage_limits.ts";
import { heedStop } from "./watch_task.ts";

/** What a run needs to be started. Disposing it lets others start. */
export interface StartPermit extends Disposable {
  /** Lock file of the slot, for the shim to hold. */
  readonly slot: string | null;
  /** Lets the next one run; the rest of the permit stays until it is disposed. */
  freeSlot(): void;
  /** This run finds out for all others of its account whether a usage limit has lifted. */
  readonly probe: Probe | null;
  /** Tells that the run has been started; settles when others may be started beside it. */
  started(
    run: {
      readonly directory: string;
      readonly hasStarted: () => Promise<boolean>;
      readonly ended: Promise<void>;
    },
  ): Promise<void>;
}

/**
 * Waits until the task may start a run; `isFirst` lets it go before all others, as one that has waited already. `null`
 * when it was stopped, by whichever server, or this server ends. Throws `UsageLimited` if it is to fail of a limit.
 */
export async function awaitPermit(
  followed: FollowedTask,
  { isFirst }: { readonly isFirst: boolean },
  services: RunTaskServices,
): Promise<StartPermit | null> {
  const { closing } = services;
  const entered = new AbortController();
  const heeding = heedStop(followed, services, AbortSignal.any([entered.signal, closing]));
  try {
    return await enter(followed, { isFirst, signal: AbortSignal.any([followed.stopSignal, closing]) }, services);
  } catch (error) {
    if (followed.stopSignal.aborted || closing.aborted) return null;
    throw error;
  } finally {
    entered.abort();
    await heeding;
  }
}

async function enter(
  { task: { id, spec, state } }: FollowedTask,
  { isFirst, signal }: { readonly isFirst: boolean; readonly signal: AbortSignal },
  { slots, usageLimits, onUsageLimit, coldStart, ended }: RunTaskServices,
): Promise<StartPermit> {
  signal.throwIfAborted();
  if (state.status === "queued") await othersEnded(spec, { ended, signal });
  // One that waits for its limit already was told that it goes on.
  const mayWait = onUsageLimit === "wait" || (state.status === "waiting" && state.until !== null);
  for (;; isFirst = true) {
    using stack = new DisposableStack();
    const probe = await usageLimits.pass(spec.account, signal, { mayWait });
    if (probe !== null) stack.use(probe);
    const slot = stack.use(await slots.acquire(id, signal, { isFirst }));
    // Others of the account may have met a limit while this one was in the queue.
    if (probe === null && await usageLimits.until(spec.account) !== null) continue;
    const start: ColdStartPermit = stack.use(await coldStart.enter(signal));
    const held = stack.move();
    return {
      slot: slot.path,
      freeSlot: () => slot[Symbol.dispose](),
      probe,
      async started({ directory, ...run }): Promise<void> {
        if (start.isCold) await coldStart.untilStarted(directory, run);
        start[Symbol.dispose]();
      },
      [Symbol.dispose]: () => held.dispose(),
    };
  }
}

/** Waits until those tasks have ended that this one comes after. */
async function othersEnded(
  { afterTaskId, startsAfter }: TaskSpec,
  { ended, signal }: Pick<RunTaskServices, "ended"> & { readonly signal: AbortSignal },
): Promise<void> {
  // One that was stopped before it had its turn has not waited for those before it.
  for (let id = afterTaskId; id !== undefined;) id = (await ended(id, signal))?.spec.afterTaskId;
  if (startsAfter === undefined || startsAfter.count <= 0) return;
  // When enough have ended, one of any so many has: no more of them need be waited for at a time.
  const atOnce = startsAfter.tasks.length - startsAfter.count + 1;
  const left = startsAfter.tasks.values();
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const waits = Array.from({ length: Math.max(1, atOnce) }, async () => {
    for (const id of left) await ended(id, either);
  });
  try {
    // The first that finds none left: the others wait for fewer than may run beside this one.
    await Promise.race(waits);
  } finally {
    over.abort(new Error("enough have ended"));
    await Promise.allSettled(waits);
  }
}
