import type { JsonSchemaValidator } from "@modelcontextprotocol/server";
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/server/validators/ajv";
import type { Outcome } from "../task/task.ts";
import { checkableSchema, MAX_CHECKED_LENGTH } from "./checkable_schema.ts";

/** The validator names every mistake of a long answer. */
const MAX_ERROR_LENGTH = 500;
const MAX_UNCHECKED = 10;

/** Holds an agent's answer against the output schema of its task; Codex itself does not. */
export function checkAnswer(
  answer: string | null,
  schema: Readonly<Record<string, unknown>>,
): NonNullable<Outcome["outputSchemaVerdict"]> {
  const text = answer ?? "";
  if (text.length > MAX_CHECKED_LENGTH) {
    return { valid: false, errors: [`the answer is too long to be checked: ${text.length} characters`] };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { valid: false, errors: ["the answer is not JSON"] };
  }
  const checkable = checkableSchema(schema, text.length);
  const unchecked = checkable.unchecked.length === 0 ? {} : { unchecked: checkable.unchecked.slice(0, MAX_UNCHECKED) };
  const result = compileSchema(checkable.schema)(value);
  if (result.valid) return { valid: true, errors: [], ...unchecked };
  const { errorMessage } = result;
  const isLong = errorMessage.length > MAX_ERROR_LENGTH;
  return {
    valid: false,
    errors: [isLong ? `${errorMessage.slice(0, MAX_ERROR_LENGTH)}…`.toWellFormed() : errorMessage],
    ...unchecked,
  };
}

/** Compiles a JSON Schema. Throws with the reason when it is none. */
export function compileSchema(schema: Readonly<Record<string, unknown>>): JsonSchemaValidator<unknown> {
  return new AjvJsonSchemaValidator().getValidator({ ...schema });
}
