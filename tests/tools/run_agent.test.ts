import assert from "node:assert/strict";
import type { StopAnswer } from "../../src/supervisor/stop_task.ts";
import { awaitAgent } from "../../src/tools/run_agent.ts";
import { keptOf } from "../../src/tools/start_agent.ts";
import { codexAsync } from "../../src/tools/codex_async.ts";
import { writeExecutable } from "../helpers/executable.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { TASK, toolCall, toolServices } from "../helpers/tool_calls.ts";
import { waitFor } from "../helpers/wait_for.ts";

Deno.test("awaitAgent() tries again to stop the agent of a cancelled call when that fails", async () => {
  const cancelling = new AbortController();
  const ended = Promise.withResolvers<void>();
  const errors: string[] = [];
  const reasons: string[] = [];
  const services = toolServices({
    ended: () => ended.promise,
    stop(_id, reason): Promise<StopAnswer> {
      reasons.push(reason);
      if (reasons.length === 1) return Promise.reject(new Error("the disk is full"));
      ended.resolve();
      return Promise.resolve({ answer: "stopped", report: null });
    },
  }, errors);
  const waiting = awaitAgent(keptOf({ task: TASK }), toolCall({ signal: cancelling.signal }), services);
  cancelling.abort();
  await assert.rejects(waiting, /refused/);
  assert.deepEqual(reasons, ["cancelled", "cancelled"]);
  assert.deepEqual(errors, ["an agent could not be stopped for a moment"]);
});

Deno.test("awaitAgent() tries no more to stop an agent that has ended", async () => {
  const cancelling = new AbortController();
  const ended = Promise.withResolvers<void>();
  let tries = 0;
  const services = toolServices({
    ended: () => ended.promise,
    stop(): Promise<never> {
      tries++;
      ended.resolve();
      return Promise.reject(new Error("the disk is full"));
    },
  });
  const waiting = awaitAgent(keptOf({ task: TASK }), toolCall({ signal: cancelling.signal }), services);
  cancelling.abort();
  await assert.rejects(waiting, /refused/);
  assert.equal(tries, 1);
});

Deno.test("codex_async gives the id of the agent it started even when it cannot look at it", async () => {
  const { structured, text, isError } = await codexAsync.handle({ prompt: "go" }, toolCall(), toolServices({}));
  assert.match(text, /^Task ID: 0123abcd$/m);
  assert.notEqual(isError, true);
  assert.deepEqual(structured, {
    task_id: "0123abcd",
    status: "queued",
    cwd: "/repository",
    sandbox: { mode: "read-only", source: "call", network: null },
    lifetime: "detached",
    notes: ["a note"],
    next: 'Nothing will tell you when it ends: call codex_wait(task_ids=["0123abcd"]).',
  });
});

Deno.test({
  name: "a call that is cancelled before its agent was started starts none",
  ignore: Deno.build.os === "windows",
}, async () => {
  await using codex = await installFakeCodex();
  // The server asks for the version while it plans the first task.
  const path = `${codex.directory}/slow_codex`;
  const script = `#!/bin/sh
if [ "$1" = --version ]; then
  : >>"$0.asked"
  until [ -e "$0.go" ]; do sleep 0.02; done
fi
exec '${codex.path}' "$@"
`;
  writeExecutable(path, script);
  const isThere = (name: string): Promise<boolean> => Deno.stat(name).then(() => true, () => false);
  await using swarm = await startSwarm({ codex: { path, home: codex.home } });
  const cancelling = new AbortController();
  const { signal } = cancelling;
  const calls = ["codex", "codex_async"].map((name) => swarm.call(name, { prompt: "fake:say(no)" }, { signal }));
  await waitFor(() => isThere(`${path}.asked`), { message: "the server to ask for the version" });
  cancelling.abort();
  for (const call of calls) await assert.rejects(call);
  // What comes after a call's cancellation on the wire is read after it.
  await swarm.client.ping();
  const last = swarm.call("codex", { prompt: "fake:say(yes)" });
  await Deno.writeTextFile(`${path}.go`, "");
  assert.equal((await last).structured.content, "yes");
  assert.equal((await swarm.resource("tasks")).length, 1);
  assert.doesNotMatch(swarm.process.stderr, / ERROR /);
});

Deno.test("awaitAgent() names the agent that it cannot wait for, and how to find it again", async () => {
  const services = toolServices({ ended: () => Promise.reject(new Error("no files")) });
  await assert.rejects(awaitAgent({ id: TASK.id, lifetime: "detached" }, toolCall(), services), {
    name: "LostSight",
    message: "task 0123abcd, which may still be running, cannot be waited for: no files. " +
      'codex_wait(task_ids=["0123abcd"]) waits for it',
  });
});
