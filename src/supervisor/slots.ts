import type { SlotClaim, SlotFiles } from "../storage/slot_files.ts";
import type { Bell } from "../storage/bell.ts";

/** What shims ring when a slot has become free. */
const BELL_NAME = "slots";
/** How often slots are tried while their bell is silent: who held one may have been killed. */
const TRY_EVERY_MS = 2_000;

/** The right to run: at most so many tasks at once, over all servers; the others in the order in which they came here. */
export class Slots {
  readonly #files: SlotFiles;
  readonly #bell: Bell;
  readonly #closing: AbortSignal;
  readonly #queue: { readonly id: string; readonly enter: (claim: SlotClaim) => void }[] = [];
  #isTrying = false;
  #tried: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;

  constructor(options: { readonly files: SlotFiles; readonly bell: Bell; readonly closing: AbortSignal }) {
    this.#files = options.files;
    this.#bell = options.bell;
    this.#closing = options.closing;
  }

  /**
   * Waits for a slot; disposing it gives it to the next. Rejects with the signal's reason when the task is taken out of
   * the queue. `isFirst`: it had its turn already.
   */
  async acquire(
    id: string,
    signal: AbortSignal,
    { isFirst }: { readonly isFirst: boolean } = { isFirst: false },
  ): Promise<Disposable & Pick<SlotClaim, "path">> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<SlotClaim>();
    const entry = { id, enter: resolve };
    if (isFirst) this.#queue.unshift(entry);
    else this.#queue.push(entry);
    const leave = (): void => {
      const index = this.#queue.indexOf(entry);
      if (index >= 0) this.#queue.splice(index, 1);
      // With a slot in hand it is too late to leave: whoever waits here sees the signal next.
      if (index >= 0) reject(signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
    this.#tryAll();
    try {
      const claim = await promise;
      let isFreed = false;
      return {
        path: claim.path,
        [Symbol.dispose]: (): void => {
          if (isFreed) return;
          isFreed = true;
          claim[Symbol.dispose]();
          this.#tryAll();
        },
      };
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  /** Place in this server's queue from 1, or `null` for a task that is not in it. */
  position(id: string): number | null {
    const index = this.#queue.findIndex((entry) => entry.id === id);
    return index < 0 ? null : index + 1;
  }

  /** Gives free slots to those who wait, now and whenever one may have become free. */
  #tryAll(): void {
    this.#wake?.();
    if (this.#isTrying) return;
    this.#isTrying = true;
    this.#tried = this.#try();
  }

  /** Settles when nothing is being tried any more, once the server ends. */
  async settled(): Promise<void> {
    await this.#tried;
  }

  async #try(): Promise<void> {
    while (this.#queue.length > 0 && !this.#closing.aborted) {
      const woken = new AbortController();
      this.#wake = (): void => woken.abort();
      // Before the look, so that nothing is missed after it.
      const rung = this.#bell.next(BELL_NAME, TRY_EVERY_MS, AbortSignal.any([this.#closing, woken.signal]));
      const claim = await this.#files.claim();
      if (claim === null) await rung;
      else {
        woken.abort();
        const next = this.#queue.shift();
        if (next === undefined) claim[Symbol.dispose]();
        else next.enter(claim);
      }
    }
    this.#isTrying = false;
  }
}
