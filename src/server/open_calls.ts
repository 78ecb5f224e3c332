/** How many calls of tools are being served. */
export class OpenCalls {
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Counts one more until the result is disposed. */
  begin(): Disposable {
    this.#count++;
    return { [Symbol.dispose]: () => void this.#count-- };
  }
}
