import assert from "node:assert/strict";
import { join } from "node:path";
import { writeExecutable } from "../helpers/executable.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { assertNothingStarted } from "../helpers/nothing_started.ts";
import { release, startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";
import { startSwarm } from "../helpers/swarm.ts";

// Programs made of a line of shell.
const ignore = Deno.build.os === "windows";

interface Row {
  readonly name: string;
  /** Puts something unusable in the place of Codex. */
  readonly spoil: (path: string) => Promise<void>;
  readonly message: RegExp;
}

function program(text: string, mode = 0o755): Row["spoil"] {
  return async (path) => {
    writeExecutable(path, text);
    await Deno.chmod(path, mode);
  };
}

const ROWS: readonly Row[] = [
  {
    name: "missing",
    spoil: () => Promise.resolve(),
    message: /^Cannot use --codex .*spoiled: there is no such file\. .*npm install/,
  },
  {
    name: "not executable",
    spoil: program("#!/bin/sh\n", 0o644),
    message: /^Cannot use --codex .*: it is not executable\. .*npm install/,
  },
  {
    name: "crashing at its first question",
    spoil: program("#!/bin/sh\necho 'libssl is missing' >&2\nexit 3\n"),
    message: /^Cannot use the Codex at .*spoiled: `--version` ended with exit code 3: libssl is missing\. Reinstall it/,
  },
  {
    name: "no program for this machine",
    spoil: program("\x7fELF nonsense"),
    message: /^Cannot use the Codex at .*spoiled: `--version` /,
  },
  {
    name: "another program of that name",
    spoil: program("#!/bin/sh\necho hello\n"),
    message: /^Cannot use the Codex at .*spoiled: `--version` .*hello/,
  },
  {
    name: "a directory",
    spoil: async (path) => {
      await Deno.remove(path);
      await Deno.mkdir(path);
    },
    message: /^Cannot use --codex .*: it is no file\. .*npm install/,
  },
];

Deno.test({
  name: "F26: a Codex that cannot be used is told in each call, and used as soon as it is repaired",
  ignore,
  async fn(t): Promise<void> {
    await using codex = await installFakeCodex();
    const path = join(codex.directory, "spoiled");
    await using swarm = await startSwarm({ codex: { path, home: codex.home } });
    for (const { name, spoil, message } of ROWS) {
      await t.step(name, async () => {
        await spoil(path);
        for (const tool of ["codex", "codex_async"]) {
          const { text, isError } = await swarm.call(tool, { prompt: "go" });
          assert.match(text, message);
          assert.doesNotMatch(text, /fault of codex-swarm/);
          assert.equal(isError, true);
        }
        assertNothingStarted(swarm, codex);
      });
    }
    await t.step("repaired", async () => {
      await Deno.remove(path);
      await Deno.symlink(codex.path, path);
      const { text, structured, isError } = await swarm.call("codex", { prompt: "fake:say(hello)" });
      assert.equal(isError, false, text);
      assert.equal(structured.content, "hello");
    });
    await t.step("taken away, and put back", async () => {
      await Deno.rename(codex.path, `${codex.path}.away`);
      const runs = codex.ledger().length;
      const { text, isError } = await swarm.call("codex", { prompt: "fake:say(hello)" });
      assert.match(text, /^Cannot use --codex .*: there is no such file\. /);
      assert.deepEqual({ isError, runs: codex.ledger().length }, { isError: true, runs });
      await Deno.rename(`${codex.path}.away`, codex.path);
      assert.equal((await swarm.call("codex", { prompt: "fake:say(again)" })).structured.content, "again");
    });
  },
});

Deno.test({
  name: "a Codex that is updated while the server runs is used as what it is now",
  ignore,
  async fn(): Promise<void> {
    await using codex = await installFakeCodex();
    await using swarm = await startSwarm({ codex });
    const refused = async (): Promise<string> =>
      (await swarm.call("codex", { prompt: "go", "output-schema": { type: "object" } })).text;
    const text = await Deno.readTextFile(codex.path);
    const withoutFlag = text.replace("exec cat", "exec grep -v -e --output-schema");
    assert.notEqual(withoutFlag, text);
    writeExecutable(codex.path, withoutFlag);
    assert.match(await refused(), /^Codex 0\.169\.0 has no --output-schema in `codex exec`/);

    await Deno.remove(codex.path);
    writeExecutable(codex.path, text.replaceAll("0.169.0", "0.170.1"));
    const { structured, isError } = await swarm.call("codex", {
      prompt: "fake:say({})",
      "output-schema": { type: "object" },
      "approval-policy": "on-request",
    });
    assert.equal(isError, false);
    assert.match(structured.notes.join("\n"), /codex exec 0\.170\.1 always runs/);
  },
});

Deno.test({
  name: "a Codex that is taken away while a task is queued fails the task",
  ignore,
  async fn(): Promise<void> {
    await using codex = await installFakeCodex();
    await using swarm = await startSwarm({ codex, args: ["--max-concurrent", "1"] });
    const first = await startTask(swarm, "fake:hold(go)");
    await waitForTask(swarm, first, (task) => task.thread_id !== undefined);
    const second = await startTask(swarm, "fake:say(hello)");
    await Deno.rename(codex.path, `${codex.path}.away`);
    await release(swarm, "go");
    const failed = await waitForStatus(swarm, second, "failed");
    assert.equal(failed.exit_code, 127);
  },
});

Deno.test("F26: a Codex that is in no folder of PATH is told with the folders that were tried", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex: { path: "codex-that-is-nowhere", home: codex.home } });
  const { text, isError } = await swarm.call("codex", { prompt: "go" });
  assert.match(text, /^Cannot find --codex codex-that-is-nowhere: tried .*, .*npm install/);
  assert.equal(isError, true);
  assertNothingStarted(swarm, codex);
});

Deno.test("F26: a Codex that is too old is told with both versions and how to update it", async () => {
  await using codex = await installFakeCodex({ version: "0.40.0" });
  await using swarm = await startSwarm({ codex });
  const { text, isError } = await swarm.call("codex", { prompt: "go" });
  assert.match(
    text,
    /^Cannot use this Codex: found 0\.40\.0 at .*, 0\.46\S* or newer is needed\. Update it with `npm install/,
  );
  assert.equal(isError, true);
  assertNothingStarted(swarm, codex);
});
