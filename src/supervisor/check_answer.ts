import type { JsonSchemaValidator } from "@modelcontextprotocol/server";
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/server/validators/ajv";
import type { Outcome } from "../task/task.ts";

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
  return result.valid ? { valid: true, errors: [] } : { valid: false, errors: [result.errorMessage] };
}

/** Compiles a JSON Schema. Throws with the reason when it is none. */
export function compileSchema(schema: Readonly<Record<string, unknown>>): JsonSchemaValidator<unknown> {
  return new AjvJsonSchemaValidator().getValidator({ ...schema });
}
