export interface WaitForOptions {
  /** Default 20,000: on a busy machine everything takes its time. */
  readonly timeoutMs?: number;
  /** What is being waited for, to complete "Timed out after 20000 ms waiting for …". */
  readonly message: string;
}

const POLL_MS = 10;

/**
 * Calls `condition` until it gives something other than `undefined`, `null` or `false`, and returns that.
 * This is the one place where tests poll. A condition that throws is asked again; its last error becomes the cause.
 */
export async function waitFor<T>(
  condition: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  { timeoutMs = 20_000, message }: WaitForOptions,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  while (true) {
    try {
      const value = await condition();
      if (value !== undefined && value !== null && value !== false) return value;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline) {
      const reason = cause instanceof Error ? `: ${cause.message}` : "";
      throw new Error(`Timed out after ${timeoutMs} ms waiting for ${message}${reason}`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
