/** Reads fields of data that Codex or its user wrote: what has another type than expected counts as absent. */

export type JsonObject = Readonly<Record<string, unknown>>;

/** Tells whether a value is an object with named fields. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parses a text that should be one JSON object; `null` if it is not. */
export function parseObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** Returns the object in a field, an empty one if there is none. */
export function objectAt(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return isObject(value) ? value : {};
}

/** Returns the list in a field, an empty one if there is none. */
export function listAt(object: JsonObject, key: string): readonly unknown[] {
  const value = object[key];
  return Array.isArray(value) ? value : [];
}

/** Returns the strings in a field that holds a list. */
export function textsAt(object: JsonObject, key: string): readonly string[] {
  return listAt(object, key).filter((entry) => typeof entry === "string");
}

/** Returns the string in a field. */
export function textAt(object: JsonObject, key: string): string | null {
  const value = object[key];
  return typeof value === "string" ? value : null;
}

/** Returns the number in a field. */
export function numberAt(object: JsonObject, key: string): number | null {
  const value = object[key];
  return typeof value === "number" ? value : null;
}

/** Returns the truth value in a field. */
export function booleanAt(object: JsonObject, key: string): boolean | null {
  const value = object[key];
  return typeof value === "boolean" ? value : null;
}
