/** Defects of codex-mcp-swarm in what it told Codex to do; the numbers are those of the project's list. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { findCodex } from "../../src/codex/find_codex.ts";
import { createLog } from "../../src/log.ts";
import { writeExecutable } from "../helpers/executable.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { listProcesses } from "../helpers/processes.ts";
import { startSwarm, type Swarm } from "../helpers/swarm.ts";
import { release, startTask, waitForTask } from "../helpers/tasks.ts";

interface Echo {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly stdin_bytes: number;
  readonly stdin_sha256: string;
}

/** Runs an agent that tells how it was started. */
async function echo(swarm: Swarm, tool: string, args: Readonly<Record<string, unknown>>): Promise<Echo> {
  const { text, structured, isError } = await swarm.call(tool, { prompt: "fake:echo_args", ...args });
  assert.equal(isError, false, text);
  return JSON.parse(await Deno.readTextFile(structured.answer_file));
}

function settings({ args }: Echo): string[] {
  return args.filter((_, index) => args[index - 1] === "-c");
}

Deno.test("agents are told what the call says", async (t) => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  await t.step("B3: a reply keeps its thread's sandbox, directory, model and settings", async () => {
    Deno.mkdirSync(join(swarm.cwd, "part"));
    const { structured } = await swarm.call("codex", {
      prompt: "fake:say(first)",
      cwd: "part",
      sandbox: "workspace-write",
      model: "gpt-6.1-luna",
      config: { model_verbosity: "low" },
      "developer-instructions": "Use tabs.",
    });
    const reply = await echo(swarm, "codex_reply", { threadId: structured.threadId });
    const cwd = join(swarm.cwd, "part");
    assert.deepEqual(reply.args.slice(0, 7), ["exec", "-s", "workspace-write", "-C", cwd, "-m", "gpt-6.1-luna"]);
    assert.equal(reply.cwd, cwd);
    for (const setting of ['model_verbosity="low"', 'developer_instructions="Use tabs."']) {
      assert.ok(settings(reply).includes(setting), `${setting} is missing: ${settings(reply)}`);
    }
  });

  await t.step("B4: an approval policy is answered by what it does, and never breaks a run", async () => {
    for (const policy of ["untrusted", "on-failure", "on-request"]) {
      const { structured, isError } = await swarm.call("codex", {
        prompt: "fake:echo_args",
        "approval-policy": policy,
      });
      assert.equal(isError, false);
      assert.match(structured.notes.join("\n"), new RegExp(`approval-policy "${policy}" has no effect: .*"never"`));
      assert.doesNotMatch(await Deno.readTextFile(structured.answer_file), /approval_policy/);
    }
    const { structured } = await swarm.call("codex", { prompt: "fake:say(hello)", "approval-policy": "never" });
    assert.doesNotMatch(structured.notes.join("\n"), /approval-policy/);
  });

  await t.step("B5: base instructions reach Codex through the setting that exists", async () => {
    const echoed = await echo(swarm, "codex", { "base-instructions": 'Be "brief".\n' });
    const [, file] = settings(echoed).map((text) => /^model_instructions_file=(.*)$/.exec(text)).find(Boolean) ?? [];
    assert.ok(file !== undefined, `no file of instructions: ${echoed.args}`);
    assert.equal(await Deno.readTextFile(JSON.parse(file)), 'Be "brief".\n');
    assert.ok(!settings(echoed).some((text) => text.startsWith("base_instructions")));
  });

  await t.step("B6: a prompt that looks like options is a prompt", async () => {
    const prompts = ["-hello", "--help", "-", "--", "--dangerously-bypass-approvals-and-sandbox"];
    const answers = await Promise.all(prompts.map((prompt) => swarm.call("codex", { prompt })));
    assert.deepEqual(
      answers.map(({ structured }) => structured.content),
      prompts.map((prompt) => `fake reply to: ${prompt}`),
    );
    assert.deepEqual(codex.ledger().slice(-prompts.length).map(({ args }) => args.at(-1)), prompts.map(() => "-"));
  });

  await t.step("B17: a text stays a text, though it looks like a list, a number or a table", async () => {
    const echoed = await echo(swarm, "codex", {
      "developer-instructions": "[1,2]",
      "compact-prompt": "true",
      config: { a: "1", b: 1, c: "{x=1}", d: { e: ["1", 2, false] }, f: 'say "hi"\n' },
    });
    const expected = [
      'a="1"',
      "b=1",
      'c="{x=1}"',
      'd.e=["1",2,false]',
      'f="say \\"hi\\"\\n"',
      'developer_instructions="[1,2]"',
      'compact_prompt="true"',
    ];
    for (const setting of expected) assert.ok(settings(echoed).includes(setting), `${setting}: ${settings(echoed)}`);
  });
});

Deno.test("B26: a prompt of 1 MB or 5 MB reaches the agent byte by byte, and no process's arguments", async () => {
  await using swarm = await startSwarm();
  for (const megabytes of [1, 5]) {
    const marker = crypto.randomUUID();
    const go = `go${megabytes}`;
    const odd = `- "double" 'single' \`back\` $HOME\r\n\té 🐝 \\n ${marker} fake:hold(${go}) fake:echo_args\n`;
    const prompt = `${odd}${"x".repeat(megabytes * 1_000_000)}\n\n`;
    const id = await startTask(swarm, prompt);
    await waitForTask(swarm, id, (task) => task.thread_id !== undefined);
    assert.deepEqual((await listProcesses()).filter(({ command }) => command.includes(marker)), []);
    await release(swarm, go);
    const { structured: { tasks: [task] } } = await swarm.call("codex_wait", { task_ids: [id] });
    const { stdin_bytes, stdin_sha256 }: Echo = JSON.parse(await Deno.readTextFile(task.answer_file));
    const bytes = new TextEncoder().encode(prompt);
    assert.deepEqual({ stdin_bytes, stdin_sha256 }, {
      stdin_bytes: bytes.length,
      stdin_sha256: createHash("sha256").update(bytes).digest("hex"),
    });
  }
});

Deno.test({
  name: "B32: Codex is found where only the login shell looks, and a path to it is taken as it is",
  ignore: Deno.build.os === "windows",
  async fn(): Promise<void> {
    await using codex = await installFakeCodex();
    const shell = join(dirname(codex.directory), "shell");
    writeExecutable(shell, `#!/bin/sh\nPATH='${codex.directory}':/usr/bin:/bin\nshift\neval "$1"\n`);
    const options = { env: { PATH: "/nowhere", SHELL: shell }, home: "/nowhere", log: createLog({ level: "ERROR" }) };
    const found = await findCodex(options);
    assert.deepEqual({ path: found.path, foundIn: found.foundIn }, {
      path: codex.path,
      foundIn: "the login shell's PATH",
    });
    const named = await findCodex({ ...options, configured: codex.path });
    assert.deepEqual({ path: named.path, foundIn: named.foundIn }, { path: codex.path, foundIn: "--codex" });
  },
});
