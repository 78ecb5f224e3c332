/** So many requests at once, and so many a second from then on: far more than any number of clients of one person send. */
const BURST = 4_000;
const PER_SECOND = 500;

/** Bounds how many requests are served. */
export class RateLimit {
  #left = BURST;
  #at: number;

  constructor(nowMs: number) {
    this.#at = nowMs;
  }

  /** Tells whether one more may be served at `nowMs`. */
  take(nowMs: number): boolean {
    this.#left = Math.min(BURST, this.#left + Math.max(0, nowMs - this.#at) * PER_SECOND / 1_000);
    this.#at = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
