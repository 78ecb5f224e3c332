/** Makes an output schema one that can be checked in bounded time: it and the answer come from strangers. */

type Json = Readonly<Record<string, unknown>>;

/** An answer longer than this is not held against its schema: some keywords take the square of it. */
export const MAX_CHECKED_LENGTH = 1_000_000;
/** With an answer longer than this no pattern is checked that can backtrack at all. */
const MAX_PATTERN_INPUT = 20_000;

/**
 * Leaves out the patterns that could take for ever on an answer of `length` characters, since JavaScript's own regular
 * expressions backtrack; `unchecked` names each by its place.
 */
export function checkableSchema(schema: Json, length: number): { readonly schema: Json; readonly unchecked: string[] } {
  const unchecked: string[] = [];
  const isChecked = (pattern: unknown, place: string): boolean => {
    if (typeof pattern !== "string" || isSafe(pattern, length)) return true;
    unchecked.push(place);
    return false;
  };
  const copy = (value: unknown, place: string): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => copy(item, `${place}/${index}`));
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).filter(([key, inner]) =>
      key !== "pattern" || isChecked(inner, `${place}/pattern`)
    );
    return Object.fromEntries(entries.map(([key, inner]) => {
      const at = `${place}/${key}`;
      if (key !== "patternProperties" || typeof inner !== "object" || inner === null) return [key, copy(inner, at)];
      const kept = Object.entries(inner).filter(([pattern]) => isChecked(pattern, `${at}/${pattern}`));
      return [key, copy(Object.fromEntries(kept), at)];
    }));
  };
  const checkable = copy(schema, "");
  return { schema: isJson(checkable) ? checkable : schema, unchecked };
}

/**
 * Tells whether matching takes at most about the square of the length: nothing in brackets is repeated, nothing refers
 * back, and at most two parts (none, for a long text) have no bound.
 */
function isSafe(pattern: string, length: number): boolean {
  const plain = pattern.replaceAll(/\\[^1-9k]/g, "x").replaceAll(/\[[^\]]*\]/g, "x");
  if (/\)[*+{?]|\\[1-9k]/.test(plain)) return false;
  const unbounded = plain.match(/[*+]|\{\d+,\d*\}/g)?.length ?? 0;
  return unbounded <= (length > MAX_PATTERN_INPUT ? 0 : 2);
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
