/** What holding an answer against its output schema costs: both come from strangers, and the validator knows no bound. */
import { patternSteps } from "./pattern_steps.ts";

type Json = Readonly<Record<string, unknown>>;

/** Of well under a microsecond each; an ordinary answer takes some thousands. */
const MAX_STEPS = 500_000;
/** Schemas within schemas that one value is led through; the validator's stack bears a few times as many. */
const MAX_DEPTH = 2_000;
/** Values in a schema that is compiled, each referred one counted where it is referred to. */
const MAX_SCHEMA_SIZE = 10_000;
/** Characters that are compared, copied or searched in one step. */
const CHARACTERS_PER_STEP = 64;
const PATTERN_STEPS_PER_STEP = 100;
/** Pairs of items that are compared in one step. */
const OBJECT_PAIRS_PER_STEP = 16;
const PAIRS_PER_STEP = 128;
/** Keywords whose value the validator passes over, or goes through as a schema of its own. */
const WEIGHTLESS: ReadonlySet<string> = new Set([
  ...["$defs", "definitions", "title", "description", "examples", "default"],
  ...["not", "if", "then", "else", "contains", "propertyNames"],
]);

/** Why an answer is not held against its schema, and at which place of it. */
export class TooCostly extends Error {
  override readonly name = "TooCostly";
  readonly place: string;

  constructor(reason: string, place: string) {
    super(reason);
    this.place = place;
  }
}

/** Tells whether a schema can be compiled in bounded time: a schema that refers to none is copied to each reference. */
export function isCompilable(schema: Json): boolean {
  let size = sizeOf(schema);
  const refer = (value: unknown): void => {
    if (!isObject(value) || size > MAX_SCHEMA_SIZE) return;
    if (typeof value.$ref === "string") size += sizeOf(referred(schema, value.$ref) ?? schema);
    for (const inner of Object.values(value)) refer(inner);
  };
  refer(schema);
  return size <= MAX_SCHEMA_SIZE;
}

/** Goes the ways that the validator could go, each one, and throws {@linkcode TooCostly} where they become too many. */
export function refuseCostlyCheck(root: Json, answer: unknown): void {
  const weights = new Map<Json, number>();
  let steps = 0;
  const visit = (
    { schema, value, place }: Applied,
    at: { readonly depth: number; readonly path: number },
  ): void => {
    if (at.depth > MAX_DEPTH) throw new TooCostly("it is nested too deep", place);
    const weight = !isObject(schema) ? 0 : weights.get(schema) ?? weightOf(schema);
    steps += 1 + weight + at.path / CHARACTERS_PER_STEP;
    if (isObject(schema)) {
      weights.set(schema, weight);
      steps += valueSteps(schema, value);
    }
    if (steps > MAX_STEPS) throw new TooCostly("it would take too long", place);
    if (!isObject(schema)) return;
    if (typeof schema.$id === "string" && schema !== root) throw new TooCostly("$id is not followed", `${place}/$id`);
    // Of such a schema the validator makes a promise, which nobody would await.
    if (schema.$async !== undefined) throw new TooCostly("$async is not followed", `${place}/$async`);
    for (const next of applied(schema, { value, place }, root)) {
      visit(next, { depth: at.depth + 1, path: at.path + (next.key?.length ?? 0) });
    }
  };
  visit({ schema: root, value: answer, place: "" }, { depth: 0, path: 0 });
}

/** A schema that a value is held against. */
interface Applied {
  readonly schema: unknown;
  readonly value: unknown;
  /** Of the schema. */
  readonly place: string;
  /** Of the value in the one around it. */
  readonly key?: string;
}

