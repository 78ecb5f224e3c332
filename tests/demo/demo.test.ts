import assert from "node:assert/strict";
import { join } from "node:path";
import { type FakeCodex, installFakeCodex } from "../helpers/fake_codex.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { DEMO_AGENTS, type DemoAgent } from "./agents.ts";
import { runDemo } from "./run_demo.ts";

interface Shown {
  readonly exitCode: number;
  readonly text: string;
}

/** Runs the demo whose agents go on from their pauses when all of them have started. */
async function show(codex: FakeCodex, agents: readonly DemoAgent[] = DEMO_AGENTS): Promise<Shown> {
  await using directory = await tempDirectory();
  const go = join(directory.path, "go");
  let text = "";
  const write = (part: string): void => {
    text += part;
  };
  const screen = { isTerminal: false, width: 0, write };
  const [exitCode] = await Promise.all([
    runDemo({ codex, pause: `fake:hold(${go})`, agents, screen }),
    waitFor(() => codex.ledger().length === agents.length, { message: "all agents to start", timeoutMs: 20_000 })
      .finally(() => Deno.writeTextFile(go, "")),
  ]);
  return { exitCode, text };
}

const ignore = Deno.build.os === "windows";

Deno.test({
  name: "the demo shows three agents that work at the same time",
  ignore,
  async fn(): Promise<void> {
    await using codex = await installFakeCodex();
    const { exitCode, text } = await show(codex);
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
    const { exitCode, text } = await show(codex, [first, { ...second, script: ["", "fake:fail(no luck)"] }]);
    assert.equal(exitCode, 1);
    assert.match(text, /no luck/);
    assert.match(text, /1 of 2 agents failed\./);
  },
});
