import type { JsonSchemaValidator } from "@modelcontextprotocol/server";
import type { Outcome } from "../task/task.ts";

/** Holds an agent's answer against the output schema of its task; Codex itself does not. */
export async function checkAnswer(
  answer: string | null,
  schema: Readonly<Record<string, unknown>>,
): Promise<NonNullable<Outcome["outputSchemaVerdict"]>> {
  let value: unknown;
  try {
    value = JSON.parse(answer ?? "");
  } catch {
    return { valid: false, errors: ["the answer is not JSON"] };
  }
  const result = (await compileSchema(schema))(value);
  return result.valid ? { valid: true, errors: [] } : { valid: false, errors: [result.errorMessage] };
}

/** Compiles a JSON Schema. Throws with the reason when it is none. */
export async function compileSchema(
  schema: Readonly<Record<string, unknown>>,
): Promise<JsonSchemaValidator<unknown>> {
  // Only a call with an output schema pays for the validator.
  const { AjvJsonSchemaValidator } = await import("@modelcontextprotocol/server/validators/ajv");
  return new AjvJsonSchemaValidator().getValidator({ ...schema });
}
