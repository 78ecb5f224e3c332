import { join } from "node:path";
import { isShortOfFiles } from "../process/short_of_files.ts";
import { tryLock } from "./kernel_lock.ts";

/** The right to run one agent, until it is disposed. */
export interface SlotClaim extends Disposable {
  /** Lock file that the shim takes and holds; somebody else may be faster. `null` when this process holds the slot. */
  readonly path: string | null;
}

/** What {@linkcode SlotFiles} is given. */
export interface SlotFilesOptions {
  /** Holds the lock files, `slot_1` and so on; made when it is needed. */
  readonly directory: string;
  readonly limit: number;
  /** Whether shims hold the locks; otherwise this process does. */
  readonly isHandedOver: () => Promise<boolean>;
}

/**
 * At most so many agents at once, over all servers of a state directory: each slot is the lock of a file, which the
 * kernel frees when the last process is gone that holds it. Where no file can be locked, this process counts alone.
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
    if (lock === null) return null;
    if (!isHandedOver) return this.#claim(number, { path: null, lock });
    lock[Symbol.dispose]();
    return this.#claim(number, { path });
  }

  async #lock(path: string, options: { readonly isShared: boolean }): Promise<Disposable | null> {
    try {
      return await tryLock(path, options);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      await Deno.mkdir(this.#options.directory, { recursive: true, mode: 0o700 });
      return await tryLock(path, options);
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
