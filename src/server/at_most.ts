import { pause } from "../process/pause.ts";

/** What a promise gives within that time; `undefined` when it takes longer. */
export async function atMost<T>(ms: number, promise: Promise<T> | undefined): Promise<T | undefined> {
  const over = new AbortController();
  try {
    return await Promise.race([promise, pause(ms, over.signal).then(() => undefined)]);
  } finally {
    over.abort();
  }
}
