/** What becomes of agents of the real Codex when their server is killed. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { codexOf, familyOf, kindsOf, survivors, uniqueSleep, untilRunning } from "../helpers/agent_processes.ts";
import { scripted } from "../helpers/mock_model.ts";
import { type RealSwarm, startRealSwarm } from "../helpers/real_swarm.ts";
import { waitFor } from "../helpers/wait_for.ts";

async function killServer({ process }: RealSwarm): Promise<void> {
  process.kill("SIGKILL");
  await process.ended;
}

/** Another server on the same state, Codex home and model. */
function nextServer({ model, home, cwd, stateDir }: RealSwarm, args: readonly string[] = []): Promise<RealSwarm> {
  return startRealSwarm({ model, home, cwd, stateDir, args });
}

async function untilGone(taskId: string): Promise<void> {
  await waitFor(async () => (await familyOf(taskId)).length === 0, { message: `all of task ${taskId} to be gone` });
}

Deno.test("eight detached agents outlive their server, and the next one tells how each has ended", async () => {
  await using first = await startRealSwarm();
  const { cwd } = first;
  const ids = await Promise.all(Array.from({ length: 8 }, (_value, index) => {
    const wait = { shell: `until [ -e go_${index % 2} ]; do sleep 0.1; done; exit ${index}` };
    const usage = { input: 1_000 + index, cached: 10 * index, output: 20 + index };
    const end = index < 6 ? { say: `answer ${index}`, usage } : { status: 400, error: { message: `refused ${index}` } };
    return first.begin(scripted(wait, end), { label: `agent ${index}` });
  }));
  for (const id of ids) {
    await waitFor(async () => (await first.look(id)).current_command !== undefined, { message: "the command" });
  }
  await killServer(first);
  // One half ends while there is no server, the other one under the next.
  await Deno.writeTextFile(join(cwd, "go_0"), "");
  for (const [index, id] of ids.entries()) if (index % 2 === 0) await untilGone(id);
  await using second = await nextServer(first);
  const seen = await Promise.all(ids.map((id) => second.look(id)));
  assert.deepEqual(seen.map(({ status }) => status === "running"), ids.map((_id, index) => index % 2 === 1));
  await Deno.writeTextFile(join(cwd, "go_1"), "");
  const tasks = await second.ends(...ids);
  const told = tasks.map(({ label, status, exit_code, exit_code_lost, answer, last_command, usage, failure }) => ({
    label,
    status,
    exit_code,
    exit_code_lost,
    answer,
    command: last_command.exit_code,
    usage: usage?.this_task,
    failure: failure?.class,
  }));
  assert.deepEqual(
    told,
    ids.map((_id, index) => ({
      label: `agent ${index}`,
      status: index < 6 ? "completed" : "failed",
      exit_code: index < 6 ? 0 : 1,
      exit_code_lost: undefined,
      answer: index < 6 ? `answer ${index}` : undefined,
      command: index,
      // Two requests, of which the mock counts the first as 100 and 10.
      usage: index < 6
        ? {
          input_tokens: 1_100 + index,
          cached_input_tokens: 10 * index,
          output_tokens: 30 + index,
          reasoning_output_tokens: 0,
        }
        : undefined,
      failure: index < 6 ? undefined : "invalid_request",
    })),
  );
  // Nobody was started twice, and all that was started has gone.
  assert.equal(first.model.requests.length, 16);
  for (const id of ids) assert.deepEqual(await familyOf(id), []);
});

