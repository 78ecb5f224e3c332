/** How often what is watched is looked at: so often at most a client is told of a change. */
const LOOK_EVERY_MS = 1_000;
/** Looks after which others have their turn. */
const LOOKS_AT_ONCE = 200;

/** Hears that a resource has changed. */
export type UpdateListener = (uri: string) => void;

interface Watched {
  /** As of the last look. */
  facts: string | null;
  /** How often each of them has asked for it. */
  readonly listeners: Map<UpdateListener, number>;
}

/**
 * Tells of changes of resources, at most once a second for each, and of the last one always: what has changed since a
 * look is seen by the next. Looks only at what somebody watches; one for the whole process, whatever its connections.
 */
export class ResourceUpdates {
  readonly #look: (uri: string) => string | null;
  readonly #everyMs: number;
  readonly #watched = new Map<string, Watched>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLooking = false;

  /** `look` gives a text that differs from the one before when the resource has changed, or `null` when there is none. */
  constructor(
    { look, everyMs = LOOK_EVERY_MS }: { readonly look: (uri: string) => string | null; readonly everyMs?: number },
  ) {
    this.#look = look;
    this.#everyMs = everyMs;
  }

  /** Tells whether there is such a resource, of which changes can be told. */
  canWatch(uri: string): boolean {
    return this.#lookNow(uri) !== null;
  }

  /** Tells of changes from now on, until it is disposed. A listener that watches a resource twice is told once of each. */
  watch(uri: string, listener: UpdateListener): Disposable {
    const watched = this.#watched.get(uri) ?? { facts: this.#lookNow(uri), listeners: new Map() };
    this.#watched.set(uri, watched);
    watched.listeners.set(listener, (watched.listeners.get(listener) ?? 0) + 1);
    this.#schedule();
    let isOver = false;
    return {
      [Symbol.dispose]: (): void => {
        if (!isOver) this.#leave(uri, { watched, listener });
        isOver = true;
      },
    };
  }

  /** What cannot be looked at is as good as absent: a client's message must not fail for it. */
  #lookNow(uri: string): string | null {
    try {
      return this.#look(uri);
    } catch {
      return null;
    }
  }

  #leave(uri: string, { watched, listener }: { readonly watched: Watched; readonly listener: UpdateListener }): void {
    const times = (watched.listeners.get(listener) ?? 0) - 1;
    if (times > 0) watched.listeners.set(listener, times);
    else watched.listeners.delete(listener);
    if (watched.listeners.size === 0) this.#watched.delete(uri);
    if (this.#watched.size === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }

  /** After the end of a round, so that no two looks at one resource are nearer to each other. */
  #schedule(): void {
    if (this.#timer !== undefined || this.#isLooking || this.#watched.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#lookAtAll();
    }, this.#everyMs);
  }

  async #lookAtAll(): Promise<void> {
    this.#isLooking = true;
    let looks = 0;
    try {
      for (const [uri, watched] of this.#watched) {
        this.#lookAt(uri, watched);
        if (++looks % LOOKS_AT_ONCE === 0) await new Promise((resolve) => setTimeout(resolve, 0));
      }
    } finally {
      this.#isLooking = false;
      this.#schedule();
    }
  }

  #lookAt(uri: string, watched: Watched): void {
    let facts: string | null;
    try {
      facts = this.#look(uri);
    } catch {
      // What cannot be looked at now is looked at the next time.
      return;
    }
    if (facts === watched.facts) return;
    watched.facts = facts;
    for (const listener of [...watched.listeners.keys()]) listener(uri);
  }
}
