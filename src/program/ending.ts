/** How the program is asked to end, and how long that takes at most. */

/** Signals that come together are one: a terminal sends it to all, and so does whoever started the program. */
const TOGETHER_MS = 1_000;

/** Settles with the name of the first signal that asks the program to end; `insist` is called at a later one. */
export function signalled(insist: () => void): Promise<string> {
  const signals = Deno.build.os === "windows"
    ? ["SIGINT", "SIGTERM"] as const
    : ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  return new Promise((resolve) => {
    let askedAt = Infinity;
    for (const signal of signals) {
      Deno.addSignalListener(signal, () => {
        if (performance.now() - askedAt > TOGETHER_MS) insist();
        askedAt = Math.min(askedAt, performance.now());
        resolve(signal);
      });
    }
  });
}

/** Waits for the work's end, but not longer than `ms`. */
export async function withDeadline(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<void>((resolve) => timer = setTimeout(resolve, ms));
  await Promise.race([work, deadline]);
  clearTimeout(timer);
}
