/** What an agent is given that is told more while its run is still starting. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { listRollouts } from "../fixtures/fake_codex/threads.ts";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { release, startTask, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

/** How often a text stands in a file of a task; 0 while there is no such file. */
async function countIn(path: string, text: string): Promise<number> {
  return (await Deno.readTextFile(path).catch(() => "")).split(text).length - 1;
}

for (
  const { when, hold, isHeard } of [
    { when: "before its run has said anything", hold: "hold_start", isHeard: false },
    { when: "between the start of its turn and the record of it", hold: "hold_prompt", isHeard: false },
    { when: "when its prompt stands in the thread", hold: "hold", isHeard: true },
  ]
) {
  Deno.test(`an agent that is told more ${when} hears all of it once`, async () => {
    await using codex = await installFakeCodex();
    await using swarm = await startSwarm({ codex });
    const id = await startTask(swarm, "fake:say(half) fake:hold(never)");
    const { thread_id: threadId } = await waitForTask(swarm, id, (task) => task.answer === "half");
    const directory = join(swarm.stateDir, "tasks", id);
    const first = `fake:${hold}(go) fake:say(one)`;
    const second = "fake:say(two)";
    const replies = [swarm.call("codex_reply", { threadId, prompt: first, when: "now" })];
    await waitFor(
      async () =>
        await countIn(join(directory, "stderr.log"), "Reading prompt from stdin") === 2 &&
        (hold === "hold_start" || await countIn(join(directory, "events.jsonl"), "turn.started") === 2) &&
        (hold !== "hold" || await countIn(listRollouts(codex.home)[0]?.path ?? "", first) === 1),
      { message: "the next run to be as far" },
    );
    replies.push(swarm.call("codex_reply", { threadId, prompt: second, when: "now" }));
    await waitFor(async () => await countIn(join(directory, "events.jsonl"), '"run":3') === 1, {
      message: "a third run",
    });
    await release(swarm, "go");
    const answers = await Promise.all(replies);
    assert.deepEqual(answers.map(({ text, isError }) => [text, isError]), [["two", false], ["two", false]]);
    assert.equal(codex.ledger().at(-1)?.prompt, isHeard ? second : `${first}\n\n${second}`);
  });
}

Deno.test("an agent that is told more before its first prompt was recorded is given that again, with its images", async () => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  const image = join(swarm.cwd, "plan.png");
  await Deno.writeTextFile(image, "");
  const prompt = "fake:hold_prompt(go) fake:say(one)";
  const id = await startTask(swarm, prompt, { images: [image] });
  const { thread_id: threadId } = await waitForTask(swarm, id, (task) => typeof task.thread_id === "string");
  const events = join(swarm.stateDir, "tasks", id, "events.jsonl");
  const reply = swarm.call("codex_reply", { threadId, prompt: "fake:say(two)", when: "now" });
  await waitFor(async () => await countIn(events, '"run":2') === 1, { message: "another run" });
  await release(swarm, "go");
  assert.equal((await reply).text, "two");
  const last = codex.ledger().at(-1);
  assert.equal(last?.prompt, `${prompt}\n\nfake:say(two)`);
  assert.deepEqual(last?.args.slice(-6), ["resume", "--image", image, "--", threadId, "-"]);
});
