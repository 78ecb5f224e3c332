import { readAt } from "../process/read_at.ts";

/** Something that can be read from its end. */
export interface Source {
  readonly size: number;
  read(start: number, length: number): Promise<Uint8Array>;
}

/** Bytes read at a time; a thread's last turn mostly fits into one. */
const BLOCK_BYTES = 256 * 1024;
const NEWLINE = 10;

/** An open file, which stays its opener's to close. */
export async function sourceOf(file: Deno.FsFile): Promise<Source> {
  const { size } = await file.stat();
  return { size, read: (start, length) => readAt(file, { start, length }) };
}

/** Gives the lines of a text, the last one first. */
export async function* linesFromEnd(source: Source): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  /** Blocks of a line whose start has not been met yet, the last one first. */
  let tail: Uint8Array[] = [];
  for (let end = source.size; end > 0;) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const block = await source.read(start, end - start);
    let stop = block.length;
    for (let at = block.lastIndexOf(NEWLINE); at >= 0; at = at === 0 ? -1 : block.lastIndexOf(NEWLINE, at - 1)) {
      yield decoder.decode(joined([...tail, block.subarray(at + 1, stop)]));
      tail = [];
      stop = at;
    }
    tail.push(block.subarray(0, stop));
    end = start;
  }
  yield decoder.decode(joined(tail));
}

function joined(lastFirst: readonly Uint8Array[]): Uint8Array {
  const [only] = lastFirst;
  if (lastFirst.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(lastFirst.reduce((sum, part) => sum + part.length, 0));
  let at = whole.length;
  for (const part of lastFirst) {
    at -= part.length;
    whole.set(part, at);
  }
  return whole;
}
