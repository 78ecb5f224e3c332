/** Reads a file that another process appends to, line by line, each byte once. */
import { readAt } from "../process/read_at.ts";
import { type DroppedRange, nextRange, readDroppedRanges } from "./dropped_ranges.ts";
import { LineSplitter } from "./line_splitter.ts";

/** More than this at once is not read, but for its end. */
const MAX_BACKLOG_BYTES = 256 * 1024 * 1024;
const BLOCK_BYTES = 256 * 1024;

/** Options of {@linkcode TailedFile}. */
export interface TailedFileOptions {
  /** File that tells which parts of the log were dropped. */
  readonly dropped?: string;
  /**
   * Default 256 MiB. Of what has come beyond it since the last time only the last eighth is read, and of a log that has
   * not been read yet also the beginning, which names the thread.
   */
  readonly maxBacklogBytes?: number;
}

/** Follows a growing file of lines from its beginning. One that is replaced or cut short is read from its beginning again. */
export class TailedFile {
  readonly #path: string;
  readonly #droppedFile: string | undefined;
  readonly #maxBacklog: number;
  readonly #lines = new LineSplitter();
  #offset = 0;
  #identity: string | null = null;
  /** The file that was read is not there any more. */
  #isGone = false;
  #ranges: readonly DroppedRange[] = [];

  constructor(path: string, { dropped, maxBacklogBytes = MAX_BACKLOG_BYTES }: TailedFileOptions = {}) {
    this.#path = path;
    this.#droppedFile = dropped;
    this.#maxBacklog = maxBacklogBytes;
  }

  /** Lines left out because they were longer than 16 MiB. */
  get skippedLines(): number {
    return this.#lines.skippedLines;
  }

  /** Bytes that were never read, or were those of a line of which a part was not. */
  get droppedBytes(): number {
    return this.#lines.droppedBytes;
  }

  /** Where reading goes on, in bytes from the file's beginning. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Yields the complete lines that were appended since the last call, without their newline; invalid UTF-8 becomes
   * U+FFFD. Costs one `stat` when nothing is new. An absent file has no lines. What is appended meanwhile is the next
   * call's.
   */
  async *read(): AsyncGenerator<string, void> {
    const seen = statFile(this.#path);
    if (seen === null) this.#isGone = this.#identity !== null;
    if (seen === null || (seen.size === this.#offset && this.#isSame(seen))) return;
    if (this.#identity !== null && !this.#isSame(seen)) yield* this.#readRotated();
    using file = await openFile(this.#path);
    if (file === null) return;
    const info = await file.stat();
    if (!this.#isSame(info) || info.size < this.#offset) this.#restart(identityOf(info));
    yield* this.#readFile(file, info.size);
  }

  /** The line that a dying writer did not finish; the log must have been read to its end. */
  takeTornTail(): string | null {
    return this.#lines.takeTornTail();
  }

  #isSame(info: Deno.FileInfo): boolean {
    return !this.#isGone && identityOf(info) === this.#identity;
  }

  #restart(identity: string): void {
    this.#identity = identity;
    this.#isGone = false;
    this.#offset = 0;
    this.#lines.restart();
  }

  /** The rest of a file that has been given another name, as those do who rotate logs. */
  async *#readRotated(): AsyncGenerator<string, void> {
    using file = await openFile(`${this.#path}.1`);
    if (file === null) return;
    const info = await file.stat();
    if (identityOf(info) === this.#identity) yield* this.#readFile(file, info.size);
  }

  async *#readFile(file: Deno.FsFile, end: number): AsyncGenerator<string, void> {
    const block = new Uint8Array(Math.max(0, Math.min(BLOCK_BYTES, end - this.#offset)));
    await this.#lookForDropped();
    while (this.#offset < end) {
      const range = nextRange(this.#ranges, this.#offset);
      const to = this.#jump(range, end);
      if (to !== null) {
        this.#lines.pass(to - this.#offset);
        this.#offset = to;
        continue;
      }
      const limit = Math.min(range?.start ?? end, end, this.#offset + block.length);
      await file.seek(this.#offset, Deno.SeekMode.Start);
      const length = await file.read(block.subarray(0, limit - this.#offset));
      if (length === null) return;
      const bytes = block.subarray(0, length);
      // Nobody writes NUL but one who has dropped this part in the meantime.
      if (bytes.includes(0) && await this.#lookForDropped()) continue;
      this.#offset += length;
      yield* this.#lines.split(bytes);
    }
  }

  /** Where reading goes on instead of here, or `null`. */
  #jump(range: DroppedRange | null, end: number): number | null {
    if (range !== null && range.start <= this.#offset) return Math.min(range.end, end);
    if (this.#offset < this.#maxBacklog / 64) return null;
    let backlog = end - this.#offset;
    for (const { start, end: rangeEnd } of this.#ranges) {
      backlog -= Math.max(0, Math.min(rangeEnd, end) - Math.max(start, this.#offset));
    }
    return backlog > this.#maxBacklog ? end - Math.floor(this.#maxBacklog / 8) : null;
  }

  /** Tells whether more was dropped than was known. */
  async #lookForDropped(): Promise<boolean> {
    if (this.#droppedFile === undefined) return false;
    const known = JSON.stringify(this.#ranges);
    this.#ranges = await readDroppedRanges(this.#droppedFile);
    return JSON.stringify(this.#ranges) !== known;
  }
}

/** What tells a file from another one of the same name; a new one often gets the number of the one that is gone. */
function identityOf({ ino, birthtime }: Deno.FileInfo): string {
  return `${ino} ${birthtime?.getTime()}`;
}

/** As often as agents are looked at: going through another thread would take several times as long. */
function statFile(path: string): Deno.FileInfo | null {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function openFile(path: string): Promise<Deno.FsFile | null> {
  try {
    return await Deno.open(path, { read: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** The last `maxBytes` of a file as text; empty when there is none. */
export async function readTail(path: string, maxBytes: number): Promise<string> {
  using file = await openFile(path);
  if (file === null) return "";
  const { size } = await file.stat();
  const start = Math.max(0, size - maxBytes);
  return new TextDecoder().decode(await readAt(file, { start, length: size - start }));
}

/** When the file was last written to, or `null` while there is none. */
export function lastWritten(path: string): Date | null {
  try {
    return Deno.statSync(path).mtime;
  } catch {
    return null;
  }
}
