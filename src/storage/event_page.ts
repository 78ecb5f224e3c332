/** Reads an event file from a position on, some lines at a time, and nothing of it but these. */
import { readAt } from "../process/read_at.ts";
import { TaskError } from "../task/errors.ts";
import type { TaskDirectory } from "./task_directory.ts";
import { type DroppedRange, nextRange, readDroppedRanges } from "./dropped_ranges.ts";

/** Most that one page holds; a line that is longer by itself is told by its two ends. */
const MAX_LINES = 200;
const MAX_BYTES = 100_000;
/** Of a line that is too long so much is told of its beginning, and half as much of its end. */
const BEGINNING_BYTES = 60_000;
const BLOCK_BYTES = 256 * 1024;
const NEWLINE = 10;

/** Lines of a log, and where to read on. */
export interface EventPage {
  /** Without their newlines; invalid UTF-8 became U+FFFD. */
  readonly lines: readonly EventPageLine[];
  /** Position of what comes after them, in bytes. */
  readonly next: number;
  /** More is there already. */
  readonly hasMore: boolean;
  /** Bytes before the first line that were dropped to keep the file small, and those of lines that lost a part by it. */
  readonly droppedBytes: number;
}

export interface EventPageLine {
  readonly text: string;
  /** A part in the middle is left out. */
  readonly isCut: boolean;
}

interface PageOptions {
  /** Position to read from: 0, or `next` of an earlier page. */
  readonly after: number;
  /** Nobody writes any more: a last line without its end is one too. */
  readonly isOver: boolean;
}

/** Reads a page; an absent file has no lines. Throws `invalid_argument` for a position at which no line begins. */
export async function readEventPage(
  { eventsFile, droppedFile }: Pick<TaskDirectory, "eventsFile" | "droppedFile">,
  { after, isOver }: PageOptions,
): Promise<EventPage> {
  using file = await openFile(eventsFile);
  if (file === null) {
    if (after > 0) throw oddPosition(after, 0);
    return { lines: [], next: 0, hasMore: false, droppedBytes: 0 };
  }
  for (let ranges = await readDroppedRanges(droppedFile);;) {
    const { size } = await file.stat();
    const page = await new PageReader(file, { size, ranges, isOver }).read(after);
    // What is dropped is noted before it is: where nothing new was, all that was read is sound.
    const now = await readDroppedRanges(droppedFile);
    if (JSON.stringify(now) === JSON.stringify(ranges)) return page;
    ranges = now;
  }
}

/** One look at a file of which no more than `size` bytes are read. */
class PageReader {
  readonly #file: Deno.FsFile;
  readonly #size: number;
  readonly #ranges: readonly DroppedRange[];
  readonly #isOver: boolean;

  constructor(
    file: Deno.FsFile,
    { size, ranges, isOver }: {
      readonly size: number;
      readonly ranges: readonly DroppedRange[];
      readonly isOver: boolean;
    },
  ) {
    this.#file = file;
    this.#size = size;
    this.#ranges = ranges;
    this.#isOver = isOver;
  }

