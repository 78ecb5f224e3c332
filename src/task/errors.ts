/** The closed set of things that a caller can act on. */
export type TaskErrorCode =
  | "invalid_argument"
  | "unknown_task"
  | "unreadable_task"
  | "unknown_thread"
  | "not_resumable"
  | "cwd_missing"
  | "not_a_repository"
  | "beyond_limit"
  | "recursion"
  | "codex_missing"
  | "codex_unsupported"
  | "state_not_writable"
  | "start_failed"
  | "not_available";

/** What an error says, whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A call that cannot be served, and the way out, in one message. Returned as an `isError` result, never thrown to the client. */
export class TaskError extends Error {
  readonly code: TaskErrorCode;

  constructor(code: TaskErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TaskError";
    this.code = code;
  }
}
