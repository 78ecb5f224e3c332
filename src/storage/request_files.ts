/** Calls that their caller has given a name: what each of them has started, so that made again it starts nothing twice. */
import { join } from "node:path";
import * as z from "zod";
import { digest } from "./digest.ts";
import { tryLock, waitForLock } from "./kernel_lock.ts";
import { refuseNewerState } from "./state_directory.ts";
import { syncDirectory, writeAside } from "./write_aside.ts";

/** Longer than old requests take to be removed; then who does that has been halted. */
const WAIT_MS = 5_000;
const RECORD = /^([0-9a-f]{64})\.json$/;

const requestEntry = z.union([
  /** A task, which may not have been made. */
  z.object({ id: z.string() }),
  /** One that was to be told more, with the number of its last prompt before; the task that is started if it cannot be. */
  z.object({ told: z.string(), after: z.number(), otherwise: z.string().optional() }),
  /** Why there is none. */
  z.object({ error: z.record(z.string(), z.unknown()) }),
]);
export type RequestEntry = z.output<typeof requestEntry>;

const requestRecord = z.object({
  /** Digest of what was asked for. */
  asked: z.string(),
  /** What was about to be started, in the order asked for. */
  entries: z.array(requestEntry).readonly(),
  createdAt: z.coerce.date(),
});
export type RequestRecord = z.output<typeof requestRecord>;

/** The tasks that an entry is about. */
function tasksOf(entry: RequestEntry): string[] {
  if ("id" in entry) return [entry.id];
  return "told" in entry ? [entry.told, ...(entry.otherwise === undefined ? [] : [entry.otherwise])] : [];
}

/** The named calls of all servers of a state directory. The directory is 0700, files 0600. */
export class RequestFiles {
  readonly #stateDir: string;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
  }

  /** What a call's files are named after; `directories` are those that its agents start in, absolute and in order. */
  async nameOf(tool: string, key: string, directories: readonly string[]): Promise<string> {
    return await digest(JSON.stringify([tool, key, directories]));
  }

  /**
   * Takes the right to begin the call, which one process at a time has, until the result is disposed; `null` after
   * `waitMs`. The kernel frees it when its holder dies. Throws what the system says where nothing can be written.
   */
  async lock(name: string, waitMs: number): Promise<Disposable | null> {
    await refuseNewerState(this.#stateDir);
    await Deno.mkdir(this.#directory, { recursive: true, mode: 0o700 });
    using stack = new DisposableStack();
    // Nobody removes a lock that somebody has.
    const shared = await waitForLock(this.#common, { isShared: true, waitMs: WAIT_MS });
    if (shared === null) return null;
    stack.use(shared);
    const own = await waitForLock(join(this.#directory, `${name}.lock`), { waitMs });
    if (own === null) return null;
    stack.use(own);
    return stack.move();
  }

  /** What the call was about to start; `null` where it was not made before. Throws when that cannot be read. */
  async read(name: string): Promise<RequestRecord | null> {
    try {
      return requestRecord.parse(JSON.parse(await Deno.readTextFile(this.#file(name))));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  /** Notes what the call is about to start; on disk when this returns. */
  async write(name: string, record: RequestRecord): Promise<void> {
    await writeAside(this.#file(name), `${JSON.stringify(record)}\n`);
    await syncDirectory(this.#directory);
  }

  async remove(name: string): Promise<void> {
    await Deno.remove(this.#file(name));
    await syncDirectory(this.#directory);
  }

  /** Removes calls that were made before that time and of whose tasks none is there any more. */
  async removeOld(before: Date, isTask: (id: string) => boolean): Promise<void> {
    let names: string[];
    try {
      names = (await Array.fromAsync(Deno.readDir(this.#directory))).map(({ name }) => name);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw error;
    }
    using alone = tryLock(this.#common);
    // Some call is just being begun: the next time will do.
    if (alone === null) return;
    const kept = new Set<string>();
    for (const file of names) {
      const [, name] = RECORD.exec(file) ?? [];
      if (name === undefined) continue;
      if (await this.#isOld(name, { before, isTask }).catch(() => false)) {
        await Deno.remove(join(this.#directory, file));
      } else kept.add(name);
    }
    const locks = names.filter((file) => file.endsWith(".lock") && !kept.has(file.slice(0, -".lock".length)));
    for (const file of locks) await Deno.remove(join(this.#directory, file));
  }

  async #isOld(
    name: string,
    { before, isTask }: { readonly before: Date; readonly isTask: (id: string) => boolean },
  ): Promise<boolean> {
    const record = await this.read(name);
    if (record === null || record.createdAt >= before) return false;
    return !record.entries.flatMap(tasksOf).some(isTask);
  }

  get #directory(): string {
    return join(this.#stateDir, "requests");
  }

  /** Shared by those who begin a call, and had alone by who removes old ones. */
  get #common(): string {
    return join(this.#directory, "common");
  }

  #file(name: string): string {
    return join(this.#directory, `${name}.json`);
  }
}
