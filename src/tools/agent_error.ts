/** How codex-as-mcp's tools say that a call failed: one JSON object, and nothing around it. */
import * as z from "zod";
import { reasonOf, TaskError, type TaskErrorCode } from "../task/errors.ts";
import { cutInner } from "./bounded_text.ts";
import type { ToolAnswer } from "./tool.ts";

/** Longest message: a caller's own words may stand in it. */
const MAX_MESSAGE = 1_500;

export const agentErrorPayload = z.object({
  /** One of codex-as-mcp's codes, or of ours where it had none. */
  code: z.string(),
  kind: z.enum(["validation_error", "runtime_error", "timeout_error", "io_error"]),
  message: z.string(),
  log_file: z.string().exactOptional(),
  details: z.record(z.string(), z.unknown()).exactOptional(),
}).readonly();
export type AgentErrorPayload = z.output<typeof agentErrorPayload>;
export type AgentErrorKind = AgentErrorPayload["kind"];

/** A call, or one agent of a call, that cannot be served. Never leaves the tools. */
export class AgentError extends Error {
  override readonly name = "AgentError";
  readonly payload: AgentErrorPayload;

  constructor(payload: AgentErrorPayload, options?: ErrorOptions) {
    super(payload.message, options);
    this.payload = payload;
  }
}

export const agentErrorOutput = z.looseObject({
  code: z.string().describe("What went wrong"),
  kind: z.string().describe("validation_error, runtime_error, timeout_error or io_error"),
  message: z.string().describe("The same in words, with the way out"),
}).optional().describe("Why the call or the agent failed");

/** Errors of ours for which codex-as-mcp had a code; what is not here is a refusal with a code of our own. */
const KNOWN: Partial<Record<TaskErrorCode, { readonly code?: string; readonly kind: AgentErrorKind }>> = {
  unknown_task: { code: "task_not_found", kind: "validation_error" },
  codex_missing: { code: "codex_not_found", kind: "runtime_error" },
  codex_unsupported: { kind: "runtime_error" },
  start_failed: { code: "process_start_failed", kind: "runtime_error" },
  state_not_writable: { kind: "io_error" },
  unreadable_task: { kind: "io_error" },
};

/** The parameters whose refusal has a code of its own. */
const PARAMETERS: Readonly<Record<string, string>> = {
  prompt: "invalid_prompt_type",
  agents: "invalid_agents_type",
  max_parallel: "invalid_max_parallel",
  days: "invalid_days",
};

/** What is told of any error; one that nobody has foreseen is `unexpected`. */
export function errorPayload(error: unknown, unexpected = "unexpected_error"): AgentErrorPayload {
  if (error instanceof AgentError) return error.payload;
  const message = cutInner(reasonOf(error), MAX_MESSAGE);
  if (!(error instanceof TaskError)) return { code: unexpected, kind: "runtime_error", message };
  const known = KNOWN[error.code];
  const parameter = error.cause instanceof z.ZodError ? String(error.cause.issues[0]?.path[0]) : "";
  const code = known?.code ?? PARAMETERS[parameter] ?? error.code;
  return { code, kind: known?.kind ?? "validation_error", message };
}

/** The answer of a failed call; `data` is told beside the error. */
export function errorAnswer(error: AgentErrorPayload, data: Readonly<Record<string, unknown>> = {}): ToolAnswer {
  return { text: JSON.stringify(error), structured: { error, ...data }, isError: true };
}
