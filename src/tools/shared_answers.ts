import type { ToolAnswer } from "./tool.ts";

/** Finds an answer out once for all who ask the same at the same time, and for each after it has asked. */
export class SharedAnswers {
  readonly #current = new Map<string, Promise<ToolAnswer>>();
  /** What is found out as soon as the current one is, and will be true for whoever has asked until then. */
  readonly #next = new Map<string, Promise<ToolAnswer>>();

  async get(key: string, find: () => Promise<ToolAnswer>): Promise<ToolAnswer> {
    const current = this.#current.get(key);
    if (current === undefined) return await this.#begin(key, find);
    const next = this.#next.get(key) ?? current.catch(() => undefined).then(() => {
      this.#next.delete(key);
      return this.#begin(key, find);
    });
    this.#next.set(key, next);
    return await next;
  }

  async #begin(key: string, find: () => Promise<ToolAnswer>): Promise<ToolAnswer> {
    const found = find();
    this.#current.set(key, found);
    try {
      return await found;
    } finally {
      if (this.#current.get(key) === found) this.#current.delete(key);
    }
  }
}
