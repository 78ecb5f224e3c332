/** The parts of an event file that were dropped to keep it small; see `trimEvents` of the run host. */

/** Bytes from `start` up to `end`, that one excluded. */
export interface DroppedRange {
  readonly start: number;
  readonly end: number;
}

/** Reads `events.dropped`, one line `START END` for each range; none where nothing was dropped. */
export async function readDroppedRanges(path: string): Promise<DroppedRange[]> {
  try {
    return parseDroppedRanges(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** A line that cannot be read, or is only half written, tells of no range. */
function parseDroppedRanges(text: string): DroppedRange[] {
  return text.split("\n").slice(0, -1).flatMap((line) => {
    const [, start, end] = /^(\d{1,15}) (\d{1,15})$/.exec(line) ?? [];
    const range = { start: Number(start), end: Number(end) };
    return range.start < range.end ? [range] : [];
  });
}

/** The first range that ends behind `offset`, or `null`. */
export function nextRange(ranges: readonly DroppedRange[], offset: number): DroppedRange | null {
  let next: DroppedRange | null = null;
  for (const range of ranges) {
    if (range.end > offset && (next === null || range.start < next.start)) next = range;
  }
  return next;
}
