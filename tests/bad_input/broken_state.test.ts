import assert from "node:assert/strict";
import { join } from "node:path";
import { RUN_FLAGS } from "../../.github/scripts/run_flags.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { assertNothingStarted } from "../helpers/nothing_started.ts";
import { MAIN } from "../helpers/server_process.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { waitForStatus } from "../helpers/tasks.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { tempRepo } from "../helpers/temp_repo.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";

Deno.test("a state directory that cannot be made is told in each call that needs it, and the server serves", async () => {
  await using temp = await tempDirectory();
  await using codex = await installFakeCodex();
  const file = join(temp.path, "file");
  Deno.writeTextFileSync(file, "");
  await using swarm = await startSwarm({ codex, stateDir: join(file, "state") });
  await swarm.client.ping();
  assert.ok((await swarm.client.listTools()).tools.length >= 7);
  for (const tool of ["codex", "codex_async"]) {
    const { text, isError } = await swarm.call(tool, { prompt: "go" });
    assert.match(text, /^Cannot write .*state.*: .*--state-dir/);
    assert.doesNotMatch(text, /fault of codex-swarm/);
    assert.equal(isError, true);
  }
  assert.equal((await swarm.call("codex_status")).text, "No tasks in this repository. all=true lists those of others.");
  assert.match((await swarm.call("codex_wait", { task_ids: ["ffffffff"] })).text, /NOT FOUND/);
  assert.equal(codex.ledger().length, 0);
  // And it works as soon as the directory can be made.
  Deno.removeSync(file);
  assert.equal((await swarm.call("codex", { prompt: "fake:say(hello)" })).structured.content, "hello");
});

Deno.test(
  { name: "a state directory that cannot be read is told in each call, and the server serves", ignore },
  async () => {
    await using stateDir = await tempDirectory();
    await using codex = await installFakeCodex();
    // A link to itself: nobody can open it, be it root.
    Deno.symlinkSync("tasks", join(stateDir.path, "tasks"));
    await using swarm = await startSwarm({ codex, stateDir: stateDir.path });
    await swarm.client.ping();
    for (const [tool, args] of [["codex", { prompt: "go" }], ["codex_status", {}]] as const) {
      const { text, isError } = await swarm.call(tool, args);
      assert.match(text, /^Cannot (write|read) .*--state-dir/);
      assert.doesNotMatch(text, /fault of codex-swarm/);
      assert.equal(isError, true);
    }
    assert.equal(codex.ledger().length, 0);
  },
);

/** The server with files of at most so many KiB for itself and all it starts: what a full disk looks like to a writer. */
function withFileLimit(kib: number): readonly [string, ...string[]] {
  // `ulimit -f` counts in halves of a KiB; without the trap the signal would end the writer instead.
  const script = `ulimit -f ${kib * 2}; trap '' XFSZ; exec "$@"`;
  return ["/bin/sh", "-c", script, "sh", Deno.execPath(), "run", "--quiet", ...RUN_FLAGS, MAIN];
}

Deno.test({
  name: "what cannot be written fails alone: a task leaves nothing, an agent ends, and the server goes on",
  ignore,
  async fn(): Promise<void> {
    await using codex = await installFakeCodex();
    await using swarm = await startSwarm({ codex, command: withFileLimit(64) });
    const refused = await swarm.call("codex", { prompt: `fake:say(hello) ${"x".repeat(200_000)}` });
    assert.match(
      refused.text,
      /^Cannot write .*: File too large.*Free some space or name another directory with --state-dir/,
    );
    assert.equal(refused.isError, true);
    assertNothingStarted(swarm, codex);

    const cut = await swarm.call("codex", { prompt: "fake:say(before) fake:huge(200000) fake:say(after)" });
    assert.equal(cut.isError, true);
    assert.deepEqual([cut.structured.status, cut.structured.content], ["failed", "before"]);

    assert.equal((await swarm.call("codex", { prompt: "fake:say(hello)" })).structured.content, "hello");
  },
});

Deno.test("an agent is ended when its client closes the connection in the middle of a call", async () => {
  await using codex = await installFakeCodex();
  await using stateDir = await tempDirectory();
  await using repo = await tempRepo();
  const options = { codex, stateDir: stateDir.path, cwd: repo.path };
  await using left = await startSwarm(options);
  const call = left.call("codex", { prompt: "fake:hold(never)" });
  // The answer may still come or not: nobody reads it.
  const answered = call.catch(() => null);
  await waitFor(() => codex.ledger().length > 0, { message: "the agent to start" });
  await left.process.closeInput();
  const { code } = await left.process.ended;
  await left.client.close();
  await answered;
  assert.equal(code, 0);
  assert.deepEqual(left.process.strayLines, []);
  assert.equal(codex.ledger()[0]?.exitCode, 1, "the agent was not ended gently");
  await using next = await startSwarm(options);
  const { structured } = await next.call("codex_status");
  assert.equal(structured.tasks.length, 1);
  const [task] = structured.tasks;
  assert.ok(["cancelled", "interrupted"].includes(task.status), task.status);
  await waitForStatus(next, task.task_id, task.status);
});