  async read(after: number): Promise<EventPage> {
    if (!await this.#isLineStart(after)) throw oddPosition(after, this.#size);
    let droppedBytes = 0;
    for (let at = after;;) {
      const gap = this.#gapAt(at);
      if (gap === undefined) {
        const page = await this.#readLines(at);
        if (page !== null) return { ...page, droppedBytes };
      }
      // The line that the gap cut off has lost its end, and the one behind the gap its beginning.
      const { end } = gap ?? nextRange(this.#ranges, at) ?? { end: this.#size };
      const lineEnd = await this.#findNewline(end);
      if (lineEnd === null && this.#endOfPart(end) === this.#size) {
        const next = this.#isOver ? this.#size : Math.min(end, this.#size);
        return { lines: [], next, hasMore: false, droppedBytes: droppedBytes + next - at };
      }
      const to = lineEnd === null ? this.#endOfPart(end) : lineEnd + 1;
      droppedBytes += to - at;
      at = to;
    }
  }

  /** The lines that begin here; `null` when the first one is cut off by a gap. */
  async #readLines(at: number): Promise<Omit<EventPage, "droppedBytes"> | null> {
    const end = this.#endOfPart(at);
    const bytes = await readAt(this.#file, { start: at, length: Math.min(MAX_BYTES, end - at) });
    const lines: EventPageLine[] = [];
    let next = 0;
    for (let to = bytes.indexOf(NEWLINE); to >= 0 && lines.length < MAX_LINES; to = bytes.indexOf(NEWLINE, next)) {
      lines.push({ text: decode(bytes.subarray(next, to)), isCut: false });
      next = to + 1;
    }
    if (lines.length > 0) {
      const isMoreRead = bytes.includes(NEWLINE, next) || (this.#isOver && next < bytes.length);
      return { lines, next: at + next, hasMore: isMoreRead || at + bytes.length < this.#size };
    }
    if (at + bytes.length < end) return await this.#readLongLine(at);
    if (end < this.#size) return null;
    const isTorn = this.#isOver && bytes.length > 0;
    return {
      lines: isTorn ? [{ text: decode(bytes), isCut: false }] : [],
      next: isTorn ? this.#size : at,
      hasMore: false,
    };
  }

  /** The one line that begins here, by its two ends. */
  async #readLongLine(at: number): Promise<Omit<EventPage, "droppedBytes"> | null> {
    const lineEnd = await this.#findNewline(at);
    const end = lineEnd ?? this.#endOfPart(at);
    if (lineEnd === null && end < this.#size) return null;
    if (lineEnd === null && !this.#isOver) return { lines: [], next: at, hasMore: false };
    const tail = Math.floor(BEGINNING_BYTES / 2);
    // One after the other: a file has one place where it is read.
    const first = decode(await readAt(this.#file, { start: at, length: BEGINNING_BYTES }));
    const last = decode(await readAt(this.#file, { start: end - tail, length: tail }));
    const text = `${first}\n[… ${(end - at).toLocaleString("en")} bytes in all, the middle is left out …]\n${last}`;
    const next = lineEnd === null ? end : lineEnd + 1;
    return { lines: [{ text, isCut: true }], next, hasMore: next < this.#size };
  }

  /** Where the part that begins here ends: at a gap, or with the file. */
  #endOfPart(at: number): number {
    return Math.min(nextRange(this.#ranges, at)?.start ?? this.#size, this.#size);
  }

  /** The gap that a position is in or right behind: what stands there may be the rest of a line. */
  #gapAt(at: number): DroppedRange | undefined {
    return this.#ranges.find(({ start, end }) => start <= at && at <= end);
  }

  async #isLineStart(at: number): Promise<boolean> {
    if (at === 0 || this.#gapAt(at) !== undefined) return true;
    if (at > this.#size) return false;
    // What was read to its torn end.
    if (at === this.#size && this.#isOver) return true;
    return (await readAt(this.#file, { start: at - 1, length: 1 }))[0] === NEWLINE;
  }

  async #findNewline(from: number): Promise<number | null> {
    const end = this.#endOfPart(from);
    for (let start = from; start < end; start += BLOCK_BYTES) {
      const bytes = await readAt(this.#file, { start, length: Math.min(BLOCK_BYTES, end - start) });
      const found = bytes.indexOf(NEWLINE);
      if (found >= 0) return start + found;
    }
    return null;
  }
}

function oddPosition(after: number, size: number): TaskError {
  return new TaskError(
    "invalid_argument",
    `Cannot read events after ${after}: no event begins there, of ${size} bytes in all. Pass "next" of an earlier ` +
      "answer, or leave after out to begin with the first event.",
  );
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

async function openFile(path: string): Promise<Deno.FsFile | null> {
  try {
    return await Deno.open(path, { read: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
