/** The calls that are on their way while a history goes on. */

interface OpenCall {
  readonly done: Promise<void>;
  readonly leave: AbortController;
}

/** Longest time that a call may take that waits for no agent: a stop takes its ladder and the sweep. */
const ANSWER_MS = 45_000;

export class Calls {
  /** Answered as soon as possible. */
  readonly #prompt = new Map<number, Promise<void>>();
  /** Those that wait for agents, by the step that made them. */
  readonly #waiting = new Map<number, OpenCall>();

  get waiting(): number {
    return this.#waiting.size;
  }

  /** `work` gets a signal that comes when the client takes its call back. It must not reject. */
  start(
    step: number,
    { waits }: { readonly waits: boolean },
    work: (signal: AbortSignal) => Promise<void>,
  ): void {
    const leave = new AbortController();
    const done: Promise<void> = work(leave.signal).finally(() => {
      this.#prompt.delete(step);
      this.#waiting.delete(step);
    });
    if (waits) this.#waiting.set(step, { done, leave });
    else this.#prompt.set(step, done);
  }

  /** Takes a call back that waits; tells whether there is one. */
  leave(step: number): boolean {
    const call = this.#waiting.get(step);
    call?.leave.abort();
    return call !== undefined;
  }

  /** Waits for the answers to all calls that do not wait for agents. */
  async settle(): Promise<void> {
    const done = Promise.all(this.#prompt.values());
    await within(ANSWER_MS, done, () => `no answer came to steps ${[...this.#prompt.keys()].join(", ")}`);
  }

  /** Waits for all answers. */
  async settleAll(): Promise<void> {
    await this.settle();
    const done = Promise.all([...this.#waiting.values()].map((call) => call.done));
    await within(ANSWER_MS, done, () => `steps ${[...this.#waiting.keys()].join(", ")} still wait`);
  }

  /** Takes all calls back. */
  async abandon(): Promise<void> {
    for (const { leave } of this.#waiting.values()) leave.abort();
    await Promise.all([...this.#prompt.values(), ...[...this.#waiting.values()].map(({ done }) => done)]);
  }
}

/** Rejects when it takes longer. */
export async function within<T>(ms: number, work: Promise<T>, message: () => string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new BrokenInvariant(`${message()} within ${ms / 1000} s`)), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** What must never be, has been. */
export class BrokenInvariant extends Error {
  override readonly name = "BrokenInvariant";
}
