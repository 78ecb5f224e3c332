/** Calls that were answered with a handle: a directory each, in which any server finds what the call waits for. */
import { join } from "node:path";
import * as z from "zod";
import { removeAll } from "./files.ts";
import { waitForLock } from "./kernel_lock.ts";
import { isNewerState, refuseNewerState } from "./state_directory.ts";
import { syncDirectory, writeAside, writeNew } from "./write_aside.ts";

/** Of `crypto.randomUUID()`: whoever knows one may ask for the answer, so nobody can guess it. */
const HANDLE_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Far longer than writing an end takes; then the holder of the lock has been halted. */
const WAIT_MS = 5_000;

const handleCall = z.object({
  tool: z.string(),
  /** What the tool finds the end with. */
  kept: z.unknown(),
  /** The tasks that it is about. */
  taskIds: z.array(z.string()).readonly(),
  /** Longest answer that the client passes on. */
  answerChars: z.number(),
  createdAt: z.coerce.date(),
});
export type HandleCall = z.output<typeof handleCall>;

const handleEnd = z.discriminatedUnion("status", [
  z.object({
    status: z.literal("completed"),
    endedAt: z.coerce.date(),
    /** The answer as the client is given it. */
    result: z.record(z.string(), z.unknown()),
    /** The tasks whose results it holds. */
    told: z.array(z.string()).readonly(),
  }),
  z.object({
    status: z.literal("failed"),
    endedAt: z.coerce.date(),
    /** A JSON-RPC error. */
    error: z.object({ code: z.number(), message: z.string() }),
  }),
  z.object({ status: z.literal("cancelled"), endedAt: z.coerce.date() }),
]);
/** How a call has ended; never changes once it was written. */
export type HandleEnd = z.output<typeof handleEnd>;

/** The handles of all servers of a state directory. Directories are 0700, files 0600. */
export class HandleFiles {
  readonly #stateDir: string;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
  }

  /** Tells whether the state directory is ours to write: not a newer program's. */
  async isWritable(): Promise<boolean> {
    return !await isNewerState(this.#stateDir);
  }

  /** Makes a handle; on disk when this returns. Throws what the system says when it cannot be written. */
  async create(id: string, call: HandleCall): Promise<void> {
    await refuseNewerState(this.#stateDir);
    const directory = this.#of(id);
    await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    try {
      await writeNew(join(directory, "call.json"), `${JSON.stringify(call)}\n`);
    } catch (error) {
      await Deno.remove(directory, { recursive: true }).catch(() => undefined);
      throw error;
    }
    await Promise.all([directory, this.#directory, this.#stateDir].map(syncDirectory));
  }

  /** The call that was answered with this handle; `null` when there is none. Throws when it cannot be read. */
  async read(id: string): Promise<HandleCall | null> {
    const text = await this.#readText(id, "call.json");
    return text === null ? null : handleCall.parse(JSON.parse(text));
  }

  /** How the call has ended; `null` while nobody has seen that. */
  async readEnd(id: string): Promise<HandleEnd | null> {
    const text = await this.#readText(id, "end.json");
    return text === null ? null : handleEnd.parse(JSON.parse(text));
  }

  /** Notes how the call has ended, and gives the end that stands: the first one. Throws when it cannot be written. */
  async end(id: string, end: HandleEnd): Promise<HandleEnd> {
    await refuseNewerState(this.#stateDir);
    const directory = this.#of(id);
    using lock = await waitForLock(join(directory, "lock"), { waitMs: WAIT_MS });
    if (lock === null) throw new Error(`${directory} is locked by a process that does not go on`);
    const first = await this.readEnd(id);
    if (first !== null) return first;
    await writeAside(join(directory, "end.json"), `${JSON.stringify(end)}\n`);
    await syncDirectory(directory);
    return end;
  }

  /** Those of all calls, in no order. */
  async ids(): Promise<string[]> {
    try {
      return (await Array.fromAsync(Deno.readDir(this.#directory))).map(({ name }) => name).filter(isHandleId);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }

  /** Removes what ended before that time, and what began before it and is about nothing that is still there. */
  async removeOld(before: Date, isTask: (id: string) => boolean): Promise<void> {
    for (const id of await this.ids()) {
      if (!await this.#isOld(id, { before, isTask }).catch(() => false)) continue;
      // The call first: half of a handle is none.
      await removeAll(join(this.#of(id), "call.json"));
      await removeAll(this.#of(id));
    }
  }

  async #isOld(
    id: string,
    { before, isTask }: { readonly before: Date; readonly isTask: (id: string) => boolean },
  ): Promise<boolean> {
    const end = await this.readEnd(id);
    if (end !== null) return end.endedAt < before;
    const call = await this.read(id);
    if (call !== null) return call.createdAt < before && !call.taskIds.some(isTask);
    const { mtime } = await Deno.lstat(this.#of(id));
    return mtime !== null && mtime < before;
  }

  async #readText(id: string, name: string): Promise<string | null> {
    if (!isHandleId(id)) return null;
    try {
      return await Deno.readTextFile(join(this.#of(id), name));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  get #directory(): string {
    return join(this.#stateDir, "handles");
  }

  #of(id: string): string {
    if (!isHandleId(id)) throw new Error(`${JSON.stringify(id)} names no handle`);
    return join(this.#directory, id);
  }
}

function isHandleId(id: string): boolean {
  return HANDLE_ID.test(id);
}
