/** What the system says when it has no room for another process or file just now: EAGAIN, ENOMEM, EMFILE, ENFILE, ENOSPC. */
const PASSING =
  /\(os error (11|12|23|24|28|35)\)|temporarily unavailable|Too many open files|Cannot allocate memory|No space left/i;

/** Tells whether a start failed for a reason that passes by itself. */
export function isPassing(error: unknown): boolean {
  return PASSING.test(error instanceof Error ? error.message : String(error));
}
