/** What is told of agents of the real Codex that are silent. */
import assert from "node:assert/strict";
import { codexOf, survivors, uniqueSleep, untilRunning } from "../helpers/agent_processes.ts";
import { scripted } from "../helpers/mock_model.ts";
import { startRealSwarm } from "../helpers/real_swarm.ts";
import { waitForStatus, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

const SOON = ["--stall-after", "1"];

for (const sandbox of ["read-only", "danger-full-access"]) {
  Deno.test(`an agent whose command is silent runs a command, and is told as stalled, in ${sandbox}`, async () => {
    await using swarm = await startRealSwarm({ args: SOON });
    const command = uniqueSleep();
    const id = await swarm.begin(scripted({ shell: `${command}; echo slept` }), { sandbox });
    const task = await waitForTask(swarm, id, ({ stalled }) => stalled === true);
    assert.match(
      task.silence,
      /^silent \d+ s; running a command \(process sleeping\); stalled: no CPU time used, no files changed$/,
    );
    assert.deepEqual([task.status, await survivors(command)], ["running", [command]]);
    await swarm.call("codex_cancel", { task_id: id });
  });
}

for (
  const { what, command } of [
    { what: "uses CPU time", command: "while ! [ -e go ]; do :; done" },
    { what: "changes files", command: "while ! [ -e go ]; do : >changed; sleep 0.5; done" },
  ]
) {
  Deno.test(`an agent whose command ${what} in silence is not stalled`, async () => {
    await using swarm = await startRealSwarm({ args: SOON });
    const id = await swarm.begin(scripted({ shell: command }, { say: "done" }), { sandbox: "workspace-write" });
    const silent = await waitForTask(swarm, id, ({ silence }) => /^silent ([4-9]|\d\d) s/.test(silence ?? ""));
    assert.match(silent.silence, /^silent \d+ s; running a command \(process \S+\)$/);
    assert.equal(silent.stalled, undefined);
    await swarm.call("codex_cancel", { task_id: id });
  });
}

Deno.test("an agent whose model does not answer waits for it or hangs, and goes on when it comes back", async () => {
  await using swarm = await startRealSwarm({ args: SOON });
  const id = await swarm.begin(scripted({ hang: "body", failTimes: 1, say: "back again" }));
  const { silence } = await waitForTask(swarm, id, ({ stalled }) => stalled === true);
  assert.match(silence, /^silent \d+ s; waiting for the model or hung, cannot tell \(process sleeping\); stalled/);
  swarm.model.releaseHanging();
  const [task] = await swarm.ends(id);
  assert.deepEqual([task.status, task.answer, task.silence, task.stalled], [
    "completed",
    "back again",
    undefined,
    undefined,
  ]);
});

Deno.test({
  name: "an agent that was stopped by a signal is told as such",
  ignore: Deno.build.os !== "linux",
  async fn(): Promise<void> {
    await using swarm = await startRealSwarm({ args: SOON });
    const id = await swarm.begin("mock:hang(body)");
    await waitFor(() => swarm.model.requests.length === 1, { message: "the agent to hang" });
    Deno.kill((await codexOf(id)).pid, "SIGSTOP");
    const { silence } = await waitForTask(swarm, id, ({ silence }) => /stopped/.test(silence ?? ""));
    assert.match(silence, /waiting for the model or hung, cannot tell \(process stopped\)/);
    // It can only be killed then.
    const { structured } = await swarm.call("codex_cancel", { task_id: id });
    assert.deepEqual([structured.status, structured.exit_code], ["cancelled", 137]);
  },
});

Deno.test("--stall-action stop ends an agent in which nothing moves, and all that belongs to it", async () => {
  await using swarm = await startRealSwarm({ args: [...SOON, "--stall-action", "stop"] });
  const command = uniqueSleep();
  const id = await swarm.begin(scripted({ shell: `${command}; echo slept` }), { sandbox: "danger-full-access" });
  await untilRunning(command);
  const { stop_reason, failure, thread_id } = await waitForStatus(swarm, id, "failed");
  assert.deepEqual([stop_reason, failure.class, await survivors(command)], ["stalled", "timeout", []]);
  const reply = await swarm.call("codex_reply", { threadId: thread_id, prompt: "mock:hello" });
  assert.equal(reply.structured.content, "hello from the mock");
});
