/** The mocked model, checked with the real CLI. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { type MockModel, scripted, startMockModel } from "../helpers/mock_model.ts";
import { ensureRealCodex, makeCodexHome, realCodexEnvironment } from "../helpers/real_codex.ts";

const Item = z.looseObject({ type: z.string(), text: z.string().optional(), exit_code: z.int().nullish() });
const Event = z.looseObject({
  type: z.string(),
  thread_id: z.string().optional(),
  item: Item.optional(),
  usage: z.record(z.string(), z.int()).optional(),
});
type Event = z.infer<typeof Event>;

interface Finished {
  readonly code: number;
  readonly events: Event[];
  readonly stderr: string;
}

interface Bench extends AsyncDisposable {
  readonly model: MockModel;
  readonly cwd: string;
  /** Runs `codex exec --json` to its end. */
  exec(...args: string[]): Promise<Finished>;
}

async function makeBench(options: { requireKey?: string; key?: string } = {}): Promise<Bench> {
  const { native } = await ensureRealCodex();
  await using stack = new AsyncDisposableStack();
  const model = stack.use(
    await startMockModel(options.requireKey === undefined ? {} : { requireKey: options.requireKey }),
  );
  const home = stack.use(makeCodexHome()).path;
  const cwd = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(cwd, { recursive: true }));
  const { env, serverArguments } = realCodexEnvironment({
    model,
    home,
    ...(options.key === undefined ? {} : { key: options.key }),
  });
  const owned = stack.move();
  return {
    model,
    cwd,
    exec: async (...args) => {
      const { code, stdout, stderr } = await new Deno.Command(native, {
        args: ["exec", "--json", "--skip-git-repo-check", ...serverArguments, ...args],
        cwd,
        env,
        clearEnv: true,
        stdin: "null",
      }).output();
      const lines = new TextDecoder().decode(stdout).split("\n").filter((line) => line !== "");
      const events = lines.map((line) => Event.parse(JSON.parse(line)));
      return { code, events, stderr: new TextDecoder().decode(stderr) };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function completedItems({ events }: Finished): z.infer<typeof Item>[] {
  return events.flatMap((event) => event.type === "item.completed" && event.item !== undefined ? [event.item] : []);
}

function messages(finished: Finished): (string | undefined)[] {
  return completedItems(finished).filter((item) => item.type === "agent_message").map((item) => item.text);
}

Deno.test("mock model answers a prompt and goes on when its thread is resumed", async () => {
  await using bench = await makeBench({ requireKey: "right", key: "right" });
  const first = await bench.exec("mock:hello");
  assert.deepEqual([first.code, messages(first), first.events.at(-1)?.type], [
    0,
    ["hello from the mock"],
    "turn.completed",
  ], first.stderr);
  const second = await bench.exec("resume", first.events[0]?.thread_id ?? "", "mock:say(again)");
  assert.deepEqual([second.code, messages(second)], [0, ["again"]], second.stderr);
  assert.equal(second.events[0]?.thread_id, first.events[0]?.thread_id);
  assert.deepEqual(bench.model.requests.map((request) => request.prompt), ["mock:hello", "mock:say(again)"]);
});

Deno.test("mock model refuses a wrong key", async () => {
  await using model = await startMockModel({ requireKey: "right" });
  const response = await ask(model, { prompt: "mock:hello", key: "wrong" });
  assert.equal(response.status, 401);
  assert.match(await response.text(), /invalid_api_key/);
});

for (const model of ["gpt-6.1-sol", "gpt-5.5", "unknown-model"]) {
  Deno.test(`mock model runs commands and writes files as ${model}`, async () => {
    await using bench = await makeBench();
    const tools = await bench.exec("-m", model, "mock:tools");
    const exitCodes = completedItems(tools).filter((item) => item.type === "command_execution").map((item) =>
      item.exit_code
    );
    assert.deepEqual(
      // Those of one step run side by side.
      [tools.code, exitCodes.toSorted(), messages(tools).at(-1)],
      [0, [0, 0, 0, 3], "all tools done"],
      tools.stderr,
    );
    const patch = await bench.exec("-m", model, "-s", "workspace-write", "mock:patch(made.txt)");
    assert.deepEqual([patch.code, messages(patch)], [0, ["patched"]], patch.stderr);
    assert.equal(await Deno.readTextFile(join(bench.cwd, "made.txt")), "written by the mock\n");
    assert.deepEqual([...new Set(bench.model.requests.map((request) => request.model))], [model]);
  });
}

Deno.test("mock model reports usage", async () => {
  await using bench = await makeBench();
  const { events } = await bench.exec("mock:usage");
  assert.deepEqual(events.at(-1)?.usage, {
    input_tokens: 12345,
    cached_input_tokens: 2345,
    cache_write_input_tokens: 0,
    output_tokens: 678,
    reasoning_output_tokens: 90,
  });
});

Deno.test("mock model fails a turn by an HTTP error and by a usage limit", async () => {
  await using bench = await makeBench();
  const error = await bench.exec("mock:http(400)");
  assert.deepEqual([error.code, error.events.at(-1)?.type], [1, "turn.failed"], error.stderr);
  const limit = await bench.exec("mock:limit(3600)");
  assert.deepEqual([limit.code, limit.events.at(-1)?.type], [1, "turn.failed"], limit.stderr);
  assert.match(JSON.stringify(limit.events.at(-1)), /usage limit/);
});

Deno.test("mock model cuts a stream once and then lets it through", async () => {
  await using bench = await makeBench();
  const { code, events, stderr } = await bench.exec("mock:cut(1)");
  assert.deepEqual([code, events.at(-1)?.type], [0, "turn.completed"], stderr);
  assert.ok(events.some((event) => event.type === "error"));
});

Deno.test("mock model sends huge messages whole", async () => {
  await using bench = await makeBench();
  assert.deepEqual(messages(await bench.exec("mock:huge(500000)")).map((text) => text?.length), [500_000]);
});

Deno.test("mock model follows a script inside the prompt", async () => {
  await using bench = await makeBench();
  const prompt = scripted({ shell: "echo one" }, { shell: ["echo two", "echo three"] }, { say: "inline done" });
  const types = completedItems(await bench.exec(prompt)).map((item) => item.type);
  assert.deepEqual(types, ["command_execution", "command_execution", "command_execution", "agent_message"]);
});

Deno.test("mock model goes on with its script after a compaction", async () => {
  await using bench = await makeBench();
  const prompt = scripted({ shell: "echo one", usage: { input: 1000 } }, { shell: "echo two" }, { say: "end" });
  const finished = await bench.exec("-c", "model_auto_compact_token_limit=500", prompt);
  const types = completedItems(finished).map((item) => item.type);
  assert.deepEqual(types, ["command_execution", "command_execution", "agent_message"], finished.stderr);
  assert.equal(bench.model.requests.length, 4);
});

Deno.test("mock model waits for a command in the background", async () => {
  await using bench = await makeBench();
  const prompt = scripted({ shell: "sleep 0.5; echo slept", shellArguments: { yield_time_ms: 250 } }, { say: "end" });
  const finished = await bench.exec("-m", "gpt-5.5", prompt);
  assert.deepEqual(completedItems(finished).map((item) => item.exit_code), [0, undefined], finished.stderr);
  assert.equal(bench.model.requests.length, 3);
});

Deno.test("mock model answers four threads at once", async () => {
  await using bench = await makeBench();
  const finished = await Promise.all([1, 2, 3, 4].map(() => bench.exec("--ephemeral", "mock:gather(4)")));
  assert.deepEqual(finished.map(messages), Array.from({ length: 4 }, () => ["gathered"]));
  assert.equal(bench.model.maxInFlight, 4);
});

Deno.test("mock model breaks off what hangs when it is disposed of", async () => {
  const model = await startMockModel();
  const opened = await ask(model, { prompt: "mock:hang(body)" });
  const both = Promise.allSettled([opened.text(), ask(model, { prompt: "mock:hang(headers)" })]);
  await model[Symbol.asyncDispose]();
  assert.deepEqual((await both).map(({ status }) => status), ["rejected", "rejected"]);
});

Deno.test("mock model lets a request through after it was released once", async () => {
  await using model = await startMockModel();
  const prompt = scripted({ hang: "headers", failTimes: 1, say: "through" });
  const broken = assert.rejects(ask(model, { prompt }));
  await (await ask(model, { prompt: "mock:gather(2)" })).text();
  model.releaseHanging();
  await broken;
  assert.match(await (await ask(model, { prompt })).text(), /through/);
});

function ask(model: MockModel, { prompt, key = "" }: { prompt: string; key?: string }): Promise<Response> {
  return fetch(`${model.baseUrl}/responses`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "any", input: prompt }),
  });
}
