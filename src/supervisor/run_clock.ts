import type { Task } from "../task/task.ts";

/** How much longer than its limit a run is left to its shim, whose clock that is. */
const LATE_MS = 10_000;

/**
 * Stands behind the shim's clock, which is a process of its own and may not have come about where there was no room for
 * another one. Counts from the first look of this server's on, so it is late rather than early.
 */
export class RunClock {
  readonly #seen = new Map<string, { readonly run: number; readonly atMs: number }>();

  /** Tells whether the task's run goes on although its time is long over; `nowMs` is of a clock that nobody sets. */
  isOver({ id, state, spec }: Task, nowMs: number): boolean {
    if (state.status !== "running") return false;
    const seen = this.#seen.get(id);
    if (seen?.run === state.run) return nowMs - seen.atMs >= spec.timeoutMs + LATE_MS;
    this.#seen.set(id, { run: state.run, atMs: nowMs });
    return false;
  }

  /** Forgets all but these. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#seen.keys()) if (!ids.has(id)) this.#seen.delete(id);
  }
}
