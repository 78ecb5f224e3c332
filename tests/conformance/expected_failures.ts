/** All that the suite does not find right, each with its reason. What else it finds fails, and so does what it finds no more. */
import type { Expected, Target } from "./judge.ts";

const BOTH: readonly Target[] = ["the server", "the test build"];

const NOT_OFFERED = "The server offers no tool of that name; the test build does, and is right.";
const NEVER_CHANGES = "What the server offers is settled at its start: it declares no listChanged, so none is sent.";
const NO_PARAMETER_HEADERS = "No tool has a parameter that clients are to repeat in a header (x-mcp-header).";
const NOT_WATCHED =
  "It asks for test://watched-resource, which the test build has, and is right. The server refuses what it " +
  "does not have; to what it has clients can subscribe (tests/connections/subscriptions.test.ts).";

export const EXPECTED: readonly Expected[] = [
  {
    targets: BOTH,
    revision: "2025-11-25",
    scenario: "server-sse-polling",
    check: "server-sse-priming-event",
    status: "WARNING",
    why:
      "A SHOULD for servers that replay a broken stream. This one keeps no events: codex_wait is called again instead.",
  },
  {
    targets: BOTH,
    revision: "2025-11-25",
    scenario: "server-sse-polling",
    check: "server-sse-retry-field",
    status: "WARNING",
    why: "It tells when to take up a stream again; none can be taken up.",
  },
  {
    targets: ["the server"],
    revision: "2025-11-25",
    scenario: "logging-set-level",
    check: "logging-set-level",
    status: "FAILURE",
    why: "The server sends clients no log messages, and so declares no logging. The test build does, and is right.",
  },
  ...["resources-subscribe", "resources-unsubscribe"].map((scenario): Expected => ({
    targets: ["the server"],
    revision: "2025-11-25",
    scenario,
    check: scenario,
    status: "FAILURE",
    why: NOT_WATCHED,
  })),
  {
    targets: ["the server"],
    revision: "2026-07-28",
    scenario: "input-required-result-missing-input-response",
    check: "sep-2322-missing-response-rerequests",
    status: "WARNING",
    why: NOT_OFFERED,
  },
  {
    targets: ["the server"],
    revision: "2026-07-28",
    scenario: "input-required-result-ignore-extra-params",
    check: "sep-2322-ignore-unexpected-params",
    status: "WARNING",
    why: NOT_OFFERED,
  },
  ...[
    "sep-2575-server-rejects-undeclared-capability",
    "sep-2575-missing-capability-http-400",
    "sep-2575-http-server-no-independent-requests-on-stream",
    "sep-2575-server-no-log-without-loglevel",
  ].map((check): Expected => ({
    targets: ["the server"],
    revision: "2026-07-28",
    scenario: "server-stateless",
    check,
    status: "FAILURE",
    why: NOT_OFFERED,
  })),
  ...[
    "sep-2575-server-sends-prompts-list-changed-on-subscription",
    "sep-2575-server-sends-tools-list-changed-on-subscription",
  ].map((check): Expected => ({
    targets: BOTH,
    revision: "2026-07-28",
    scenario: "server-stateless",
    check,
    status: "SKIPPED",
    why: NEVER_CHANGES,
  })),
  ...[
    "sep-2243-server-no-xmcp-tool",
    "sep-2243-server-decode-base64",
    "sep-2243-server-validate-param-match",
    "sep-2243-server-reject-invalid-param-chars",
    "sep-2243-server-reject-param-mismatch",
  ].map((check): Expected => ({
    targets: BOTH,
    revision: "2026-07-28",
    scenario: "http-custom-header-server-validation",
    check,
    status: "FAILURE",
    why: NO_PARAMETER_HEADERS,
  })),
  {
    targets: BOTH,
    revision: "2026-07-28",
    scenario: "tasks-status-notifications",
    check: "tasks-status-notifications",
    status: "SKIPPED",
    why: "The suite checks nothing here yet.",
  },
];
