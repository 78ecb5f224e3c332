import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { readThread, type ThreadFacts } from "../../src/codex/thread_file.ts";
import { type TempDirectory, tempDirectory } from "../helpers/temp_directory.ts";

/** Begun on 2026-11-20 at 06:53 UTC. */
const THREAD = "01a1f7bb-6ae8-7e13-9bec-fa64432e2b1a";
const NAME = `rollout-2026-11-20T06-53-37-${THREAD}.jsonl`;

function line(type: string, payload: unknown): string {
  return `${JSON.stringify({ timestamp: "2026-11-20T06:53:37.699Z", ordinal: 1, type, payload })}\n`;
}

function turn(cwd: string, policy: unknown, more: Readonly<Record<string, unknown>> = {}): string {
  return line("turn_context", { cwd, approval_policy: "never", model: "gpt-6.1-sol", sandbox_policy: policy, ...more });
}

function tokens(input: number): string {
  const total = {
    input_tokens: input,
    cached_input_tokens: 1,
    cache_write_input_tokens: 0,
    output_tokens: 2,
    reasoning_output_tokens: 3,
  };
  return line("event_msg", { type: "token_count", info: { total_token_usage: total }, rate_limits: null });
}

const META = line("session_meta", { id: THREAD, cwd: "/first", cli_version: "0.169.0" });
const WRITE = { type: "workspace-write", writable_roots: ["/a"], network_access: true };

async function put(temp: TempDirectory, place: string, bytes: string | Uint8Array): Promise<void> {
  const path = join(temp.path, place);
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeFile(path, typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
}

function read(temp: TempDirectory): Promise<ThreadFacts | null> {
  return readThread({ codexHome: temp.path, threadId: THREAD });
}

const usage = { inputTokens: 7, cachedInputTokens: 1, outputTokens: 2, reasoningOutputTokens: 3 };
const LAST: ThreadFacts = {
  cwd: "/last",
  sandbox: "workspace-write",
  network: true,
  addDirs: ["/a"],
  model: "gpt-6.1-sol",
  effort: "high",
  usage,
  limitResetsAt: null,
};
const RECORD = `${META}${turn("/before", { type: "read-only" })}${tokens(4)}${
  turn("/last", WRITE, { effort: "high" })
}${tokens(7)}${line("event_msg", { type: "task_complete" })}`;

const places = [
  `sessions/2026/11/20/${NAME}`,
  `sessions/2026/11/19/${NAME}`,
  `sessions/2026/11/21/${NAME}`,
  `sessions/2025/01/02/${NAME}`,
  `archived_sessions/${NAME}`,
];

for (const place of places) {
  Deno.test(`readThread() finds ${dirname(place)} and reads the last turn`, async () => {
    await using temp = await tempDirectory();
    await put(temp, `sessions/2026/11/20/rollout-2026-11-20T06-53-37-${crypto.randomUUID()}.jsonl`, META);
    await put(temp, place, RECORD);
    assert.deepEqual(await read(temp), LAST);
  });
}

Deno.test("readThread() reads a packed record", async () => {
  await using temp = await tempDirectory();
  await put(temp, `sessions/2026/11/20/${NAME}.zst`, zstdCompressSync(new TextEncoder().encode(RECORD)));
  assert.deepEqual(await read(temp), LAST);
});

Deno.test("readThread() takes the id in capital letters", async () => {
  await using temp = await tempDirectory();
  await put(temp, `sessions/2026/11/20/${NAME}`, RECORD);
  assert.deepEqual(await readThread({ codexHome: temp.path, threadId: THREAD.toUpperCase() }), LAST);
});

Deno.test("readThread() reads over blocks, long lines, other languages and a torn end", async () => {
  await using temp = await tempDirectory();
  const long = line("response_item", { text: "ä😀".repeat(300_000), quoted: '"turn_context" "token_count"' });
  await put(temp, `sessions/2026/11/20/${NAME}`, `${RECORD}${long}${long}{"type":"turn_context","payl`);
  assert.deepEqual(await read(temp), LAST);
});

Deno.test("readThread() skips a token count without counts", async () => {
  await using temp = await tempDirectory();
  const empty = line("event_msg", { type: "token_count", info: null });
  await put(temp, `sessions/2026/11/20/${NAME}`, `${RECORD}${empty}`);
  assert.deepEqual(await read(temp), LAST);
});

Deno.test("readThread() knows what a thread without a turn can tell", async () => {
  await using temp = await tempDirectory();
  await put(temp, `sessions/2026/11/20/${NAME}`, META);
  assert.deepEqual(await read(temp), {
    cwd: "/first",
    sandbox: null,
    network: null,
    addDirs: [],
    model: null,
    effort: null,
    usage: null,
    limitResetsAt: null,
  });
});

const policies: readonly (readonly [name: string, line: string, sandbox: string | null, network: boolean | null])[] = [
  ["read-only", turn("/c", { type: "read-only" }), "read-only", false],
  ["danger-full-access", turn("/c", { type: "danger-full-access" }), "danger-full-access", true],
  ["the older mode", turn("/c", { mode: "workspace-write", network_access: false }), "workspace-write", false],
  [
    "a permission profile alone",
    turn("/c", undefined, { active_permission_profile: { id: ":workspace" } }),
    "workspace-write",
    false,
  ],
  ["something new", turn("/c", { type: "external-sandbox" }), null, null],
];

for (const [name, text, sandbox, network] of policies) {
  Deno.test(`readThread() reads the sandbox of ${name}`, async () => {
    await using temp = await tempDirectory();
    await put(temp, `sessions/2026/11/20/${NAME}`, text);
    const facts = await read(temp);
    assert.deepEqual([facts?.sandbox, facts?.network], [sandbox, network]);
  });
}

Deno.test("readThread() tells an unknown thread from an empty home", async () => {
  await using temp = await tempDirectory();
  assert.equal(await read(temp), null);
  assert.equal(await readThread({ codexHome: temp.path, threadId: "../../etc/passwd" }), null);
  assert.equal(await readThread({ codexHome: temp.path, threadId: "ffffffff-ffff-7fff-8fff-ffffffffffff" }), null);
});
