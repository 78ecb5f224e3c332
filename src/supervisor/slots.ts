/** The right to run: at most so many tasks at once, the others in the order in which they came. */
export class Slots {
  readonly #limit: number;
  readonly #queue: { readonly id: string; readonly enter: () => void }[] = [];
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Waits for a slot and gives what frees it. Rejects with the signal's reason when the task is taken out of the queue. */
  async acquire(id: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#taken < this.#limit) this.#taken++;
    else await this.#queued(id, signal);
    let isFreed = false;
    return () => {
      if (isFreed) return;
      isFreed = true;
      // The slot goes straight to the next in the queue, so that nobody can slip in between.
      const next = this.#queue.shift();
      if (next === undefined) this.#taken--;
      else next.enter();
    };
  }

  /** Place in the queue from 1, or `null` for a task that is not in it. */
  position(id: string): number | null {
    const index = this.#queue.findIndex((entry) => entry.id === id);
    return index < 0 ? null : index + 1;
  }

  #queued(id: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        const index = this.#queue.findIndex((entry) => entry.id === id);
        if (index >= 0) this.#queue.splice(index, 1);
        reject(signal.reason);
      };
      const enter = (): void => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#queue.push({ id, enter });
    });
  }
}
