import { hasCodexState } from "../codex/codex_state.ts";
import { watchUntil } from "../storage/changes.ts";

/** A turn to start a run. Disposing it lets the next one start. */
export interface StartTurn extends Disposable {
  /** The first run ever on this CODEX_HOME: the others wait until it has set the home up. */
  readonly isCold: boolean;
}

/**
 * Lets the first run on a fresh CODEX_HOME start alone. Many at once would set it up all at the same time, which
 * Codex survives noisily at best.
 */
export class ColdStart {
  readonly #codexHome: string;
  #isWarm = false;
  #last: Promise<void> = Promise.resolve();

  constructor(codexHome: string) {
    this.#codexHome = codexHome;
  }

  /** Waits for the turn to start a run. */
  async enter(): Promise<StartTurn> {
    // Not by a look at the home: while the first run sets it up, it looks set up already.
    if (this.#isWarm) return { isCold: false, [Symbol.dispose]: () => undefined };
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    const isCold = !await this.#checkWarm();
    if (!isCold) resolve();
    return { isCold, [Symbol.dispose]: resolve };
  }

  /** Waits until the run in `directory` has started its thread, or has ended. */
  async untilStarted(
    directory: string,
    run: { readonly hasStarted: () => Promise<boolean>; readonly ended: Promise<void> },
  ): Promise<void> {
    try {
      await watchUntil(directory, { look: run.hasStarted, until: run.ended });
      this.#isWarm = await run.hasStarted();
    } catch {
      // The run goes on whether or not it can be watched; only the next start may be a little early.
    }
  }

  async #checkWarm(): Promise<boolean> {
    this.#isWarm ||= await hasCodexState(this.#codexHome);
    return this.#isWarm;
  }
}
