import { hasCodexState } from "../codex/codex_state.ts";
import { watchUntil } from "../storage/changes.ts";
import { pause } from "../process/pause.ts";

/** The longest that the first run on a fresh CODEX_HOME keeps the others waiting. */
const MAX_ALONE_MS = 30_000;

/** Disposing it lets the next run start. */
export interface ColdStartPermit extends Disposable {
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

  /** Waits until a run may be started. Rejects with the signal's reason. */
  async enter(signal: AbortSignal): Promise<ColdStartPermit> {
    // Not by a look at the home: while the first run sets it up, it looks set up already.
    if (this.#isWarm) return { isCold: false, [Symbol.dispose]: () => undefined };
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = Promise.all([before, promise]).then(() => undefined);
    try {
      await Promise.race([before, aborted(signal)]);
      const isCold = !await this.#checkWarm();
      if (!isCold) resolve();
      return { isCold, [Symbol.dispose]: resolve };
    } catch (error) {
      resolve();
      throw error;
    }
  }

  /** Waits until the run in `directory` has started its thread, has ended, or has been alone for long enough. */
  async untilStarted(
    directory: string,
    run: { readonly hasStarted: () => Promise<boolean>; readonly ended: Promise<unknown> },
  ): Promise<void> {
    const over = new AbortController();
    try {
      const until = Promise.race([run.ended, pause(MAX_ALONE_MS, over.signal)]);
      await watchUntil(directory, { look: run.hasStarted, until });
      this.#isWarm = await run.hasStarted();
    } catch {
      // The run goes on whether or not it can be watched; only the next start may be a little early.
    } finally {
      over.abort();
    }
  }

  async #checkWarm(): Promise<boolean> {
    this.#isWarm ||= await hasCodexState(this.#codexHome);
    return this.#isWarm;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
