import type { JsonSchemaValidator } from "@modelcontextprotocol/server";
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/server/validators/ajv";
import { reasonOf } from "../task/errors.ts";
import type { Outcome } from "../task/task.ts";
import { checkableSchema, MAX_CHECKED_LENGTH } from "./checkable_schema.ts";
import { isCompilable, refuseCostlyCheck, TooCostly } from "./checking_cost.ts";

/** The validator names every mistake of a long answer, and places may be long. */
const MAX_LENGTH = 500;
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
  try {
    return checkValue(value, checkableSchema(schema, text.length));
  } catch (error) {
    // Whatever a stranger's schema makes the validator do: the task has ended all the same.
    return {
      valid: false,
      errors: [`the answer could not be checked: ${shortened(reasonOf(error))}`],
      unchecked: [error instanceof TooCostly ? shortened(error.place) : ""],
    };
  }
}

function checkValue(
  value: unknown,
  checkable: ReturnType<typeof checkableSchema>,
): NonNullable<Outcome["outputSchemaVerdict"]> {
  if (!isCompilable(checkable.schema)) throw new TooCostly("the schema is too large", "");
  refuseCostlyCheck(checkable.schema, value);
  const unchecked = checkable.unchecked.length === 0 ? {} : { unchecked: checkable.unchecked.slice(0, MAX_UNCHECKED) };
  const result = compileSchema(checkable.schema)(value);
  if (result.valid) return { valid: true, errors: [], ...unchecked };
  return { valid: false, errors: [shortened(result.errorMessage)], ...unchecked };
}

function shortened(text: string): string {
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…`.toWellFormed() : text;
}

/** Compiles a JSON Schema. Throws with the reason when it is none. */
export function compileSchema(schema: Readonly<Record<string, unknown>>): JsonSchemaValidator<unknown> {
  return new AjvJsonSchemaValidator().getValidator({ ...schema });
}
