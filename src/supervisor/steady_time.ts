/** The clocks that {@linkcode SteadyTime} is given. */
export interface Clocks {
  /** The system's, which may be set at any time, as files are dated by it. */
  readonly now: () => Date;
  /** One that only goes on, in milliseconds from any moment on. */
  readonly steadyMs: () => number;
}

/** What is remembered of the last time that something happened. */
interface Known {
  readonly at: number;
  /** Its age at the first look, and when that was. */
  readonly ageMs: number;
  readonly seenMs: number;
  lookedMs: number;
}

/**
 * Tells how long ago something happened that is dated by the system's clock. Only the first look relies on that clock:
 * nobody's patience shall end because it was set, or last for ever.
 */
export class SteadyTime {
  readonly #clocks: Clocks;
  readonly #known = new Map<string, Known>();

  constructor(clocks: Clocks) {
    this.#clocks = clocks;
  }

  /** Milliseconds since `at`, when it last happened to `id`. */
  since(id: string, at: Date): number {
    const nowMs = this.#clocks.steadyMs();
    const known = this.#known.get(id);
    if (known !== undefined && known.at === at.getTime()) {
      known.lookedMs = nowMs;
      return known.ageMs + nowMs - known.seenMs;
    }
    // What has happened again has done so since the last look.
    const mostMs = known === undefined ? Infinity : nowMs - known.lookedMs;
    const ageMs = Math.min(Math.max(0, this.#clocks.now().getTime() - at.getTime()), mostMs);
    this.#known.set(id, { at: at.getTime(), ageMs, seenMs: nowMs, lookedMs: nowMs });
    return ageMs;
  }

  /** Forgets all but these. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
  }
}
