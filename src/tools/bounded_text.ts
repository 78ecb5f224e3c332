/** Keeps answers within what a client passes on to its model. */

/** Room of the line about what was left out, in characters. */
const REST_LINE = 100;

/**
 * Shares `total` characters over texts of the given lengths: short ones get all they need, the others the same share of
 * what is left.
 */
export function shareBudget(lengths: readonly number[], total: number): number[] {
  const shares = lengths.map(() => 0);
  const byLength = lengths.map((length, index) => ({ length, index })).sort((a, b) => a.length - b.length);
  let left = Math.max(0, total);
  for (const [done, { length, index }] of byLength.entries()) {
    const share = Math.min(length, Math.floor(left / (byLength.length - done)));
    shares[index] = share;
    left -= share;
  }
  return shares;
}

/**
 * Cuts out the middle of a text that is longer than `maxLength` characters and says where the whole of it is. A text
 * shorter than these words stays whole.
 */
export function cutMiddle(
  text: string,
  maxLength: number,
  wholeIn: string,
  /** Of a text of which a part is missing already. */
  { length = text.length }: { readonly length?: number } = {},
): string {
  if (text.length <= maxLength) return text;
  const mark = `\n\n[… ${
    length.toLocaleString("en")
  } characters in all, the middle is left out; whole: ${wholeIn} …]\n\n`;
  if (text.length <= mark.length) return text;
  const kept = Math.max(0, maxLength - mark.length);
  const head = Math.ceil(kept * 0.6);
  return `${text.slice(0, head)}${mark}${text.slice(text.length - (kept - head))}`.toWellFormed();
}

/** How long a text becomes inside JSON, quotes aside. */
export function jsonLength(text: string): number {
  return JSON.stringify(text).length - 2;
}

/** As {@linkcode cutMiddle}, but `maxLength` is what it comes to inside JSON, for texts with many quotes and control characters. */
export function cutMiddleForJson(
  text: string,
  maxLength: number,
  { wholeIn, ...whole }: { readonly wholeIn: string; readonly length?: number },
): string {
  const cut = cutMiddle(text, maxLength, wholeIn, whole);
  const ratio = maxLength / jsonLength(cut);
  return ratio >= 1 ? cut : cutMiddle(text, Math.floor(maxLength * ratio), wholeIn, whole);
}

/** On one line, and without what JSON would write in six characters for one. */
function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim().toWellFormed();
}

/** Cuts a text on one line to `maxLength` characters. */
export function cutEnd(text: string, maxLength: number): string {
  const line = oneLine(text);
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1)}…`.toWellFormed();
}

/** Both ends of a text on one line, such as a path, at most `maxLength` characters. */
export function cutInner(text: string, maxLength: number): string {
  const line = oneLine(text);
  if (line.length <= maxLength) return line;
  const head = Math.floor((maxLength - 1) / 2);
  return `${line.slice(0, head)}…${line.slice(line.length - (maxLength - 1 - head))}`.toWellFormed();
}

/** The end of a text on one line, at most `maxLength` characters. */
export function cutStart(text: string, maxLength: number): string {
  const line = oneLine(text);
  return line.length <= maxLength ? line : `…${line.slice(line.length - maxLength + 1)}`.toWellFormed();
}

/** The first items that measure at most `maxLength` characters of JSON together, and how many others there are. */
export function takeFitting<T>(
  items: readonly T[],
  maxLength: number,
): { readonly shown: readonly T[]; readonly rest: number } {
  let count = 0;
  let length = 0;
  for (const item of items) {
    length += JSON.stringify(item).length + 1;
    if (length > maxLength) break;
    count++;
  }
  return { shown: items.slice(0, count), rest: items.length - count };
}

/** Cuts a block of several lines to `maxLength` characters. */
export function cutBlock(block: string, maxLength: number): string {
  if (block.length <= maxLength) return block;
  return `${block.slice(0, Math.max(0, maxLength - 1))}…`.toWellFormed();
}

/** How many blocks fit when blank lines join them and a line about the rest follows; at least one, which may have to be cut. */
export function countFitting(blocks: readonly string[], maxLength: number): number {
  let count = 0;
  let length = REST_LINE;
  for (const block of blocks) {
    length += block.length + 2;
    if (count > 0 && length > maxLength) break;
    count++;
  }
  return count;
}

/** Joins blocks by blank lines, as many as fit; a first one that is too long by itself is cut. */
export function joinBlocks(blocks: readonly string[], maxLength: number): string {
  const shown = countFitting(blocks, maxLength);
  const rest = blocks.length - shown;
  const [first, ...others] = blocks.slice(0, shown);
  if (first === undefined) return "";
  const room = others.length + rest === 0 ? maxLength : maxLength - REST_LINE;
  return [cutBlock(first, room), ...others, ...restLines(rest)].join("\n\n");
}

/** Says how many blocks were left out, if any. */
export function restLines(rest: number): string[] {
  return rest === 0 ? [] : [`… and ${rest} more: ask again for those.`];
}
