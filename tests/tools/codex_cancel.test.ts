import assert from "node:assert/strict";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { isAlive } from "../helpers/processes.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { lookAt, startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";

Deno.test("codex_cancel stops a queued or running task and leaves an ended one as it is", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex, args: ["--max-concurrent", "1"] });
  const none = await swarm.call("codex_cancel", { task_id: "00000000" });
  assert.equal(none.text, 'Task 00000000: Task 00000000 not found\nCannot find task "00000000": there are none.');
  assert.equal(none.isError, true);
  const running = await startTask(swarm, "fake:say(half) fake:hold(never)", { label: "busy" });
  const queued = await startTask(swarm, "fake:say(never said)");
  await waitForTask(swarm, running, (task) => task.answer === "half");

  const first = await swarm.call("codex_cancel", { task_id: queued });
  assert.equal(first.text, `Task ${queued}: Task cancelled`);
  assert.equal(first.isError, false);
  const { status, exit_code, message, started_at, thread_id } = first.structured;
  assert.deepEqual({ status, exit_code, message, started_at, thread_id }, {
    status: "cancelled",
    exit_code: null,
    message: "Task cancelled",
    started_at: undefined,
    thread_id: undefined,
  });

  // Nothing ran, so that nobody could have seen an exit code.
  assert.equal(first.structured.exit_code_lost, undefined);
  assert.equal((await swarm.resource("tasks"))[1].exit_code_lost, false);

  const second = await swarm.call("codex_cancel", { task_id: running });
  assert.equal(second.text, `Task ${running}: Task cancelled`);
  assert.deepEqual([second.structured.status, second.structured.stop_reason], ["cancelled", "cancelled"]);
  assert.equal(second.structured.label, "busy");
  assert.equal(codex.ledger().length, 1);
  assert.equal(await isAlive(codex.ledger()[0]?.pid ?? 0), false);

  const ended = await startTask(swarm, "fake:say(done)");
  await waitForStatus(swarm, ended, "completed");
  const texts = [];
  for (const task_id of [running, ended]) texts.push((await swarm.call("codex_cancel", { task_id })).text);
  assert.deepEqual(texts, [`Task ${running}: Task already cancelled`, `Task ${ended}: Task already completed`]);
  assert.equal((await lookAt(swarm, ended)).status, "completed");

  const { text } = await swarm.call("codex_wait", { task_ids: [running, queued] });
  const [wordsOfRunning = "", wordsOfQueued = ""] = text.split("\n\n");
  assert.match(
    wordsOfRunning,
    /^=== Task [0-9a-f]{8} \(CANCELLED after \d+s\) ===\nThread ID: .*\nPartial output .*: half$/,
  );
  assert.match(wordsOfQueued, /^=== Task [0-9a-f]{8} \(CANCELLED after \d+s\) ===$/);

  const unknown = await swarm.call("codex_cancel", { task_id: "../x" });
  assert.match(
    unknown.text,
    /^Task \.\.\/x: Invalid task ID: \.\.\/x\nCannot find task "\.\.\/x": known tasks are [0-9a-f]{8}, [0-9a-f]{8}, [0-9a-f]{8}\.$/,
  );
  assert.equal(unknown.isError, true);
});

Deno.test("codex_cancel stops a task of another server", async () => {
  await using codex = await installFakeCodex();
  await using owner = await startSwarm({ codex });
  await using other = await startSwarm({ codex, stateDir: owner.stateDir, cwd: owner.cwd });
  const id = await startTask(owner, "fake:hold(never)");
  await waitForTask(owner, id, (task) => task.thread_id !== undefined);
  const { text } = await other.call("codex_cancel", { task_id: id });
  assert.equal(text, `Task ${id}: Task cancelled`);
  assert.equal(await isAlive(codex.ledger()[0]?.pid ?? 0), false);
  assert.equal((await lookAt(owner, id)).status, "cancelled");
});

Deno.test({
  name: "codex_cancel ends what an agent has left behind at its end",
  // Without a shim nobody could tell whose it was.
  ignore: Deno.build.os === "windows",
  async fn(): Promise<void> {
    await using swarm = await startSwarm();
    const { text, structured } = await swarm.call("codex", {
      prompt: "fake:spawn_child(1000) fake:say(done)",
      sandbox: "danger-full-access",
    });
    const words = "1 process outlived the agent; codex_cancel ends it";
    assert.deepEqual([structured.status, structured.left_behind], ["completed", words]);
    assert.ok(text.endsWith(`\nLeft behind: ${words}`), text);
    const { task_id } = structured;
    for (const name of ["codex_status", "codex_wait"]) {
      assert.match((await swarm.call(name, { task_ids: [task_id] })).text, new RegExp(`^Left behind: ${words}$`, "m"));
    }
    const cancels = [await swarm.call("codex_cancel", { task_id }), await swarm.call("codex_cancel", { task_id })];
    assert.deepEqual(cancels.map((cancel) => cancel.text), [
      `Task ${task_id}: Task already completed; what it had left behind is ended now (1 process)`,
      `Task ${task_id}: Task already completed`,
    ]);

    // What is ended with its task is not left behind, even while it is being ended.
    const stopped = await startTask(swarm, "fake:spawn_child(1000) fake:hold(never)", {
      sandbox: "danger-full-access",
    });
    await waitForTask(swarm, stopped, (task) => task.last_command !== undefined);
    const cancel = await swarm.call("codex_cancel", { task_id: stopped });
    assert.deepEqual([cancel.structured.status, cancel.structured.left_behind], ["cancelled", undefined]);
  },
});
