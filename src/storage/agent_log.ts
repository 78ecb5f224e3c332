/** Reads a file that another process appends to, line by line, each byte once. */

/** Longest line that is kept; Codex's own are a few MiB. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const BLOCK_BYTES = 256 * 1024;
const NEWLINE = 10;

/** Follows a growing file of lines from its beginning. */
export class AgentLog {
  readonly #path: string;
  readonly #decoder = new TextDecoder();
  #offset = 0;
  /** The unfinished line at the end of what was read. */
  #tail: Uint8Array[] = [];
  #tailBytes = 0;
  #isSkipping = false;
  #skippedLines = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Lines dropped because they were longer than 64 MiB. */
  get skippedLines(): number {
    return this.#skippedLines;
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Yields the complete lines that were appended since the last call, without their newline; invalid UTF-8 becomes
   * U+FFFD. Costs one `stat` when nothing is new. An absent file has no lines.
   */
  async *read(): AsyncGenerator<string, void> {
    const size = await fileSize(this.#path);
    if (size <= this.#offset) return;
    using file = await Deno.open(this.#path, { read: true });
    await file.seek(this.#offset, Deno.SeekMode.Start);
    const block = new Uint8Array(BLOCK_BYTES);
    while (true) {
      const length = await file.read(block);
      if (length === null) return;
      this.#offset += length;
      yield* this.#split(block.subarray(0, length));
    }
  }

  /** The line that a dying writer did not finish; the log must have been read to its end. */
  takeTornTail(): string | null {
    if (this.#tailBytes === 0) return null;
    return this.#finishLine(new Uint8Array());
  }

  *#split(bytes: Uint8Array): Generator<string, void> {
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      const line = this.#finishLine(bytes.subarray(start, end));
      if (line !== null) yield line;
      start = end + 1;
    }
    this.#keepTail(bytes.subarray(start));
  }

  #finishLine(end: Uint8Array): string | null {
    if (this.#isSkipping) {
      this.#isSkipping = false;
      this.#skippedLines++;
      return null;
    }
    if (this.#tailBytes === 0) return this.#decoder.decode(end);
    const whole = new Uint8Array(this.#tailBytes + end.length);
    let at = 0;
    for (const part of [...this.#tail, end]) {
      whole.set(part, at);
      at += part.length;
    }
    this.#tail = [];
    this.#tailBytes = 0;
    return this.#decoder.decode(whole);
  }

  #keepTail(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#isSkipping) return;
    if (this.#tailBytes + bytes.length > MAX_LINE_BYTES) {
      this.#isSkipping = true;
      this.#tail = [];
      this.#tailBytes = 0;
      return;
    }
    this.#tail.push(bytes.slice());
    this.#tailBytes += bytes.length;
  }
}

async function fileSize(path: string): Promise<number> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** The last `maxBytes` of a file as text; empty when there is none. */
export async function readTail(path: string, maxBytes: number): Promise<string> {
  try {
    using file = await Deno.open(path, { read: true });
    const { size } = await file.stat();
    await file.seek(Math.max(0, size - maxBytes), Deno.SeekMode.Start);
    const bytes = new Uint8Array(Math.min(size, maxBytes));
    let filled = 0;
    while (filled < bytes.length) {
      const length = await file.read(bytes.subarray(filled));
      if (length === null) break;
      filled += length;
    }
    return new TextDecoder().decode(bytes.subarray(0, filled));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** When the file was last written to, or `null` while there is none. */
export async function lastWritten(path: string): Promise<Date | null> {
  try {
    return (await Deno.stat(path)).mtime;
  } catch {
    return null;
  }
}
