import type { Log } from "../log.ts";
import type { UsageLimitFiles } from "../storage/usage_limit_file.ts";
import { failureOf } from "../codex/failure.ts";
import type { Failure } from "../task/task.ts";
import { pause } from "../process/pause.ts";

/** How often the clock is looked at while a limit holds: a timer does not know of a clock that was set. */
const LOOK_EVERY_MS = 30_000;
/** How often it is tried to become the probe while somebody else is: who was may have been killed. */
const TRY_EVERY_MS = 5_000;
/** A limit that was to have lifted and has not is tried again after this, twice as long each time. */
const FIRST_BACKOFF_MS = 5_000;
const MAX_BACKOFF_MS = 10 * 60_000;

/** The one run of an account that finds out whether its limit has lifted. Disposing it lets the next one try. */
export interface Probe extends Disposable {
  /** Lets all others of the account run, unless a later one has met its limit. */
  lift(): Promise<void>;
}

/** A limit holds for one that is not to wait for it. */
export class UsageLimited extends Error {
  override readonly name = "UsageLimited";
  readonly failure: Failure;

  constructor(resetsAt: Date) {
    super(`Another run of this account has met its usage limit, which lifts at ${resetsAt.toISOString()}.`);
    this.failure = {
      ...failureOf("usage_limit", this.message),
      action: "Start it again when the limit lifts, or with another account or model.",
      resetsAt,
    };
  }
}

/** What is known of the usage limits of accounts, shared by all servers. */
export class UsageLimits {
  readonly #files: UsageLimitFiles;
  readonly #now: () => Date;
  readonly #log: Log;

  constructor(options: { readonly files: UsageLimitFiles; readonly now: () => Date; readonly log: Log }) {
    this.#files = options.files;
    this.#now = options.now;
    this.#log = options.log;
  }

  /** When the account's limit is to lift; `null` when there is none. */
  async until(account: string): Promise<Date | null> {
    return (await this.#files.readLimit(account))?.until ?? null;
  }

  /**
   * Waits until the account may be used. Gives the probe to the first one that gets there once the limit is to have
   * lifted: the others wait for what it finds. Rejects with the signal's reason, and with {@linkcode UsageLimited} while a
   * limit holds that is not to be waited for.
   */
  async pass(
    account: string,
    signal: AbortSignal,
    { mayWait = true }: { readonly mayWait?: boolean } = {},
  ): Promise<Probe | null> {
    for (;;) {
      signal.throwIfAborted();
      // Nobody listens for changes of a limit that is not there.
      if (await this.#files.readLimit(account) === null) return null;
      const over = new AbortController();
      const changed = this.#files.nextChange(account, AbortSignal.any([signal, over.signal]));
      try {
        const limit = await this.#files.readLimit(account);
        if (limit === null) return null;
        const leftMs = limit.until.getTime() - this.#now().getTime();
        if (leftMs > 0 && !mayWait) throw new UsageLimited(limit.until);
        const probe = leftMs > 0 ? null : await this.#takeProbe(account);
        if (probe !== null) return probe;
        const waitMs = leftMs > 0 ? Math.min(leftMs, LOOK_EVERY_MS) : TRY_EVERY_MS;
        await Promise.race([changed, pause(waitMs, AbortSignal.any([signal, over.signal]))]);
      } finally {
        over.abort();
      }
    }
  }

  /** Notes that a run of the account met its limit; gives the instant until which all its runs wait. */
  async met(account: string, resetsAt: Date): Promise<Date> {
    const now = this.#now().getTime();
    const known = await this.#files.readLimit(account);
    // Those that were running all meet the same limit; only one that met it after its end tells of another.
    const isSame = known !== null && known.until.getTime() > now;
    const attempts = known === null ? 0 : isSame ? known.attempts : known.attempts + 1;
    const backoffMs = attempts === 0 ? 0 : Math.min(FIRST_BACKOFF_MS * 2 ** (attempts - 1), MAX_BACKOFF_MS);
    const least = isSame ? known.until.getTime() : now + backoffMs;
    const until = new Date(Math.max(resetsAt.getTime(), least));
    try {
      await this.#files.writeLimit(account, { until, attempts });
    } catch (error) {
      this.#log.error("a usage limit could not be noted for others", { error });
    }
    return until;
  }

  /** Stops listening. */
  close(): void {
    this.#files.close();
  }

  async #takeProbe(account: string): Promise<Probe | null> {
    const lock = await this.#files.takeProbe(account);
    if (lock === null) return null;
    // It may be disposed twice, and be somebody else's by then.
    const held = new DisposableStack();
    held.use(lock);
    // It may have been lifted, or met again, just before.
    const limit = await this.#files.readLimit(account);
    if (limit === null || limit.until > this.#now()) {
      held.dispose();
      return null;
    }
    return {
      lift: async () => {
        // Who tried after this one may have met it anew.
        const known = await this.#files.readLimit(account);
        if (known?.until.getTime() === limit.until.getTime()) await this.#files.clearLimit(account);
      },
      [Symbol.dispose]: () => held.dispose(),
    };
  }
}
