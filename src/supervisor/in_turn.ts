/** Does pieces of work that have the same key one after the other, whatever becomes of each. */
export class InTurn {
  readonly #last = new Map<string, Promise<void>>();

  async run(key: string, work: () => Promise<void>): Promise<void> {
    const done = (this.#last.get(key) ?? Promise.resolve()).catch(() => undefined).then(work);
    this.#last.set(key, done);
    try {
      await done;
    } finally {
      if (this.#last.get(key) === done) this.#last.delete(key);
    }
  }
}
