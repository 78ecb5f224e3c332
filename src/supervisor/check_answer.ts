import type { JsonSchemaValidator } from "@modelcontextprotocol/server";
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/server/validators/ajv";
import type { Outcome } from "../task/task.ts";

/** The validator names every mistake of a long answer. */
const MAX_ERROR_LENGTH = 500;

/** Holds an agent's answer against the output schema of its task; Codex itself does not. */
export function checkAnswer(
  answer: string | null,
  schema: Readonly<Record<string, unknown>>,
): NonNullable<Outcome["outputSchemaVerdict"]> {
  let value: unknown;
  try {
    value = JSON.parse(answer ?? "");
  } catch {
    return { valid: false, errors: ["the answer is not JSON"] };
  }
  const result = compileSchema(schema)(value);
  if (result.valid) return { valid: true, errors: [] };
  const { errorMessage } = result;
  const isLong = errorMessage.length > MAX_ERROR_LENGTH;
  return {
    valid: false,
    errors: [isLong ? `${errorMessage.slice(0, MAX_ERROR_LENGTH)}…`.toWellFormed() : errorMessage],
  };
}

/** Compiles a JSON Schema. Throws with the reason when it is none. */
export function compileSchema(schema: Readonly<Record<string, unknown>>): JsonSchemaValidator<unknown> {
  return new AjvJsonSchemaValidator().getValidator({ ...schema });
}
