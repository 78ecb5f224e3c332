/** Failures in the words of codex-mcp-swarm. */
import type { Failure } from "../task/task.ts";

/** The words of codex-mcp-swarm 1.11 for the same thing. */
export type FailureCategory =
  | "authentication"
  | "provider_capacity"
  | "rate_limit"
  | "provider_5xx"
  | "transport"
  | "invalid_request"
  | "process_crash"
  | "unknown";

/** Names a failure in codex-mcp-swarm's words. */
export function failureCategory(failure: Failure): FailureCategory {
  switch (failure.class) {
    case "authentication":
    case "rate_limit":
    case "invalid_request":
      return failure.class;
    case "usage_limit":
      return "rate_limit";
    case "provider":
      return /capacity|overloaded|high (demand|load)/i.test(failure.message) ? "provider_capacity" : "provider_5xx";
    case "network":
      return "transport";
    case "context_window":
      return "invalid_request";
    case "codex_crash":
    case "killed":
      return "process_crash";
    case "timeout":
    case "setup_failed":
    case "unknown":
      return "unknown";
  }
}