for (
  const { name, deaf, limitMs, leastMs } of [
    // Both count from the kill: a grace of 1 s, and 3 s or 6 s for the end.
    { name: "one that can end gently", deaf: false, limitMs: 4_000, leastMs: 1_000 },
    { name: "one that heeds no signal", deaf: true, limitMs: 7_000, leastMs: 5_000 },
  ]
) {
  Deno.test(`agents bound to a server that is killed are gone soon, with all that belongs to them: ${name}`, async () => {
    await using first = await startRealSwarm({ args: ["--orphan-grace", "1s"] });
    const commands = [uniqueSleep(), uniqueSleep(), uniqueSleep()];
    const [blocking, background, unbound] = commands.map((command) =>
      scripted({ shell: `trap '' INT TERM; ${command}; echo slept` })
    );
    assert.ok(blocking !== undefined && background !== undefined && unbound !== undefined);
    const call = first.call("codex", { prompt: blocking, sandbox: "workspace-write" }).catch(() => undefined);
    await first.call("spawn_agent_async", { prompt: background, sandbox: "danger-full-access" });
    const detached = await first.begin(unbound);
    await untilRunning(...commands);
    const tasks: { readonly task_id: string; readonly lifetime?: string }[] = await first.resource("tasks");
    const bound = tasks.map(({ task_id }) => task_id).filter((id) => id !== detached);
    assert.equal(bound.length, 2);
    let sandboxed = 0;
    for (const id of bound) {
      const kinds = kindsOf(await familyOf(id));
      assert.deepEqual([kinds.host, kinds.shell], [true, true]);
      if (kinds.sandbox) sandboxed++;
      // A stopped process is the deafest there is: it can do nothing about any signal but SIGKILL.
      if (deaf) Deno.kill((await codexOf(id)).pid, "SIGSTOP");
    }
    // The one in workspace-write; other systems have no bwrap.
    assert.equal(sandboxed, Deno.build.os === "linux" ? 1 : 0);
    const killed = performance.now();
    await killServer(first);
    await call;
    for (const id of bound) await untilGone(id);
    const tookMs = performance.now() - killed;
    assert.ok(tookMs >= leastMs && tookMs <= limitMs, `${tookMs} ms`);
    assert.deepEqual(await survivors(...commands), [commands[2]]);
    await using second = await nextServer(first);
    for (const id of bound) {
      const { status, stop_reason } = await second.look(id);
      assert.deepEqual([status, stop_reason], ["interrupted", "server_gone"]);
    }
    // What was not bound to it works on.
    assert.equal((await second.look(detached)).status, "running");
    await second.call("codex_cancel", { task_id: detached });
    assert.deepEqual(await survivors(...commands), []);
  });
}

Deno.test("an agent bound to a server that is killed lives on in the next server of the same directory", async () => {
  await using first = await startRealSwarm({ args: ["--orphan-grace", "3s"] });
  const { cwd } = first;
  const { structured: { task_id } } = await first.call("spawn_agent_async", {
    prompt: scripted({ shell: "until [ -e go ]; do sleep 0.1; done; exit 5" }, { say: "adopted" }),
  });
  await waitFor(async () => {
    const { structured } = await first.call("get_agent_status", { task_id });
    return structured.current_command !== undefined;
  }, { message: "the command" });
  const [{ task_id: id }] = await first.resource("tasks");
  await killServer(first);
  const killed = performance.now();
  await using second = await nextServer(first, ["--orphan-grace", "3s"]);
  // Longer than the grace: it is no orphan.
  await waitFor(() => performance.now() - killed > 4_500, { message: "the grace to be over" });
  assert.ok((await codexOf(id)).pid > 0);
  await Deno.writeTextFile(join(cwd, "go"), "");
  const [task] = await second.ends(id);
  assert.deepEqual([task.status, task.answer, task.exit_code], ["completed", "adopted", 0]);
  const { structured } = await second.call("get_agent_status", { task_id });
  assert.equal(structured.status, "completed");
});

Deno.test("tasks in the queue of a server that is killed are started once by those that are left", async () => {
  const one = ["--max-concurrent", "1"];
  await using first = await startRealSwarm({ args: one });
  const { cwd, model } = first;
  const running = await first.begin(
    scripted({ shell: "until [ -e go ]; do sleep 0.1; done" }, { say: "first", usage: { input: 500 } }),
  );
  await waitFor(async () => (await first.look(running)).current_command !== undefined, { message: "the command" });
  const queued = await Promise.all([1, 2, 3].map((number) => first.begin(`mock:usage(${number}0000)`)));
  const positions = await Promise.all(queued.map(async (id) => (await first.look(id)).queue_position));
  assert.deepEqual(positions.toSorted(), [1, 2, 3]);
  await killServer(first);
  await using second = await nextServer(first, one);
  await using third = await nextServer(first, one);
  await Deno.writeTextFile(join(cwd, "go"), "");
  const ends = await Promise.all([second, third].map((server) => server.ends(running, ...queued)));
  for (const tasks of ends) {
    assert.deepEqual(
      tasks.map(({ status, exit_code, usage }) => [status, exit_code, usage.this_task.input_tokens]),
      [["completed", 0, 600], ["completed", 0, 10_000], ["completed", 0, 20_000], ["completed", 0, 30_000]],
    );
  }
  const prompts = model.requests.slice(2).map(({ prompt }) => prompt);
  assert.deepEqual(prompts.toSorted(), ["mock:usage(10000)", "mock:usage(20000)", "mock:usage(30000)"]);
  assert.equal(model.maxInFlight, 1, "one slot over all servers");
});
