/** Leaves out of an output schema what cannot be checked in bounded time: it and the answer come from strangers. */
import { isBounded } from "./pattern_steps.ts";

type Json = Readonly<Record<string, unknown>>;

/** An answer longer than this is not held against its schema. */
export const MAX_CHECKED_LENGTH = 1_000_000;
/** In an answer longer than this items are not compared with each other. */
const MAX_UNIQUE_INPUT = 20_000;

/**
 * Leaves out what could take for ever on an answer of `length` characters, patterns and `uniqueItems`; `unchecked` names
 * each by its place.
 */
export function checkableSchema(schema: Json, length: number): { readonly schema: Json; readonly unchecked: string[] } {
  const unchecked: string[] = [];
  const isChecked = (pattern: unknown, place: string): boolean => {
    if (typeof pattern !== "string" || isBounded(pattern, length)) return true;
    unchecked.push(place);
    return false;
  };
  const copy = (value: unknown, place: string): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => copy(item, `${place}/${index}`));
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).filter(([key, inner]) => {
      if (key === "pattern") return isChecked(inner, `${place}/pattern`);
      // One of this name may be a property, too, that anything fits.
      if (key !== "uniqueItems" || inner !== true || length <= MAX_UNIQUE_INPUT) return true;
      if (place.endsWith("/properties")) return true;
      unchecked.push(`${place}/uniqueItems`);
      return false;
    });
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

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
