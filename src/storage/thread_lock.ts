import { join } from "node:path";
import { digest } from "./digest.ts";
import { waitForLock } from "./kernel_lock.ts";

/** Far longer than writing a task down takes; then its holder has been halted. */
const WAIT_MS = 5_000;

/**
 * Takes the right to put a task behind the last one of its thread, which one server at a time has, until the result is
 * disposed. `null` when that right cannot be had.
 */
export async function lockThread(tasksDir: string, threadId: string): Promise<Disposable | null> {
  // A few files for all threads there ever are.
  const [shard] = await digest(threadId);
  return await waitForLock(join(tasksDir, ".index", `thread_${shard}.lock`), { waitMs: WAIT_MS }).catch(() => null);
}