/** What a schema has its value, or parts of it, held against. */
function* applied(
  schema: Json,
  { value, place }: { readonly value: unknown; readonly place: string },
  root: Json,
): Generator<Applied> {
  for (const [keyword, inner] of Object.entries(schema)) {
    const at = `${place}/${keyword}`;
    switch (keyword) {
      case "$ref":
      case "$dynamicRef":
      case "$recursiveRef": {
        const target = keyword === "$ref" && typeof inner === "string" ? referred(root, inner) : undefined;
        if (target === undefined) throw new TooCostly(`${keyword} is not followed`, at);
        yield { schema: target, value, place: String(inner).slice(1) };
        break;
      }
      case "not":
      case "if":
      case "then":
      case "else":
        yield { schema: inner, value, place: at };
        break;
      case "allOf":
      case "anyOf":
      case "oneOf":
      case "dependencies":
      case "dependentSchemas":
        for (const [name, one] of entries(inner)) yield { schema: one, value, place: `${at}/${name}` };
        break;
      case "properties":
        for (const [key, one] of entries(inner)) {
          if (isObject(value) && Object.hasOwn(value, key)) {
            yield { schema: one, value: value[key], place: `${at}/${key}`, key };
          }
        }
        break;
      case "patternProperties":
        for (const [pattern, one] of entries(inner)) {
          for (const [key, part] of entries(value)) {
            // The name is searched, whether or not it fits.
            yield { schema: { pattern }, value: key, place: `${at}/${pattern}` };
            yield { schema: one, value: part, place: `${at}/${pattern}`, key };
          }
        }
        break;
      case "additionalProperties":
      case "unevaluatedProperties":
        for (const [key, part] of entries(value)) {
          const isNamed = isObject(schema.properties) && Object.hasOwn(schema.properties, key);
          if (!isNamed) yield { schema: inner, value: part, place: at, key };
        }
        break;
      case "propertyNames":
        for (const [key] of entries(value)) yield { schema: inner, value: key, place: at };
        break;
      case "items":
      case "prefixItems":
      case "additionalItems":
      case "unevaluatedItems":
      case "contains":
        if (!Array.isArray(value)) break;
        for (const [index, part] of value.entries()) {
          const isList = Array.isArray(inner);
          yield { schema: isList ? inner[index] : inner, value: part, place: isList ? `${at}/${index}` : at, key: "0" };
        }
    }
  }
}

/** What a schema costs at each value, whatever that is. */
function weightOf(schema: Json): number {
  const weights = Object.entries(schema).map(([keyword, inner]) => {
    if (WEIGHTLESS.has(keyword)) return 1;
    const isOfSchemas = keyword.endsWith("roperties") || keyword.endsWith("Of") || keyword.endsWith("tems");
    const own = isOfSchemas && isObject(inner) ? Object.keys(inner) : inner;
    return sizeOf(own) + JSON.stringify(own).length / CHARACTERS_PER_STEP;
  });
  return weights.reduce((sum, weight) => sum + weight, 0);
}

/** What a value costs at a schema, its parts aside. */
function valueSteps({ pattern, format, uniqueItems }: Json, value: unknown): number {
  if (typeof value === "string") {
    const { length } = value;
    // The expressions of some formats take the square of the length, too.
    const searched = (typeof pattern === "string" ? patternSteps(pattern, length) : 0) +
      (typeof format === "string" ? length ** 2 : 0);
    return length / CHARACTERS_PER_STEP + searched / PATTERN_STEPS_PER_STEP;
  }
  if (!isObject(value)) return 0;
  if (!Array.isArray(value)) return Object.keys(value).length;
  if (uniqueItems !== true) return 0;
  return value.filter(isObject).length ** 2 / OBJECT_PAIRS_PER_STEP + value.length ** 2 / PAIRS_PER_STEP;
}

/** What a reference within the schema refers to; `undefined` for any other reference. */
function referred(root: Json, ref: string): unknown {
  if (ref === "#") return root;
  if (!ref.startsWith("#/")) return undefined;
  let found: unknown = root;
  for (const part of ref.slice(2).split("/")) {
    // Within a schema that has a name of its own `#` is that schema.
    if (!isObject(found) || found !== root && typeof found.$id === "string") return undefined;
    const key = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    found = Object.hasOwn(found, key) ? found[key] : undefined;
  }
  return found;
}

/** Counts a value and all within it. */
function sizeOf(value: unknown): number {
  return isObject(value) ? Object.values(value).reduce((sum: number, inner) => sum + sizeOf(inner), 1) : 1;
}

function entries(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : [];
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null;
}
