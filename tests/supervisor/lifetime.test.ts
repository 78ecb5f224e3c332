import assert from "node:assert/strict";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { isAlive } from "../helpers/processes.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { lookAt, release, startTask, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

Deno.test("a client that leaves ends blocking agents, while detached ones are waited for by the next server", async () => {
  await using codex = await installFakeCodex();
  await using next = await startSwarm({ codex });
  const { stateDir, cwd } = next;
  let detached = "";
  const threads: string[] = [];
  for (const era of ["2025", "2026"] as const) {
    await using first = await startSwarm({ codex, stateDir, cwd, era });
    if (detached === "") detached = await startTask(first, "fake:hold(go) fake:say(still here) fake:usage(7,3)");
    const call = first.call("codex", { prompt: `fake:say(half) fake:hold(never ${era})`, label: "bound" });
    const { pid, threadId } = await waitFor(
      () => codex.ledger().find(({ prompt }) => prompt.includes(`never ${era}`)),
      { message: "the blocking agent to start" },
    );
    await waitFor(async () => {
      const { structured } = await next.call("codex_status");
      return structured.tasks.some((task: { readonly thread_id?: string }) => task.thread_id === threadId);
    }, { message: "its thread to be known" });
    threads.unshift(threadId ?? "");
    // Whether it is still answered is up to how fast the agent ends.
    const ended = call.catch(() => undefined);
    await first.process.closeInput();
    const { code } = await first.process.ended;
    await ended;
    assert.equal(code, 0);
    assert.equal(await isAlive(pid), false);
    assert.deepEqual(first.process.strayLines, []);
  }

  const running = await lookAt(next, detached);
  assert.equal(running.status, "running");
  const { structured: { tasks } } = await next.call("codex_status");
  const bound: readonly Readonly<Record<string, string>>[] = tasks.slice(1);
  assert.deepEqual(
    bound.map(({ status, label, thread_id }) => ({ status, label, thread_id })),
    threads.map((thread_id) => ({ status: "interrupted", label: "bound", thread_id })),
  );
  const { text } = await next.call("codex_status", { task_ids: [bound[0]?.["task_id"]] });
  assert.match(text, /^=== Task [0-9a-f]{8} \(INTERRUPTED after \d+s\) ===\n/);

  const wait = next.call("codex_wait", { task_ids: [detached] });
  await release(next, "go");
  const { structured } = await wait;
  const [{ status, exit_code, answer, usage }] = structured.tasks;
  assert.deepEqual([status, exit_code, answer, usage.this_task.input_tokens], ["completed", 0, "still here", 7]);
});

Deno.test("a signal ends the server as a leaving client does", async () => {
  await using codex = await installFakeCodex();
  await using next = await startSwarm({ codex });
  await using first = await startSwarm({ codex, stateDir: next.stateDir, cwd: next.cwd });
  const detached = await startTask(first, "fake:hold(go) fake:say(still here)");
  await waitForTask(first, detached, (task) => task.thread_id !== undefined);
  first.process.kill("SIGTERM");
  assert.equal((await first.process.ended).code, 0);
  await release(next, "go");
  const { structured } = await next.call("codex_wait", { task_ids: [detached] });
  assert.equal(structured.tasks[0].answer, "still here");
});
