/** Telling the real Codex more while it is still starting: it records its prompt some time after it has begun its turn. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { RecordedRequest } from "../helpers/mock_model.ts";
import { startRealSwarm } from "../helpers/real_swarm.ts";
import { lookAt } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

function conversation({ body }: RecordedRequest): string {
  return JSON.stringify(body.input);
}

/** How far a run has come: its process is there, its thread is open, its turn has begun. */
const STAGES = ["process", "thread.started", "turn.started"] as const;

for (const stage of STAGES) {
  Deno.test(`all that is told now is heard once, be it as soon as the run before is as far as: ${stage}`, async () => {
    await using swarm = await startRealSwarm();
    const { model } = swarm;
    const id = await swarm.begin("mock:hang(body) zero");
    await waitFor(() => model.requests.length === 1, { message: "the agent to hang" });
    const { thread_id: threadId } = await lookAt(swarm, id);
    const words = ["mock:say(one)", "mock:say(two)", "mock:say(three)"];
    const replies: ReturnType<typeof swarm.call>[] = [];
    for (const [index, prompt] of words.entries()) {
      replies.push(swarm.call("codex_reply", { threadId, prompt, when: "now" }));
      await untilRun(swarm, { id, run: index + 2, stage });
    }
    assert.deepEqual((await Promise.all(replies)).map(({ isError }) => isError), [false, false, false]);
    const last = model.requests.at(-1);
    assert.ok(last !== undefined);
    for (const word of ["zero", ...words]) assert.equal(conversation(last).split(word).length - 1, 1, word);
  });

  Deno.test(`an ordinary reply is heard too when another one comes now as soon as it is as far as: ${stage}`, async () => {
    await using swarm = await startRealSwarm();
    const { model } = swarm;
    const { structured: { threadId } } = await swarm.call("codex", { prompt: "mock:say(zero)" });
    const ordinary = swarm.call("codex_reply", { threadId, prompt: "mock:say(one)" });
    const id = await waitFor(async () => {
      const { structured: { tasks } } = await swarm.call("codex_status");
      return tasks.find(({ status }: { readonly status: string }) => status === "running")?.task_id;
    }, { message: "the reply to run" });
    await untilRun(swarm, { id, run: 1, stage });
    const reply = await swarm.call("codex_reply", { threadId, prompt: "mock:say(two)", when: "now" });
    assert.deepEqual([(await ordinary).isError, reply.isError], [false, false]);
    const last = model.requests.at(-1);
    assert.ok(last !== undefined);
    for (const word of ["mock:say(one)", "mock:say(two)"]) {
      assert.equal(conversation(last).split(word).length - 1, 1, word);
    }
  });
}

/** Waits until a task's run is that far, or its task is over. */
async function untilRun(
  { stateDir }: { readonly stateDir: string },
  { id, run, stage }: { readonly id: string; readonly run: number; readonly stage: typeof STAGES[number] },
): Promise<void> {
  const read = (name: string): string => Deno.readTextFileSync(join(stateDir, "tasks", id, name));
  await waitFor(() => {
    if (/"status": "(completed|failed)"/.test(read("task.json"))) return true;
    if (!read("process").startsWith(`${run} `)) return false;
    const [, ofRun] = run === 1 ? ["", read("events.jsonl")] : read("events.jsonl").split(`"run":${run}}`);
    return stage === "process" || ofRun?.includes(stage);
  }, { message: `run ${run} to be as far as ${stage}` });
}
