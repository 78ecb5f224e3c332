/** All tasks in the order in which they came, one line each: `ID REPOSITORY_DIGEST EPOCH_MS`. */
import { join } from "node:path";
import { readAt } from "../process/read_at.ts";
import { digest } from "./digest.ts";
import { waitForLock } from "./kernel_lock.ts";
import { writeAside } from "./write_aside.ts";

/** Blocks read from the end: the first holds some hundred lines, each further one is twice as large. */
const FIRST_BLOCK_BYTES = 16 * 1024;
const MAX_BLOCK_BYTES = 1024 * 1024;
/** How long a lock is waited for, whose holders hold it for a moment. */
const LOCK_MS = 5_000;
const NEWLINE = 10;

/** All lines have one length, so that half of one never passes for a whole one. */
const LINE = /^([0-9a-f]{8}) ([0-9a-f]{16}) (\d{13})$/;
/** Length of a line with its newline, in bytes. */
export const HISTORY_LINE_BYTES = 40;
const LINE_LENGTH = HISTORY_LINE_BYTES - 1;
const decoder = new TextDecoder("latin1");

export interface HistoryEntry {
  readonly id: string;
  /** Of the repository; see {@linkcode repositoryDigest}. */
  readonly repository: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What stands for a repository in the history. */
export async function repositoryDigest(repository: string): Promise<string> {
  return (await digest(repository)).slice(0, 16);
}

/** The file of one state directory. Several servers append to it and replace it. */
export class TaskHistory {
  readonly path: string;
  readonly #lockPath: string;
  #waiting: string[] = [];
  #isDamaged = false;
  #appending: Promise<void> | undefined;

  constructor(directory: string) {
    this.path = join(directory, "history");
    this.#lockPath = join(directory, "history.lock");
  }

  /** Whether a line was met that is none, other than the last one, which may be half written. */
  get isDamaged(): boolean {
    return this.#isDamaged;
  }

  /** Appends an entry; on disk when this returns. Those that come together are written together. */
  async append(entry: HistoryEntry): Promise<void> {
    this.#waiting.push(lineOf(entry));
    // Those that came while a write was on its way are the next one's.
    await this.#appending?.catch(() => undefined);
    if (this.#waiting.length > 0) {
      this.#appending = this.#write(this.#waiting.splice(0).join("")).finally(() => this.#appending = undefined);
    }
    await this.#appending;
  }

  /** The ids from the newest to the oldest, of one repository if its digest is given, some at a time; duplicates occur. */
  async *newestFirst(repository?: string): AsyncGenerator<string[], void> {
    using file = await this.#open();
    if (file === null) return;
    let end = (await file.stat()).size;
    let rest = "";
    let isLast = true;
    for (let length = FIRST_BLOCK_BYTES; end > 0; length = Math.min(2 * length, MAX_BLOCK_BYTES)) {
      const start = Math.max(0, end - length);
      const text = decoder.decode(await readAt(file, { start, length: end - start })) + rest;
      end = start;
      const lines = text.split("\n");
      // Its beginning is still to come.
      rest = start === 0 ? "" : lines.shift() ?? "";
      const ids: string[] = [];
      for (let line = lines.pop(); line !== undefined; line = lines.pop()) {
        // Most are of other repositories, and need not be looked at any closer.
        const isOther = repository !== undefined && line.length === LINE_LENGTH && !line.includes(repository);
        const entry = isOther ? null : this.#parse(line, isLast);
        isLast = false;
        if (entry !== null && entry.repository === (repository ?? entry.repository)) ids.push(entry.id);
      }
      yield ids;
    }
  }

  /** All entries from the oldest to the newest; duplicates occur. */
  async *oldestFirst(): AsyncGenerator<HistoryEntry, void> {
    using file = await this.#open();
    if (file === null) return;
    const block = new Uint8Array(MAX_BLOCK_BYTES);
    let rest = "";
    for (let length = await file.read(block); length !== null; length = await file.read(block)) {
      const lines = (rest + decoder.decode(block.subarray(0, length))).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const entry = this.#parse(line, false);
        if (entry !== null) yield entry;
      }
    }
    const last = this.#parse(rest, true);
    if (last !== null) yield last;
  }

  /** Length in bytes; 0 while there is none. */
  async size(): Promise<number> {
    using file = await this.#open();
    return file === null ? 0 : (await file.stat()).size;
  }

  /** Replaces all entries, while nobody appends; tells whether that was possible in the time that can be waited. */
  async replace(change: (entries: HistoryEntry[]) => Promise<HistoryEntry[]>): Promise<boolean> {
    using lock = await waitForLock(this.#lockPath, { waitMs: LOCK_MS });
    if (lock === null) return false;
    const entries = await change(await Array.fromAsync(this.oldestFirst()));
    await writeAside(this.path, entries.map(lineOf).join(""));
    this.#isDamaged = false;
    return true;
  }

  async #write(lines: string): Promise<void> {
    using lock = await waitForLock(this.#lockPath, { isShared: true, waitMs: LOCK_MS });
    // Whoever replaces the file meanwhile would lose these.
    if (lock === null) throw new Error(`${this.#lockPath} is held`);
    using file = Deno.openSync(this.path, { read: true, append: true, create: true, mode: 0o600 });
    const last = Uint8Array.of(NEWLINE);
    // A writer that lost its power has left half a line.
    if (file.statSync().size > 0) {
      file.seekSync(-1, Deno.SeekMode.End);
      file.readSync(last);
    }
    const bytes = new TextEncoder().encode(last[0] === NEWLINE ? lines : `\n${lines}`);
    const written = file.writeSync(bytes);
    if (written < bytes.length) throw new Error(`only ${written} of ${bytes.length} bytes could be written`);
    await file.syncData();
  }

  #parse(line: string, isLast: boolean): HistoryEntry | null {
    const [, id, repository, at] = LINE.exec(line) ?? [];
    if (id !== undefined && repository !== undefined) return { id, repository, at: Number(at) };
    if (line !== "" && !isLast) this.#isDamaged = true;
    return null;
  }

  async #open(): Promise<Deno.FsFile | null> {
    try {
      return await Deno.open(this.path, { read: true });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
      throw error;
    }
  }
}

function lineOf({ id, repository, at }: HistoryEntry): string {
  return `${id} ${repository} ${String(at).padStart(13, "0")}\n`;
}
