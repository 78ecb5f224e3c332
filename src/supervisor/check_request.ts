/** What can be said of a call without a look at anything else. */
import { reasonOf, TaskError } from "../task/errors.ts";
import { checkEnv } from "./call_env.ts";
import { compileSchema } from "./check_answer.ts";
import { isCompilable } from "./checking_cost.ts";
import type { StartRequest } from "./start_request.ts";

const MAX_LABEL_LENGTH = 200;
/** As for `--task-timeout`: a timer of a JavaScript engine reaches 24.8 days. */
const MAX_TIMEOUT_DAYS = 24;

/** Throws `invalid_argument`. */
export function checkRequest({ prompt, label, env, timeoutMs, outputSchema }: StartRequest): void {
  if (prompt.trim() === "") throw new TaskError("invalid_argument", "Cannot start: the prompt is empty.");
  if (prompt.includes("\0")) {
    throw new TaskError("invalid_argument", "Cannot start: the prompt holds a NUL character. Remove it and try again.");
  }
  if (label !== undefined && (label.length > MAX_LABEL_LENGTH || /\p{Cc}/u.test(label))) {
    throw new TaskError(
      "invalid_argument",
      `Cannot use label: it must be one line of at most ${MAX_LABEL_LENGTH} characters.`,
    );
  }
  if (timeoutMs !== undefined && timeoutMs > MAX_TIMEOUT_DAYS * 86_400_000) {
    throw new TaskError(
      "invalid_argument",
      `Cannot use timeout ${timeoutMs / 1000}: it is at most ${MAX_TIMEOUT_DAYS * 86_400} seconds, ` +
        `${MAX_TIMEOUT_DAYS} days.`,
    );
  }
  checkEnv(env ?? {});
  if (outputSchema !== undefined) checkSchema(outputSchema);
}

function checkSchema(schema: Readonly<Record<string, unknown>>): void {
  try {
    // One that is too large for that is Codex's to refuse; no answer is held against it.
    if (isCompilable(schema)) compileSchema(schema);
  } catch (error) {
    const reason = reasonOf(error);
    throw new TaskError("invalid_argument", `Cannot use output-schema: ${reason}`, { cause: error });
  }
}
