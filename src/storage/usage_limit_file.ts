import { join } from "node:path";
import * as z from "zod";
import { Bell } from "./bell.ts";
import { tryLock } from "./kernel_lock.ts";
import { writeAside } from "./write_aside.ts";

/** A usage limit that an account has met. */
export interface UsageLimit {
  /** When it is to lift. */
  readonly until: Date;
  /** How often it was tried in vain whether it has. */
  readonly attempts: number;
}

const usageLimit = z.object({ until: z.coerce.date(), attempts: z.number().int().min(0) });

/** The usage limits of accounts, each in a file that all servers of a state directory see, and hear when it changes. */
export class UsageLimitFiles {
  readonly #directory: string;
  readonly #changes: Bell;
  /** The accounts whose probe this process is without a lock. */
  readonly #probing = new Set<string>();

  constructor(directory: string) {
    this.#directory = directory;
    this.#changes = new Bell(directory);
  }

  /** The account's limit; `null` when there is none, or it cannot be read. */
  async readLimit(account: string): Promise<UsageLimit | null> {
    try {
      return usageLimit.parse(JSON.parse(await Deno.readTextFile(this.#file(account))));
    } catch {
      return null;
    }
  }

  /** Notes a limit in the place of an earlier one. Throws what the system says when it cannot be written. */
  async writeLimit(account: string, { until, attempts }: UsageLimit): Promise<void> {
    await Deno.mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await writeAside(this.#file(account), `${JSON.stringify({ until, attempts })}\n`);
  }

  async clearLimit(account: string): Promise<void> {
    await Deno.remove(this.#file(account)).catch(() => undefined);
  }

  /** Takes the right to find out whether the limit has lifted, until the result is disposed; `null` while another has it. */
  async takeProbe(account: string): Promise<Disposable | null> {
    const file = this.#file(account);
    try {
      await Deno.mkdir(this.#directory, { recursive: true, mode: 0o700 });
      return tryLock(`${file}.probe`);
    } catch {
      // Where no file can be locked this process is alone with its limits.
      if (this.#probing.has(account)) return null;
      this.#probing.add(account);
      return { [Symbol.dispose]: () => this.#probing.delete(account) };
    }
  }

  /** Settles at the next change of the account's limit, or when the signal comes. */
  async nextChange(account: string, signal: AbortSignal): Promise<void> {
    await this.#changes.next(nameOf(account), Infinity, signal);
  }

  /** Stops listening. */
  close(): void {
    this.#changes.close();
  }

  #file(account: string): string {
    return join(this.#directory, nameOf(account));
  }
}

/** An account is a digest already, but for the first tasks, which have none. Whatever else comes must not become a path. */
function nameOf(account: string): string {
  if (/^[0-9a-f]{8,64}$/.test(account)) return account;
  const hex = Array.from(new TextEncoder().encode(account), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `other-${hex.slice(0, 200)}`;
}
