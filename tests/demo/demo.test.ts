import assert from "node:assert/strict";
import { join } from "node:path";
import { type FakeCodex, installFakeCodex } from "../helpers/fake_codex.ts";
import { isAlive } from "../helpers/processes.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { DEMO_AGENTS, type DemoAgent } from "./agents.ts";
import { runDemo } from "./run_demo.ts";

interface Shown {
  readonly exitCode: number;
  readonly text: string;
}

interface ShowOptions {
  readonly codex: FakeCodex;
  readonly agents?: readonly DemoAgent[];
  /** What happens when all agents have started; by default they go on from their pauses. */
  readonly onStarted?: () => void;
  readonly signal?: AbortSignal;
}

async function show({ codex, agents = DEMO_AGENTS, ...options }: ShowOptions): Promise<Shown> {
  await using directory = await tempDirectory();
  const go = join(directory.path, "go");
  let text = "";
  const write = (part: string): void => {
    text += part;
  };
  const screen = { isTerminal: false, width: 0, write };
  const onStarted = options.onStarted ?? ((): void => Deno.writeTextFileSync(go, ""));
  const [exitCode] = await Promise.all([
    runDemo({
      codex,
      pause: `fake:hold(${go})`,
      agents,
      screen,
      signal: options.signal ?? new AbortController().signal,
    }),
    waitFor(() => codex.ledger().length === agents.length, { message: "all agents to start", timeoutMs: 20_000 })
      .finally(onStarted),
  ]);
  return { exitCode, text };
}

const ignore = Deno.build.os === "windows";

Deno.test({
  name: "the demo shows three agents that work at the same time",
  ignore,
  async fn(): Promise<void> {
    await using codex = await installFakeCodex();
    const { exitCode, text } = await show({ codex });
    assert.equal(exitCode, 0, text);
    assert.equal(codex.mostAtOnce(), 3);
    assert.match(text, /Codex is SCRIPTED/);
    assert.match(text, /test_add\.sh checks three cases; all pass\./);
    assert.match(text, /\?\? CHANGELOG\.md\n\?\? USAGE\.md\n\?\? test_add\.sh\n/);
    assert.doesNotMatch(text, /did not work at the same time|failed/);
  },
});

Deno.test({
  name: "the demo ends with 1 when an agent fails",
  ignore,
  async fn(): Promise<void> {
    await using codex = await installFakeCodex();
    const [first, second] = DEMO_AGENTS;
    assert.ok(first !== undefined && second !== undefined);
    const { exitCode, text } = await show({
      codex,
      agents: [first, { ...second, script: ["", "fake:fail(no luck)"] }],
    });
    assert.equal(exitCode, 1);
    assert.match(text, /no luck/);
    assert.match(text, /1 of 2 agents failed\./);
  },
});

Deno.test({
  name: "the demo leaves no agent behind when it is interrupted",
  ignore,
  async fn(): Promise<void> {
    await using codex = await installFakeCodex();
    const interrupted = new AbortController();
    const { exitCode, text } = await show({ codex, onStarted: () => interrupted.abort(), signal: interrupted.signal });
    assert.equal(exitCode, 130, text);
    assert.deepEqual(await Promise.all(codex.ledger().map(({ pid }) => isAlive(pid))), [false, false, false]);
  },
});
