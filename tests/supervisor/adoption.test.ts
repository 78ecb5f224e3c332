import assert from "node:assert/strict";
import { join } from "node:path";
import { noteStop, readNotedRun } from "../../src/process/run_files.ts";
import { addPrompt } from "../../src/storage/prompt_inbox.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { startSwarm, type Swarm, type SwarmOptions } from "../helpers/swarm.ts";
import { lookAt, release, startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

/** A server with one running and one queued detached task that ends and leaves both behind. */
async function leaveBehind(next: Swarm, queuedPrompt: string, parameters = {}): Promise<[string, string]> {
  const { codex, stateDir, cwd } = next;
  await using first = await startSwarm({ codex, stateDir, cwd, args: ["--max-concurrent", "1"] });
  const running = await startTask(first, "fake:hold(go) fake:say(first)");
  await waitForStatus(first, running, "running");
  return [running, await startTask(first, queuedPrompt, parameters)];
}

Deno.test("a queued task whose server is gone is started once by a server that looks at it", async () => {
  await using codex = await installFakeCodex();
  await using next = await startSwarm({ codex });
  const { stateDir, cwd } = next;
  await using third = await startSwarm({ codex, stateDir, cwd });
  const [running, queued] = await leaveBehind(next, "fake:say(second)", { sandbox: "workspace-write" });
  // All look at the same moment.
  const waits = [next, next, third, third].map((server) => server.call("codex_wait", { task_ids: [queued] }));
  for (const { structured } of await Promise.all(waits)) {
    const [{ status, answer, sandbox }] = structured.tasks;
    assert.deepEqual([status, answer, sandbox.mode], ["completed", "second", "workspace-write"]);
  }
  await release(next, "go");
  await next.call("codex_wait", { task_ids: [running] });
  assert.deepEqual(codex.ledger().map(({ prompt }) => prompt).sort(), [
    "fake:hold(go) fake:say(first)",
    "fake:say(second)",
  ]);
});

Deno.test("a queued task whose server is gone waits with one that finds no Codex for one that does", async () => {
  await using codex = await installFakeCodex();
  await using poor = await startSwarm({ codex: { path: join(codex.home, "missing"), home: codex.home } });
  const { stateDir, cwd } = poor;
  const [running, queued] = await leaveBehind({ ...poor, codex }, "fake:say(second)");
  const wait = poor.call("codex_wait", { task_ids: [running, queued] });
  await waitFor(() => /left to other servers/.test(poor.process.stderr), { message: "the task to be left" });
  assert.equal((await lookAt(poor, queued)).status, "queued");
  await using able = await startSwarm({ codex, stateDir, cwd });
  await release(able, "go");
  const { structured: { tasks } } = await wait;
  assert.deepEqual(tasks.map(({ answer }: { readonly answer: string }) => answer), ["first", "second"]);
});

Deno.test("a queued task whose variables went with its server says so instead of running without them", async () => {
  await using next = await startSwarm();
  const [, queued] = await leaveBehind(next, "fake:say(second)", { env: { MY_SETTING: "1" } });
  const { structured } = await next.call("codex_wait", { task_ids: [queued] });
  const [{ status, failure }] = structured.tasks;
  assert.equal(status, "failed");
  assert.match(failure.message, /values of MY_SETTING; start it again/);
  await release(next, "go");
});

Deno.test("a blocking call's queued task ends with the server that was killed", async () => {
  await using codex = await installFakeCodex();
  await using next = await startSwarm({ codex });
  const { stateDir, cwd } = next;
  let queued = "";
  {
    await using first = await startSwarm({ codex, stateDir, cwd, args: ["--max-concurrent", "1"] });
    const running = await startTask(first, "fake:hold(go)");
    await waitForStatus(first, running, "running");
    const call = first.call("codex", { prompt: "fake:say(never)", label: "bound" }).catch(() => undefined);
    queued = await waitFor(async () => {
      // By the other server: what that one sees is on disk.
      const { structured } = await next.call("codex_status");
      return structured.tasks.find(({ label }: { readonly label?: string }) => label === "bound")?.task_id;
    }, { message: "the blocking call's task" });
    first.process.kill("SIGKILL");
    await call;
  }
  const { status, stop_reason } = await lookAt(next, queued);
  assert.deepEqual([status, stop_reason], ["interrupted", "server_gone"]);
  await release(next, "go");
});

Deno.test("an agent whose shim was killed still runs, and its end is told from its events", async () => {
  await using swarm = await startSwarm();
  const id = await startTask(swarm, "fake:say(half) fake:hold(go) fake:say(whole)");
  const noted = await waitFor(() => readNotedRun(join(swarm.stateDir, "tasks", id)), { message: "the run to start" });
  await waitFor(async () => (await lookAt(swarm, id)).answer === "half", { message: "the agent to work" });
  Deno.kill(noted.shim.pid, "SIGKILL");
  assert.equal((await lookAt(swarm, id)).status, "running");
  await release(swarm, "go");
  const { structured } = await swarm.call("codex_wait", { task_ids: [id] });
  const [{ status, answer, exit_code, status_inferred }] = structured.tasks;
  assert.deepEqual([status, answer, exit_code, status_inferred], ["completed", "whole", null, true]);
});

Deno.test("an agent is told what came for it when the server was killed before its turn was broken off", async () => {
  await using codex = await installFakeCodex();
  await using next = await startSwarm({ codex });
  const { stateDir, cwd } = next;
  const id = await leaveHalf({ codex, stateDir, cwd });
  await addPrompt(join(stateDir, "tasks", id), "fake:say(told)");
  const { structured: { tasks: [task] } } = await next.call("codex_wait", { task_ids: [id] });
  assert.deepEqual([task.status, task.answer, task.exit_code], ["completed", "told", 0]);
  assert.deepEqual(codex.ledger().map(({ prompt, exitCode }) => [prompt, exitCode]), [
    ["fake:say(half) fake:hold(never)", 1],
    ["fake:say(told)", 0],
  ]);
});

Deno.test("a stop that was noted by somebody who did not live to carry it out is carried out by the next server", async () => {
  await using codex = await installFakeCodex();
  await using next = await startSwarm({ codex });
  const { stateDir, cwd } = next;
  const id = await leaveHalf({ codex, stateDir, cwd });
  await noteStop(join(stateDir, "tasks", id), "timeout");
  const { structured: { tasks: [task] } } = await next.call("codex_wait", { task_ids: [id] });
  assert.deepEqual([task.status, task.exit_code], ["timed_out", 1]);
});

/** Starts a task through a server that is killed when the agent has said half of what it has to say. */
async function leaveHalf(options: SwarmOptions): Promise<string> {
  await using first = await startSwarm(options);
  const id = await startTask(first, "fake:say(half) fake:hold(never)");
  await waitForTask(first, id, ({ answer }) => answer === "half");
  first.process.kill("SIGKILL");
  await first.process.ended;
  return id;
}
