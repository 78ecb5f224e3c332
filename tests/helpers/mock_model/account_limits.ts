/** Accounts of the mocked model whose quota is used up for a while, as the provider tells its clients. */

/** How long an account is limited, and how that is told. */
export interface AccountLimit {
  readonly seconds: number;
  /** Also in the headers of every refusal, which Codex records to the second; its own sentence knows minutes only. */
  readonly headers: boolean;
}

/** What a limited account is answered. */
export interface LimitRefusal {
  readonly status: number;
  readonly error: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The limits that hold; each lifts by itself. */
export class AccountLimits {
  readonly #limits = new Map<string, { readonly until: number; readonly headers: boolean }>();

  /** Limits an account from now on, in place of an earlier limit; gives the instant at which it lifts, a whole second. */
  set(account: string, { seconds, headers }: AccountLimit): Date {
    const until = Math.ceil(Date.now() / 1_000 + seconds);
    this.#limits.set(account, { until, headers });
    return new Date(until * 1_000);
  }

  /** What an account is answered that is limited at this moment. */
  refusal(account: string): LimitRefusal | undefined {
    const limit = this.#limits.get(account);
    if (limit === undefined || limit.until * 1_000 <= Date.now()) return undefined;
    const error = {
      type: "usage_limit_reached",
      message: "The usage limit has been reached",
      plan_type: "plus",
      resets_at: limit.until,
      resets_in_seconds: limit.until - Math.floor(Date.now() / 1_000),
    };
    if (!limit.headers) return { status: 429, error };
    const headers = {
      "x-codex-primary-used-percent": "100.0",
      "x-codex-primary-window-minutes": "300",
      "x-codex-primary-reset-at": String(limit.until),
    };
    return { status: 429, error, headers };
  }
}
