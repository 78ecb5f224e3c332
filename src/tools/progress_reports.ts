import type { ToolCall } from "./tool.ts";

/** Clients give up on a call that is silent for long; the shortest such limits are about a minute. */
const REPORT_EVERY_MS = 8_000;

/**
 * Tells the client at once and then every few seconds how far the work is, until it is disposed: nothing may follow the
 * answer, since late progress breaks some clients' connections. Whoever has a handle is told when it asks.
 */
export function reportProgress(call: ToolCall, describe: () => Promise<string>): AsyncDisposable {
  const { handle } = call;
  if (handle !== null) {
    handle.follow(describe);
    return { [Symbol.asyncDispose]: () => Promise.resolve(handle.follow(null)) };
  }
  let isOver = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const report = async (): Promise<void> => {
    const message = await describe();
    if (isOver) return;
    await call.report(message);
    if (!isOver) timer = setTimeout(next, REPORT_EVERY_MS);
  };
  const next = (): void => {
    running = report().catch(() => undefined);
  };
  let running: Promise<void> = Promise.resolve();
  next();
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      isOver = true;
      clearTimeout(timer);
      await running;
    },
  };
}
