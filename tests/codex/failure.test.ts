import assert from "node:assert/strict";
import { classifyFailure, failureOf } from "../../src/codex/failure.ts";
import { failureCategory } from "../../src/codex/failure_category.ts";
import { FAILURE_CLASSES, type FailureClass } from "../../src/task/task.ts";

const NOW = new Date(2026, 10, 20, 12, 0);

interface Row {
  readonly message: string;
  readonly class: FailureClass;
  readonly isRetryable: boolean;
  readonly category: string;
}

const table: readonly Row[] = [
  {
    message: "unexpected status 401 Unauthorized: Incorrect API key provided, url: http://localhost:28472/v1/responses",
    class: "authentication",
    isRetryable: false,
    category: "authentication",
  },
  {
    message: "unexpected status 403 Forbidden: mock HTTP 403, url: http://localhost:18080/v1/responses",
    class: "authentication",
    isRetryable: false,
    category: "authentication",
  },
  {
    message: "Your refresh token has been revoked. Please sign out and sign in again.",
    class: "authentication",
    isRetryable: false,
    category: "authentication",
  },
  {
    message: "Missing environment variable: `MOCK_KEY`.",
    class: "authentication",
    isRetryable: false,
    category: "authentication",
  },
  {
    message:
      "Access blocked by Cloudflare. This usually happens when connecting from a restricted region (status 403 Forbidden)",
    class: "network",
    isRetryable: false,
    category: "transport",
  },
  {
    message: "unexpected status 404 Not Found: mock HTTP 404, url: http://localhost:18080/v1/responses",
    class: "invalid_request",
    isRetryable: false,
    category: "invalid_request",
  },
  {
    message: '{"error":{"message":"mock HTTP 400","type":"mock_error","code":null}}',
    class: "invalid_request",
    isRetryable: false,
    category: "invalid_request",
  },
  {
    message:
      '{"error":{"message":"Your input exceeds the context window of this model.","type":"invalid_request_error"}}',
    class: "context_window",
    isRetryable: false,
    category: "invalid_request",
  },
  {
    message: "exceeded retry limit, last status: 429 Too Many Requests",
    class: "rate_limit",
    isRetryable: true,
    category: "rate_limit",
  },
  {
    message: "exceeded retry limit, last status: 502 Bad Gateway, request id: r1",
    class: "provider",
    isRetryable: true,
    category: "provider_5xx",
  },
  {
    message:
      "stream disconnected before completion: rate limit exceeded: Rate limit reached. Please try again in 1.5s.",
    class: "rate_limit",
    isRetryable: true,
    category: "rate_limit",
  },
  {
    message:
      "You’ve hit your usage limit. Visit https://chatgpt.com/settings/usage to purchase more credits or try again at 6:40 PM.",
    class: "usage_limit",
    isRetryable: false,
    category: "rate_limit",
  },
  {
    message: "You've hit your usage limit for gpt-6-sol. Switch to another model now, or try again later.",
    class: "usage_limit",
    isRetryable: false,
    category: "rate_limit",
  },
  {
    message: "Your workspace is out of credits. Add credits to continue.",
    class: "usage_limit",
    isRetryable: false,
    category: "rate_limit",
  },
  {
    message: "Quota exceeded. Check your plan and billing details.",
    class: "usage_limit",
    isRetryable: false,
    category: "rate_limit",
  },
  {
    message: "We’re currently experiencing high demand, which may cause temporary errors.",
    class: "provider",
    isRetryable: true,
    category: "provider_capacity",
  },
  {
    message: "Selected model is at capacity. Please try a different model.",
    class: "provider",
    isRetryable: true,
    category: "provider_capacity",
  },
  {
    message: "Incomplete response returned, reason: max_output_tokens",
    class: "provider",
    isRetryable: true,
    category: "provider_5xx",
  },
  {
    message:
      "Codex ran out of room in the model's context window. Start a new thread or clear earlier history before retrying.",
    class: "context_window",
    isRetryable: false,
    category: "invalid_request",
  },
  {
    message: "stream disconnected before completion: Transport error: network error: error decoding response body",
    class: "network",
    isRetryable: true,
    category: "transport",
  },
  {
    message: "stream disconnected before completion: idle timeout waiting for SSE",
    class: "network",
    isRetryable: true,
    category: "transport",
  },
  {
    message: "Connection failed: error sending request",
    class: "network",
    isRetryable: true,
    category: "transport",
  },
  {
    message: "Invalid prompt: we've limited access to this content for safety reasons.",
    class: "invalid_request",
    isRetryable: false,
    category: "invalid_request",
  },
  {
    message: "This request has been flagged for possible cybersecurity risk.",
    class: "invalid_request",
    isRetryable: false,
    category: "invalid_request",
  },
  {
    message: "thread/resume: thread/resume failed: no rollout found for thread id 01a1f744-634e-71b1-a39a-93788d7eea39",
    class: "invalid_request",
    isRetryable: false,
    category: "invalid_request",
  },
  {
    message: "thread/resume: thread/resume failed: thread 01a1f7ae already has an active writer (code -32600)",
    class: "invalid_request",
    isRetryable: true,
    category: "invalid_request",
  },
  {
    message: "Not inside a trusted directory and --skip-git-repo-check was not specified.",
    class: "invalid_request",
    isRetryable: false,
    category: "invalid_request",
  },
  {
    message: "Error loading config.toml: invalid type: integer `42`, expected a string\nin `model`",
    class: "invalid_request",
    isRetryable: false,
    category: "invalid_request",
  },
  {
    message: 'approval_policy = "untrusted" is no longer supported; remove this setting',
    class: "invalid_request",
    isRetryable: false,
    category: "invalid_request",
  },
  {
    message: "error: unexpected argument '--bogus' found",
    class: "invalid_request",
    isRetryable: false,
    category: "invalid_request",
  },
  { message: "bad prompt", class: "unknown", isRetryable: false, category: "unknown" },
  { message: "", class: "unknown", isRetryable: false, category: "unknown" },
];

for (const row of table) {
  Deno.test(`classifyFailure() calls ${JSON.stringify(row.message.slice(0, 60))} ${row.class}`, () => {
    const failure = classifyFailure(row.message, NOW);
    assert.deepEqual(
      {
        message: failure.message,
        class: failure.class,
        isRetryable: failure.retryable,
        category: failureCategory(failure),
      },
      row,
    );
  });
}

Deno.test("classifyFailure() tells when a usage limit lifts", () => {
  const failure = classifyFailure("You’ve hit your usage limit. Try again at Nov 23rd, 2026 6:38 AM.", NOW);
  assert.deepEqual(failure, {
    class: "usage_limit",
    message: "You’ve hit your usage limit. Try again at Nov 23rd, 2026 6:38 AM.",
    retryable: false,
    action: "Wait until the limit lifts, or use another account or model, then resume the thread.",
    resetsAt: new Date(2026, 10, 23, 6, 38),
  });
});

Deno.test("classifyFailure() reads no reset time out of other failures", () => {
  assert.equal(classifyFailure("stream disconnected before completion: try again at 6:40 PM", NOW).resetsAt, undefined);
});

Deno.test("failureOf() names one way out per class", () => {
  for (const failureClass of FAILURE_CLASSES) {
    const { action } = failureOf(failureClass, "m");
    assert.match(action, /^[A-Z].*\.$/, failureClass);
  }
});
