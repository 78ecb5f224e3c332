/** What searching with a regular expression may take, since JavaScript's own ones backtrack. */

/** In a text longer than this nothing is looked for that can backtrack at all. */
const MAX_LENGTH = 20_000;
/** Ways through a pattern that do not depend on the text's length. */
const MAX_CHOICES = 10_000;

interface Shape {
  /** Parts that may be repeated at will. */
  readonly unbounded: number;
  readonly choices: number;
  readonly isAnchored: boolean;
}

/**
 * Tells whether a search takes at most about the cube of the length: nothing in brackets is repeated, nothing refers
 * back, and at most two parts (none, for a long text) have no bound.
 */
export function isBounded(pattern: string, length: number): boolean {
  const shape = shapeOf(pattern);
  if (shape === null || shape.choices > MAX_CHOICES) return false;
  return shape.unbounded <= (length > MAX_LENGTH ? 0 : 2);
}

/** Steps at most, of about a nanosecond, on a text of so many characters; `Infinity` where no bound is known. */
export function patternSteps(pattern: string, length: number): number {
  const shape = shapeOf(pattern);
  if (shape === null) return Infinity;
  return (length + 1) ** (shape.unbounded + (shape.isAnchored ? 0 : 1)) * shape.choices;
}

/** `null` for a pattern that may take for ever. */
function shapeOf(pattern: string): Shape | null {
  const plain = pattern.replaceAll(/\\[^1-9k]/g, "x").replaceAll(/\[[^\]]*\]/g, "x");
  if (/\)[*+{?]|\\[1-9k]/.test(plain)) return null;
  const optional = plain.match(/(?<!\()\?/g)?.length ?? 0;
  const alternatives = plain.split(/[()]/).reduce((product, part) => product * part.split("|").length, 1);
  const fixed = [...plain.matchAll(/\{(\d+)\}/g)].reduce((sum, [, count]) => sum + Number(count), 1);
  return {
    unbounded: plain.match(/[*+]|\{\d+,\d*\}/g)?.length ?? 0,
    choices: 2 ** optional * alternatives * fixed,
    isAnchored: plain.startsWith("^") && !plain.includes("|"),
  };
}
