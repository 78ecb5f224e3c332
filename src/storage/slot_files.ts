import { join } from "node:path";
import { isShortOfFiles } from "../process/short_of_files.ts";
import { tryLock } from "./kernel_lock.ts";

/** The right to run one agent, until it is disposed. */
export interface SlotClaim extends Disposable {
  /** Lock file that the shim takes and holds; somebody else may be faster. `null` when this process holds the slot. */
  readonly path: string | null;
}

/** The last run whose shim has taken a slot. */
export interface SlotHolder {
  /** Id of the task. */
  readonly id: string;
  readonly run: number;
}

/** What {@linkcode SlotFiles} is given. */
export interface SlotFilesOptions {
  /** Holds the lock files, `slot_1` and so on; made when it is needed. */
  readonly directory: string;
  readonly limit: number;
  /** Whether shims hold the locks; otherwise this process does. */
  readonly isHandedOver: () => Promise<boolean>;
  /**
   * Whether neither shim nor agent of a run lives; for a shim that has only just begun it may say so wrongly. Default:
   * none is ever gone while somebody holds its lock.
   */
  readonly isGone?: (holder: SlotHolder) => Promise<boolean>;
}

/** Whoever forbids others to replace a slot meanwhile; beside the slots, in the same directory. */
const REPLACING = "replacing";
/** The time that a shim has, once it holds a slot, before its run must be there to be seen. */
const YOUNG_MS = 60_000;

/**
 * At most so many agents at once, over all servers of a state directory: each slot is the lock of a file, which the
 * kernel frees when the last process is gone that holds it. A slot that is held only by what an agent has left behind,
 * whose shim was killed, is replaced by a new file. Where no file can be locked, this process counts alone.
 */
export class SlotFiles {
  readonly #options: SlotFilesOptions;
  /** The slots that this process has given away, or is looking at. */
  readonly #promised = new Set<number>();

  constructor(options: SlotFilesOptions) {
    this.#options = options;
  }

  /** Gives a free slot, or `null`. Always the first one, so that servers with different limits keep to the lowest. */
  async claim(): Promise<SlotClaim | null> {
    const isHandedOver = await this.#options.isHandedOver();
    for (let number = 1; number <= this.#options.limit; number++) {
      if (this.#promised.has(number)) continue;
      // Before anything is waited for, or two who ask at once would get the same.
      this.#promised.add(number);
      const claim = await this.#look(number, isHandedOver);
      if (claim !== null) return claim;
      this.#promised.delete(number);
    }
    return null;
  }

  async #look(number: number, isHandedOver: boolean): Promise<SlotClaim | null> {
    const path = join(this.#options.directory, `slot_${number}`);
    let lock: Disposable | null;
    try {
      // Two servers that look at once must not take each other for a holder.
      lock = await this.#lock(path, { isShared: isHandedOver });
    } catch (error) {
      // Without a descriptor to spare nobody can look; it is tried again.
      return isShortOfFiles(error) ? null : this.#claim(number, { path: null });
    }
    if (!isHandedOver) return lock === null ? null : this.#claim(number, { path: null, lock });
    lock?.[Symbol.dispose]();
    const isFree = lock === null ? this.#replace(path) : this.#settle(path);
    // What stands against that may not stand against it the next time.
    return await isFree.catch(() => false) ? this.#claim(number, { path }) : null;
  }

  /** Makes room for a new file of a slot whose holder is gone, and tells whether it was. */
  async #replace(path: string): Promise<boolean> {
    if (!await this.#isStale(path)) return false;
    using lock = await this.#lock(join(this.#options.directory, REPLACING), { isShared: false });
    if (lock === null) return false;
    await Deno.writeTextFile(signOf(path), "", { mode: 0o600 });
    try {
      // Somebody else may have replaced it, or what held it has ended and a shim has taken it: now none can any more.
      if (!await this.#isStale(path)) return false;
      await Deno.remove(path);
      return true;
    } finally {
      await Deno.remove(signOf(path));
    }
  }

  /** Takes away the sign of a process that was killed while it replaced a slot; shims heed it. */
  async #settle(path: string): Promise<boolean> {
    if (!await exists(signOf(path))) return true;
    using lock = await this.#lock(join(this.#options.directory, REPLACING), { isShared: false });
    if (lock === null) return false;
    await Deno.remove(signOf(path)).catch(() => undefined);
    return true;
  }

  async #isStale(path: string): Promise<boolean> {
    try {
      const [, run, id] = /^(\d+) \d+ (\S+)\n/.exec(await Deno.readTextFile(path)) ?? [];
      const { mtime } = await Deno.stat(path);
      if (run === undefined || id === undefined || mtime === null) return false;
      if (Math.abs(Date.now() - mtime.getTime()) < YOUNG_MS) return false;
      return await this.#options.isGone?.({ id, run: Number(run) }) ?? false;
    } catch {
      // Without a descriptor to spare nobody can look, and where there is no file there is nothing to replace.
      return false;
    }
  }

  async #lock(path: string, options: { readonly isShared: boolean }): Promise<Disposable | null> {
    try {
      return tryLock(path, options);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      await Deno.mkdir(this.#options.directory, { recursive: true, mode: 0o700 });
      return tryLock(path, options);
    }
  }

  #claim(number: number, { path, lock }: { readonly path: string | null; readonly lock?: Disposable }): SlotClaim {
    let isFreed = false;
    return {
      path,
      [Symbol.dispose]: () => {
        if (isFreed) return;
        isFreed = true;
        lock?.[Symbol.dispose]();
        this.#promised.delete(number);
      },
    };
  }
}

function signOf(path: string): string {
  return `${path}.stale`;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
