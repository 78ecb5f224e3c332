/**
 * Locks of the kernel's on files, which it frees when their holder dies, however that happens. Nothing here waits in the
 * kernel, and going through another thread would take ten times as long as the step itself.
 */

/** How long waiting for a lock begins to pause between two tries, and how long at most. */
const FIRST_PAUSE_MS = 2;
const MAX_PAUSE_MS = 50;

/** Takes the lock of a file, which is made when it is missing, until the result is disposed; `null` while others hold it. */
export function tryLock(path: string, { isShared = false } = {}): Disposable | null {
  // Shared locks too are for those only who may write: a reader must not be able to hold up anybody.
  const file = Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
  let isTaken = false;
  try {
    isTaken = file.tryLockSync(!isShared);
  } finally {
    if (!isTaken) file.close();
  }
  return isTaken ? { [Symbol.dispose]: () => unlock(file) } : null;
}

/** Frees a lock. Closing alone would not do at once: a process that is being forked has a copy of each descriptor. */
function unlock(file: Deno.FsFile): void {
  try {
    file.unlockSync();
  } finally {
    file.close();
  }
}

/**
 * Takes the lock of a file, or gives `null` after `waitMs`: its holder may be a process that somebody has halted. The
 * wait asks again and again, because a thread that waits in the kernel could neither give up nor be used for others.
 */
export async function waitForLock(
  path: string,
  { isShared = false, waitMs }: { readonly isShared?: boolean; readonly waitMs: number },
): Promise<Disposable | null> {
  const end = performance.now() + waitMs;
  for (let pauseMs = FIRST_PAUSE_MS;; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
    const lock = tryLock(path, { isShared });
    if (lock !== null || performance.now() >= end) return lock;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
