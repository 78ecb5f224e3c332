/** A log for people to read: one writer, appended to in few large writes, and rotated as codex-as-mcp's logs were. */
import { dirname } from "node:path";

/** The size above which a log is rotated, and how many older ones are kept as `.1` to `.5`. */
const MAX_BYTES = 1_000_000;
const KEPT_LOGS = 5;
/** Most that is kept in memory while the log cannot be written. */
const MAX_BUFFERED_BYTES = 8_000_000;

export interface TextLogOptions {
  readonly maxBytes?: number;
}

/** A log that one writer appends to. Nothing is open between two writes, so that thousands of them cost nothing. */
export class TextLog {
  readonly path: string;
  readonly #maxBytes: number;
  #entries: Uint8Array[] = [];
  #bufferedBytes = 0;
  #hasFailed = false;
  #lostEntries = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, { maxBytes = MAX_BYTES }: TextLogOptions = {}) {
    this.path = path;
    this.#maxBytes = maxBytes;
  }

  /** The process that writes here. */
  get writerPid(): number {
    return Deno.pid;
  }

  /** How many entries were given up because they could not be written for too long. */
  get lostEntries(): number {
    return this.#lostEntries;
  }

  /** Takes an entry of one or more lines, the last line end aside; an entry is never torn over two files. */
  append(entry: string): void {
    const bytes = new TextEncoder().encode(`${entry}\n`);
    if (this.#hasFailed && this.#bufferedBytes > MAX_BUFFERED_BYTES) {
      this.#lostEntries++;
      return;
    }
    this.#entries.push(bytes);
    this.#bufferedBytes += bytes.length;
  }

  /** Writes what was appended. Throws what the system says when that is impossible; the next flush tries it again. */
  async flush(): Promise<void> {
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#write());
    await this.#writing;
  }

  async #write(): Promise<void> {
    // Until it has come to its end.
    this.#hasFailed = true;
    while (this.#entries.length > 0) {
      using file = await openLog(this.path);
      let { size } = await file.stat();
      while (size <= this.#maxBytes) {
        const entry = this.#entries[0];
        if (entry === undefined) break;
        await writeAll(file, entry);
        size += entry.length;
        this.#entries.shift();
        this.#bufferedBytes -= entry.length;
      }
      if (size > this.#maxBytes) await rotate(this.path);
    }
    this.#hasFailed = false;
  }
}

/**
 * Makes a log, and its directory, with a first entry that is told the id of this process. Throws what the system says,
 * also when the log is there already.
 */
export async function createLog(path: string, entry: (pid: number) => string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await Deno.writeTextFile(path, `${entry(Deno.pid)}\n`, { createNew: true, mode: 0o600 });
}

/** Removes a log with all that it was rotated to. */
export async function removeTextLog(path: string): Promise<void> {
  const paths = Array.from({ length: KEPT_LOGS + 1 }, (_, number) => number === 0 ? path : `${path}.${number}`);
  await Promise.all(paths.map((one) => Deno.remove(one).catch(() => undefined)));
}

async function openLog(path: string): Promise<Deno.FsFile> {
  const options = { append: true, create: true, mode: 0o600 };
  try {
    return await Deno.open(path, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    // Somebody has tidied up meanwhile.
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return await Deno.open(path, options);
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

async function rotate(path: string): Promise<void> {
  for (let number = KEPT_LOGS - 1; number >= 0; number--) {
    const from = number === 0 ? path : `${path}.${number}`;
    await Deno.rename(from, `${path}.${number + 1}`).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}
