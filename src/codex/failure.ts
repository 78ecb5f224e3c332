/** What Codex's words about a failure mean. Codex's exec has no error codes: these texts were seen with 0.128 to 0.169 or stand in its sources. */
import type { Failure, FailureClass } from "../task/task.ts";
import { parseResetTime } from "./reset_time.ts";

interface Rule {
  readonly pattern: RegExp;
  readonly class: FailureClass;
  /** Where the class's own answer does not fit. */
  readonly isRetryable?: boolean;
  readonly action?: string;
}

/** The first match counts: a message may hold a status code of one class inside a sentence of another. */
const RULES: readonly Rule[] = [
  {
    pattern: /Quota exceeded|insufficient_quota|out of credits|spend cap|spend_limit_exceeded|billing details/i,
    class: "usage_limit",
    action: "Add credits or raise the spending limit of the account, then resume the thread.",
  },
  {
    pattern: /upgrade to Plus: |usage_not_included/i,
    class: "usage_limit",
    action: "The account's plan does not include Codex: sign in with another account, or set CODEX_API_KEY.",
  },
  { pattern: /hit your usage limit|usage_limit_reached|usage limit reached/i, class: "usage_limit" },
  {
    pattern: /ran out of room in the model's context window|context_length_exceeded|exceeds the context window/i,
    class: "context_window",
  },
  {
    pattern: /Missing environment variable: `/,
    class: "authentication",
    action: "Set that variable in the server's env, or in the call's `env`.",
  },
  {
    pattern: /blocked by Cloudflare/i,
    class: "network",
    isRetryable: false,
    action: "OpenAI refuses this network or region: use another connection or provider.",
  },
  {
    pattern: /status:? 40[13]\b|\b401 Unauthorized|\b403 Forbidden|refresh token|access token|invalid_api_key/i,
    class: "authentication",
  },
  {
    pattern: /not (logged|signed) in|(log|sign|signing) ?in again|not authenticated|token (is|has) expired/i,
    class: "authentication",
  },
  { pattern: /\b429\b|rate limit|rate_limit|too many requests/i, class: "rate_limit" },
  {
    pattern: /model is at capacity|server_is_overloaded|\boverloaded\b|experiencing high (demand|load)|slow_down/i,
    class: "provider",
  },
  {
    pattern: /status:? 5\d\d\b|internal server error|server_error|bad gateway|service unavailable/i,
    class: "provider",
  },
  {
    pattern: /Incomplete response returned, reason: max_output_tokens/,
    class: "provider",
    action: "The answer grew too long for one response: resume the thread and ask for smaller steps.",
  },
  {
    pattern: /already has an active writer/,
    class: "invalid_request",
    isRetryable: true,
    action: "Another process works on this thread: wait for its end, or stop it, then resume the thread again.",
  },
  {
    pattern: /no rollout found|no thread with id|thread not found/i,
    class: "invalid_request",
    action: "Check the thread id: this Codex home has no such thread; an ephemeral one cannot be resumed.",
  },
  {
    pattern: /Not inside a trusted directory/,
    class: "invalid_request",
    action: "Give a `cwd` inside a git repository, or start the server with --skip-git-repo-check.",
  },
  {
    pattern: /required MCP servers failed/,
    class: "invalid_request",
    action: "Repair the MCP server that the message names, or leave it out with `mcp-servers`.",
  },
  {
    pattern: /unexpected argument|unrecognized subcommand|invalid value .* for '/,
    class: "invalid_request",
    action: "This Codex does not take these arguments: run `codex-swarm doctor`, and update Codex if it is old.",
  },
  {
    pattern:
      /loading config|config\.toml|-c overrides|is no longer supported|unknown (field|variant)|finding codex home/i,
    class: "invalid_request",
    action: "Correct the setting that the message names, in config.toml, in the server's -c or in the call's `config`.",
  },
  {
    pattern: /invalid_request_error|invalid_prompt|Invalid prompt|status:? 4\d\d\b|does not exist|model_not_found/i,
    class: "invalid_request",
  },
  {
    pattern: /flagged for possible|policy violation|Image poisoning|content_filter/i,
    class: "invalid_request",
    action: "The provider refuses this content: change the prompt.",
  },
  {
    pattern: /No prompt provided|failed to read |No such file or directory|Permission denied/i,
    class: "invalid_request",
  },
  {
    pattern:
      /stream disconnected|Connection failed|error sending request|idle timeout|lookup address|timed out|timeout/i,
    class: "network",
  },
  {
    pattern: /waiting for network|while reading the server response|connection (reset|closed|refused)/i,
    class: "network",
  },
  { pattern: /panicked at|agent loop died/, class: "codex_crash" },
];

const IS_RETRYABLE: Readonly<Record<FailureClass, boolean>> = {
  authentication: false,
  usage_limit: false,
  rate_limit: true,
  provider: true,
  network: true,
  context_window: false,
  invalid_request: false,
  codex_crash: true,
  killed: true,
  timeout: true,
  setup_failed: true,
  unknown: false,
};

const ACTION: Readonly<Record<FailureClass, string>> = {
  authentication: "Run `codex login`, or set CODEX_API_KEY in the server's env.",
  usage_limit: "Wait until the limit lifts, or use another account or model, then resume the thread.",
  rate_limit: "Wait a minute, then resume the thread; fewer agents at once (--max-concurrent) avoid it.",
  provider: "Resume the thread in a minute, or use another model.",
  network: "Check the connection, then resume the thread by its id: nothing of it is lost.",
  context_window: "Start a new thread with the essence of this one, or split the work.",
  invalid_request: "Change what the message names and start again.",
  codex_crash: "Resume the thread; if it happens again, update Codex and look at the task's stderr.log.",
  killed: "Resume the thread by its id; if nobody stopped it, the system may be short of memory.",
  timeout: "Resume the thread by its id, with a longer `timeout` if the work needs one.",
  setup_failed: "Correct the setup command, or leave it out: no agent was started.",
  unknown: "Read the message and the task's stderr.log before another try.",
};

/** Longest message kept, in characters; its middle goes. */
const MAX_MESSAGE = 4_000;

/** Makes the failure of a known class, with the class's own way out unless another is given. */
export function failureOf(failureClass: FailureClass, message: string): Failure {
  return {
    class: failureClass,
    message: bounded(message),
    retryable: IS_RETRYABLE[failureClass],
    action: ACTION[failureClass],
  };
}

function bounded(message: string): string {
  if (message.length <= MAX_MESSAGE) return message;
  const half = MAX_MESSAGE / 2;
  const left = (message.length - MAX_MESSAGE).toLocaleString("en");
  return `${message.slice(0, half)}\n[… ${left} characters left out …]\n${message.slice(-half)}`.toWellFormed();
}

/** Tells what Codex's message means. `now` is when Codex said it: times of day in it are of that day. */
export function classifyFailure(message: string, now: Date): Failure {
  const rule = RULES.find(({ pattern }) => pattern.test(message));
  if (rule === undefined) return failureOf(isRawBody(message) ? "invalid_request" : "unknown", message);
  const failure = failureOf(rule.class, message);
  const resetsAt = rule.class === "usage_limit" || rule.class === "rate_limit" ? parseResetTime(message, now) : null;
  return {
    ...failure,
    retryable: rule.isRetryable ?? failure.retryable,
    action: rule.action ?? failure.action,
    ...(resetsAt === null ? {} : { resetsAt }),
  };
}

/** Codex passes on the body of a 400 or another 4xx as it came, and does so for these only. */
function isRawBody(message: string): boolean {
  return /^\s*\{.*"error"/s.test(message);
}
