/** From a client's arguments to a tool's input: forgiving about spelling, strict about everything else. */
import * as z from "zod";
import { TaskError } from "../task/errors.ts";

/** As much of a tool as its input needs. */
interface InputShape {
  readonly name: string;
  readonly input: z.ZodObject;
  readonly hidden?: readonly string[];
}

/** The parameters that clients are told of. */
export function shownInput({ input, hidden = [] }: Pick<InputShape, "input" | "hidden">): z.ZodObject {
  return z.object(Object.fromEntries(Object.entries(input.shape).filter(([name]) => !hidden.includes(name))));
}

/**
 * Reads arguments against the tool's schema. Kebab, snake and camel case of a parameter are one; `null` for an optional
 * one is as if it were left out. Throws `invalid_argument` naming every parameter that is wrong.
 */
export function readInput(tool: InputShape, given: unknown): unknown {
  const named = nameParameters(tool, asObject(tool, given));
  const result = tool.input.safeParse(named);
  if (result.success) return named;
  const reasons = result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new TaskError(
    "invalid_argument",
    `Cannot call ${tool.name}: ${reasons.join("; ")}. Correct it and try again.`,
    { cause: result.error },
  );
}

/** Tells whether arguments give a parameter, however they spell it. */
export function isGiven(name: string, given: unknown): boolean {
  const { data = {} } = z.record(z.string(), z.unknown()).safeParse(given);
  return Object.entries(data).some(([spelled, value]) => plain(spelled) === plain(name) && value !== null);
}

function asObject(tool: InputShape, given: unknown): Readonly<Record<string, unknown>> {
  if (given === undefined || given === null) return {};
  const parsed = z.record(z.string(), z.unknown()).safeParse(given);
  if (parsed.success) return parsed.data;
  throw new TaskError("invalid_argument", `Cannot call ${tool.name}: the arguments must be an object.`);
}

function nameParameters(tool: InputShape, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const known = new Map(Object.keys(tool.input.shape).map((name) => [plain(name), name]));
  const named: Record<string, unknown> = {};
  const unknown: string[] = [];
  for (const [spelled, value] of Object.entries(given)) {
    const name = known.get(plain(spelled));
    if (name === undefined) unknown.push(spelled);
    else if (name in named) {
      throw new TaskError("invalid_argument", `Cannot call ${tool.name}: ${name} is given twice, as ${spelled} too.`);
    } else if (value !== null || !isOptional(tool, name)) named[name] = value;
  }
  if (unknown.length === 0) return named;
  throw new TaskError(
    "invalid_argument",
    `Unknown parameter ${unknown.map((name) => `"${name}"`).join(", ")} for ${tool.name}: expected ` +
      `${Object.keys(shownInput(tool).shape).join(", ")}. Remove it and try again.`,
  );
}

/** Optional, and `null` does not mean something of its own. */
function isOptional(tool: InputShape, name: string): boolean {
  const schema = tool.input.shape[name];
  return schema !== undefined && z.safeParse(schema, undefined).success && !z.safeParse(schema, null).success;
}

function plain(name: string): string {
  return name.replaceAll(/[-_]/g, "").toLowerCase();
}
