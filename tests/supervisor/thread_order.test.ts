import assert from "node:assert/strict";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { startSwarm } from "../helpers/swarm.ts";

Deno.test("replies to one thread through two servers at the same moment come one after the other", async () => {
  await using codex = await installFakeCodex();
  await using one = await startSwarm({ codex });
  const { stateDir, cwd } = one;
  await using other = await startSwarm({ codex, stateDir, cwd });
  const { structured: { threadId } } = await one.call("codex", { prompt: "fake:say(first)" });
  // The first call of a server takes longer than all others.
  await other.call("codex_reply", { threadId, prompt: "fake:say(second)" });
  const replies = await Promise.all(["a", "b", "c", "d"].map(async (word, index) => {
    const server = index % 2 === 0 ? one : other;
    return await server.call("codex_reply", { threadId, prompt: `fake:sleep(0.1) fake:say(${word})` });
  }));
  // Codex itself refuses a second writer of a thread.
  assert.deepEqual(replies.map(({ text }) => text).sort(), ["a", "b", "c", "d"]);
  assert.equal(codex.mostAtOnce(), 1);
});
