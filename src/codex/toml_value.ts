/** Writes values for Codex's `-c key=value`: one line of TOML, so that a string stays a string. */
import { TaskError } from "../task/errors.ts";

const BARE_KEY = /^[A-Za-z0-9_-]+$/;
/** Deeper than any setting of Codex's, far from the end of the stack. */
const MAX_DEPTH = 32;
/** From here on a whole number does not fit TOML's integers. */
const MAX_INTEGER = 2 ** 63;

type KeyPath = readonly string[];

/** Writes a JSON-like value as TOML on one line. Throws `invalid_argument` for what TOML can't hold. */
export function tomlValue(value: unknown): string {
  return writeValue(value, []);
}

/**
 * Turns a configuration object into `key=value` strings: nested objects become dotted keys, and where a key is not a
 * bare one the object that holds it becomes an inline table, because Codex splits a key at every dot and knows no quotes.
 * A dotted key at the top is a path, as it was for `codex mcp-server`.
 */
export function flattenConfig(config: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(config).flatMap(([key, value]) => {
    const segments = key.split(".");
    if (key.startsWith("-") || !segments.every((segment) => BARE_KEY.test(segment))) {
      throw invalid(
        [key],
        "is no key that Codex can be given: it splits keys at every dot and knows no quotes. Nest objects instead",
      );
    }
    return flattenValue(value, segments);
  });
}

function flattenValue(value: unknown, path: KeyPath): string[] {
  if (isTable(value)) {
    const entries = Object.entries(value);
    if (entries.length > 0 && path.length < MAX_DEPTH && entries.every(([key]) => BARE_KEY.test(key))) {
      return entries.flatMap(([key, inner]) => flattenValue(inner, [...path, key]));
    }
  }
  return [`${path.join(".")}=${writeValue(value, path)}`];
}

function writeValue(value: unknown, path: KeyPath): string {
  if (path.length > MAX_DEPTH) throw invalid(path, `is nested deeper than ${MAX_DEPTH} levels`);
  if (typeof value === "string") return basicString(value, path);
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number" && Number.isFinite(value)) return writeNumber(value);
  if (Array.isArray(value)) {
    // Not map(): it would skip the holes of a sparse array.
    return `[${Array.from(value, (inner, index) => writeValue(inner, [...path, String(index)])).join(",")}]`;
  }
  if (isTable(value)) {
    const pairs = Object.entries(value).map(([key, inner]) => {
      const inside = [...path, key];
      return `${BARE_KEY.test(key) ? key : basicString(key, inside)}=${writeValue(inner, inside)}`;
    });
    return `{${pairs.join(",")}}`;
  }
  throw invalid(path, `is ${describe(value)}, which TOML cannot hold`);
}

function writeNumber(value: number): string {
  return Number.isInteger(value) && Math.abs(value) >= MAX_INTEGER ? value.toExponential() : String(value);
}

/** JSON's escapes are TOML's, but for U+007F, which TOML wants escaped, and lone surrogates, which it forbids. */
function basicString(text: string, path: KeyPath): string {
  if (text.includes("\u0000")) throw invalid(path, "contains a NUL character");
  return JSON.stringify(text.toWellFormed()).replaceAll("\u007f", "\\u007f");
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "number") return String(value);
  return typeof value === "object" ? "an object with a class of its own" : typeof value;
}

function invalid(path: KeyPath, reason: string): TaskError {
  const place = path.length === 0 ? "The value" : `The config value "${path.join(".")}"`;
  return new TaskError("invalid_argument", `${place} ${reason}.`);
}
