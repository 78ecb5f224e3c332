/** What goes wrong between the real Codex and its model, as a caller is told it. */
import assert from "node:assert/strict";
import { scripted } from "../helpers/mock_model.ts";
import { HASTY, startRealSwarm } from "../helpers/real_swarm.ts";
import { waitFor } from "../helpers/wait_for.ts";

const NOW_SECONDS = Math.floor(Date.now() / 1000);
/** Codex words it as a time of the day, in minutes. */
const RESETS_AT = Math.floor((NOW_SECONDS + 5_400) / 60) * 60;
const NEXT_WEEK = Math.floor((NOW_SECONDS + 7 * 86_400) / 60) * 60;

const FAILURES: readonly {
  readonly name: string;
  readonly prompt: string;
  readonly class: string;
  readonly category: string;
  readonly retryable: boolean;
  readonly resetsAt?: number;
}[] = [
  {
    name: "HTTP 401",
    prompt: "mock:http(401)",
    class: "authentication",
    category: "authentication",
    retryable: false,
  },
  {
    name: "HTTP 403",
    prompt: "mock:http(403)",
    class: "authentication",
    category: "authentication",
    retryable: false,
  },
  { name: "HTTP 429", prompt: "mock:http(429)", class: "rate_limit", category: "rate_limit", retryable: true },
  {
    name: "a used up limit",
    prompt: scripted({ usage_limit: { resets_at: RESETS_AT } }),
    class: "usage_limit",
    category: "rate_limit",
    retryable: false,
    resetsAt: RESETS_AT,
  },
  {
    name: "a limit of next week",
    prompt: scripted({ usage_limit: { resets_at: NEXT_WEEK } }),
    class: "usage_limit",
    category: "rate_limit",
    retryable: false,
    resetsAt: NEXT_WEEK,
  },
  { name: "HTTP 500", prompt: "mock:http(500)", class: "provider", category: "provider_capacity", retryable: true },
  {
    name: "HTTP 400",
    prompt: "mock:http(400)",
    class: "invalid_request",
    category: "invalid_request",
    retryable: false,
  },
  {
    name: "a full context",
    prompt: "mock:fail(context_length_exceeded)",
    class: "context_window",
    category: "invalid_request",
    retryable: false,
  },
  {
    name: "a stream that is cut every time",
    prompt: "mock:cut",
    class: "network",
    category: "transport",
    retryable: true,
  },
];

Deno.test("codex_wait names the class of each failure of the model", async () => {
  await using swarm = await startRealSwarm({ args: ["--on-usage-limit", "fail"] });
  const ids: string[] = [];
  for (const { prompt } of FAILURES) ids.push(await swarm.begin(prompt, { config: HASTY }));
  const tasks = await swarm.ends(...ids);
  for (const [index, expected] of FAILURES.entries()) {
    const { status, exit_code, failure, thread_id } = tasks[index];
    const told = {
      name: expected.name,
      status,
      exit_code,
      hasThread: typeof thread_id === "string",
      class: failure.class,
      category: failure.category,
      retryable: failure.retryable,
      resets_at: failure.resets_at,
    };
    const { name, prompt: _prompt, resetsAt, ...rest } = expected;
    assert.deepEqual(told, {
      name,
      status: "failed",
      exit_code: 1,
      hasThread: true,
      ...rest,
      resets_at: resetsAt === undefined ? undefined : new Date(resetsAt * 1000).toISOString(),
    }, failure.message);
    assert.notEqual(failure.action, "");
  }
});

Deno.test("codex answers a failed run with isError, all data and the way out", async () => {
  await using swarm = await startRealSwarm();
  const { text, structured, isError } = await swarm.call("codex", { prompt: "mock:http(429)" });
  assert.equal(isError, true);
  assert.deepEqual([structured.status, structured.content], ["failed", structured.failure.message]);
  for (
    const part of [
      "Codex FAILED (exit 1)",
      "Category: rate_limit",
      "Retryable: yes",
      `Thread ID: ${structured.threadId}`,
    ]
  ) {
    assert.ok(text.includes(part), text);
  }
  const reply = await swarm.call("codex_reply", { threadId: structured.threadId, prompt: "mock:hello" });
  assert.deepEqual([reply.isError, reply.structured.content], [false, "hello from the mock"]);
});

Deno.test("codex leaves Codex's own five retries on", async () => {
  await using swarm = await startRealSwarm();
  const { structured } = await swarm.call("codex", { prompt: "mock:http(401)" });
  assert.deepEqual([structured.failure.class, swarm.model.requests.length], ["authentication", 6]);
});

Deno.test("codex completes when a cut stream comes back", async () => {
  await using swarm = await startRealSwarm();
  const { structured, isError } = await swarm.call("codex", { prompt: "mock:cut(2)" });
  assert.deepEqual([structured.status, structured.failure, isError], ["completed", undefined, false]);
  assert.equal(structured.content, "this answer is cut off");
  assert.equal(swarm.model.requests.length, 3);
});

Deno.test("codex_status says that an agent waits for the network until --offline-timeout ends it", async () => {
  // Nobody answers on port 9.
  await using swarm = await startRealSwarm({
    args: ["-c", 'openai_base_url="http://127.0.0.1:9/v1"', "--offline-timeout", "2s"],
  });
  const id = await swarm.begin("mock:hello");
  const seen = await waitFor(async () => {
    const task = await swarm.look(id);
    return task.phase === "waiting for network" && task;
  }, { message: "the agent to wait for the network", timeoutMs: 20_000 });
  assert.equal(seen.status, "running");
  assert.match(seen.waiting_for_network, /^Reconnecting/);
  const [task] = await swarm.ends(id);
  assert.deepEqual([task.status, task.stop_reason, task.failure.class, task.failure.retryable], [
    "failed",
    "offline",
    "network",
    true,
  ]);
  assert.match(task.failure.message, /resumable by thread id/);
});
