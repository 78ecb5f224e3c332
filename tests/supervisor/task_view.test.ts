import assert from "node:assert/strict";
import { viewFinished, viewFollowed } from "../../src/supervisor/task_view.ts";
import { emptyProgress } from "../../src/task/progress.ts";
import { finish } from "../../src/task/transitions.ts";
import { hostYard } from "../helpers/host_yard.ts";

for (
  const { what, startedAt, expected } of [
    { what: "is queued", startedAt: undefined, expected: 1 },
    { what: "has begun to run since its place was looked up", startedAt: new Date(), expected: null },
  ]
) {
  Deno.test(`viewFollowed() gives ${expected === null ? "no place" : "the place"} in the queue for a task that ${what}`, async () => {
    await using yard = await hostYard();
    const followed = await yard.follow(startedAt);
    const looked = { queuePosition: 1, limitedUntil: null, silence: null, now: new Date() };
    assert.equal((await viewFollowed(followed, looked)).queuePosition, expected);
  });
}

for (const mayHaveAnswer of [true, false]) {
  const what = mayHaveAnswer ? "reads the events where" : "reads no events where nothing was said, even if";
  Deno.test(`viewFinished() ${what} the answer has no file of its own`, async () => {
    await using yard = await hostYard();
    const { task, directory } = await yard.follow(new Date());
    const item = { id: "item_0", type: "agent_message", text: "said" };
    await Deno.writeTextFile(directory.eventsFile, `${JSON.stringify({ type: "item.completed", item })}\n`);
    const outcome = { status: "completed", exitCode: 0, statusInferred: false } as const;
    const ended = finish(task, { at: new Date(), outcome, progress: emptyProgress(), mayHaveAnswer });
    assert.equal((await viewFinished(ended, directory)).answer, mayHaveAnswer ? "said" : null);
  });
}
