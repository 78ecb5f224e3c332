import { pause } from "../process/pause.ts";
import { reasonOf } from "../task/errors.ts";

/** What the system says when it has no processes or open files to spare just now: EAGAIN, ENOMEM, EMFILE, ENFILE. */
const SHORT = /\(os error (11|12|23|24|35)\)|temporarily unavailable|Too many open files|Cannot allocate memory/i;
/** When its disk is full: ENOSPC. */
const FULL = /\(os error 28\)|No space left/i;
/** Pauses before something is tried again while somebody waits for it; then it fails. */
const RETRY_MS = [50, 150, 400, 1_000, 2_000];

/** Tells whether a start failed for a reason that passes by itself. */
export function isPassing(error: unknown): boolean {
  const message = reasonOf(error);
  return SHORT.test(message) || FULL.test(message);
}

/** Tries again, for less than four seconds, what fails for want of processes or open files. */
export async function patiently<T>(attempt: () => Promise<T>, signal = new AbortController().signal): Promise<T> {
  for (let tries = 0;; tries++) {
    try {
      return await attempt();
    } catch (error) {
      const pauseMs = RETRY_MS[tries];
      const isShort = SHORT.test(reasonOf(error));
      if (!isShort || pauseMs === undefined || signal.aborted) throw error;
      await pause(pauseMs, signal);
    }
  }
}

/** Pauses, more or less, before a start is tried again for which the system had no room; the last one is repeated. */
const TROUBLE_MS = [100, 500, 2_000, 5_000];

/** How often in a row a task found no room in the system. */
export class Troubles {
  #count = 0;

  /** The time to let pass after another one. */
  nextPauseMs(): number {
    const pauseMs = TROUBLE_MS[Math.min(this.#count++, TROUBLE_MS.length - 1)] ?? 0;
    // Those that came to grief together must not do so again and again: there may be room for some of them.
    return pauseMs * (0.5 + Math.random());
  }

  /** There is room again. */
  forget(): void {
    this.#count = 0;
  }
}
