/** Telling the real Codex more while it works. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { codexOf, familyOf, survivors, uniqueSleep, untilRunning } from "../helpers/agent_processes.ts";
import { startBareCodex } from "../helpers/bare_codex.ts";
import { type RecordedRequest, scripted } from "../helpers/mock_model.ts";
import { startRealSwarm, turnContexts } from "../helpers/real_swarm.ts";
import { lookAt, waitForStatus, waitForTask } from "../helpers/tasks.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { waitFor } from "../helpers/wait_for.ts";

function conversation({ body }: RecordedRequest): string {
  return JSON.stringify(body.input);
}

const isWorking = ({ current_command }: { readonly current_command?: string }): boolean =>
  current_command !== undefined;

Deno.test("codex_reply to a thread that is being worked on comes after the turn, in the order of the calls", async () => {
  await using swarm = await startRealSwarm();
  const { model, home, cwd } = swarm;
  const id = await swarm.begin(
    scripted({ shell: "until [ -e go ]; do sleep 0.1; done" }, { say: "first", usage: { input: 1_000 } }),
    { sandbox: "workspace-write", model: "gpt-5.5" },
  );
  const { thread_id: threadId } = await waitForTask(swarm, id, isWorking);
  // Codex itself lets nobody else write to the thread meanwhile (control).
  await using bare = await startBareCodex("mock:hello", {
    model,
    home,
    cwd,
    sandbox: "read-only",
    resume: threadId,
  });
  assert.equal((await bare.ended).code, 1);
  const second = swarm.call("codex_reply", { threadId, prompt: "mock:say(second)", when: "after" });
  await waitForQueued(1);
  const third = swarm.call("codex_reply", { threadId, prompt: "mock:say(third)" });
  await waitForQueued(2);
  assert.equal(model.requests.length, 1);
  await Deno.writeTextFile(join(cwd, "go"), "");
  const replies = await Promise.all([second, third]);
  assert.deepEqual(replies.map(({ structured, isError }) => [structured.content, structured.threadId, isError]), [
    ["second", threadId, false],
    ["third", threadId, false],
  ]);
  assert.match(replies[0]?.structured.notes.join("\n"), new RegExp(`Starts when task ${id} has ended`));
  assert.equal((await lookAt(swarm, id)).answer, "first");
  const last = model.requests.at(-1);
  assert.ok(last !== undefined);
  for (const said of ["first", "mock:say(second)", "second", "mock:say(third)"]) {
    assert.ok(conversation(last).includes(said), said);
  }
  const kept = turnContexts(home, threadId).map(({ model, sandbox_policy }) => [model, sandbox_policy.type]);
  assert.deepEqual(kept, Array(3).fill(["gpt-5.5", "workspace-write"]));
  // What the thread has used is known when its turn has ended, not when the reply is asked for.
  const shares = replies.map(({ structured: { usage } }) => [
    usage.this_task.input_tokens,
    usage.thread_total.input_tokens,
  ]);
  assert.deepEqual(shares, [[100, 1_200], [100, 1_300]]);

  async function waitForQueued(count: number): Promise<void> {
    await waitFor(async () => {
      const { structured } = await swarm.call("codex_status");
      return structured.tasks.filter(({ status }: { readonly status: string }) => status === "queued").length === count;
    }, { message: `${count} replies to be queued` });
  }
});

for (const sandbox of ["workspace-write", "danger-full-access"]) {
  Deno.test(`codex_reply when=now breaks a command off in ${sandbox} and the same task goes on`, async () => {
    await using added = await tempDirectory();
    await using swarm = await startRealSwarm();
    const { model, home, cwd } = swarm;
    await Deno.mkdir(join(cwd, "inner"));
    const command = uniqueSleep();
    const id = await swarm.begin(
      scripted({ shell: "echo halfway" }, { shell: `${command}; echo slept` }, { say: "never said" }),
      { sandbox, model: "gpt-5.5", cwd: "inner", "reasoning-effort": "high", "add-dirs": [added.path] },
    );
    await untilRunning(command);
    const { thread_id: threadId } = await waitForTask(swarm, id, isWorking);
    const waiting = swarm.call("codex_wait", { task_ids: [id] });
    const asked = model.requests.length;
    const reply = await swarm.call("codex_reply", {
      threadId,
      prompt: `Rather this. ${scripted({ shell: `echo x >${added.path}/made` }, { say: "done instead" })}`,
      when: "now",
    });
    const { structured } = reply;
    assert.deepEqual(
      [structured.task_id, structured.threadId, structured.status, structured.content, structured.exit_code],
      [id, threadId, "completed", "done instead", 0],
    );
    assert.deepEqual((await waiting).structured.tasks.map(({ answer }: { readonly answer: string }) => answer), [
      "done instead",
    ]);
    assert.deepEqual([await survivors(command), await familyOf(id)], [[], []]);
    assert.equal(await Deno.readTextFile(join(added.path, "made")), "x\n");
    const next = model.requests[asked];
    assert.ok(next !== undefined);
    assert.match(next.prompt, /^Rather this\./);
    // The model hears of what it did before, and that its last call came to nothing.
    assert.ok(conversation(next).includes("halfway"));
    const broken = next.body.input.findLast(({ type }) =>
      type === "custom_tool_call_output" || type === "function_call_output"
    );
    assert.match(JSON.stringify(broken?.["output"]), /aborted/);
    assert.ok(!conversation(next).includes('output\\":\\"slept'));
    const contexts = turnContexts(home, threadId).map(({ cwd, model, sandbox_policy }) => [
      cwd,
      model,
      sandbox_policy.type,
    ]);
    assert.deepEqual(contexts, Array(2).fill([join(cwd, "inner"), "gpt-5.5", sandbox]));
    assert.deepEqual(new Set(model.requests.map(({ effort }) => effort)), new Set(["high"]));
    // Both runs of the task count.
    assert.equal(structured.usage.this_task.input_tokens, 100 * model.requests.length);
  });
}

Deno.test("codex_reply when=now reaches an agent that waits for its model, by whichever server", async () => {
  await using swarm = await startRealSwarm();
  const { model, home, cwd, stateDir } = swarm;
  await using other = await startRealSwarm({ model, home, cwd, stateDir });
  const id = await swarm.begin(scripted({ shell: "echo halfway" }, { hang: "body" }));
  await waitFor(() => model.requests.length === 2, { message: "the agent to hang" });
  const { thread_id: threadId } = await other.look(id);
  const { structured } = await other.call("codex_reply", { threadId, prompt: "mock:say(woken)", when: "now" });
  assert.deepEqual([structured.task_id, structured.content], [id, "woken"]);
  assert.equal((await swarm.look(id)).answer, "woken");
});

Deno.test("all that is told now at once is heard, in one turn or in several", async () => {
  await using swarm = await startRealSwarm();
  const { model } = swarm;
  const id = await swarm.begin("mock:hang(body)");
  await waitFor(() => model.requests.length === 1, { message: "the agent to hang" });
  const { thread_id: threadId } = await lookAt(swarm, id);
  const words = ["mock:say(one)", "mock:say(two)", "mock:say(three)"];
  const replies = await Promise.all(
    words.map((prompt) => swarm.call("codex_reply", { threadId, prompt, when: "now" })),
  );
  assert.deepEqual(replies.map(({ isError }) => isError), [false, false, false]);
  const last = model.requests.at(-1);
  assert.ok(last !== undefined);
  for (const word of words) assert.equal(conversation(last).split(word).length - 1, 1, word);
});

Deno.test("what was told now is heard when the server was killed before the turn was broken off", async () => {
  await using first = await startRealSwarm();
  const { model, home, cwd, stateDir } = first;
  const id = await first.begin(scripted({ shell: "echo halfway" }, { hang: "body" }), { sandbox: "workspace-write" });
  await waitFor(() => model.requests.length === 2, { message: "the agent to hang" });
  const { thread_id: threadId } = await lookAt(first, id);
  // It takes SIGKILL to end it, and so some seconds.
  Deno.kill((await codexOf(id)).pid, "SIGSTOP");
  const call = first.call("codex_reply", { threadId, prompt: "mock:say(heard)", when: "now" }).catch(() => undefined);
  await waitFor(async () => (await Deno.stat(join(stateDir, "tasks", id, "interrupt"))).isFile, { message: "the end" });
  first.process.kill("SIGKILL");
  await first.process.ended;
  await call;
  await using second = await startRealSwarm({ model, home, cwd, stateDir });
  const [task] = await second.ends(id);
  assert.deepEqual([task.status, task.answer, task.thread_id], ["completed", "heard", threadId]);
  assert.equal(model.requests.length, 3);
  const last = model.requests.at(-1);
  assert.ok(last !== undefined && conversation(last).includes("halfway"));
  const sandboxes = turnContexts(home, threadId).map(({ sandbox_policy }) => sandbox_policy.type);
  assert.deepEqual(sandboxes, ["workspace-write", "workspace-write"]);
});

Deno.test("codex_reply when=now to an agent that waits for a usage limit is heard when that has lifted", async () => {
  await using swarm = await startRealSwarm();
  const id = await swarm.begin(
    scripted({ shell: "echo halfway" }, { limit_account: { seconds: 4 }, say: "never said" }),
  );
  const { thread_id: threadId, waiting_until } = await waitForStatus(swarm, id, "waiting");
  const { structured } = await swarm.call("codex_reply", { threadId, prompt: "mock:say(told)", when: "now" });
  assert.deepEqual([structured.task_id, structured.content], [id, "told"]);
  const last = swarm.model.requests.at(-1);
  assert.ok(last !== undefined && last.startedAt >= new Date(waiting_until));
  assert.ok(conversation(last).includes("halfway"));
});
