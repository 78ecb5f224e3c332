import assert from "node:assert/strict";
import { startSwarm } from "../helpers/swarm.ts";

Deno.test("codex answers with the final message and the thread id", async () => {
  await using swarm = await startSwarm();
  const { text, structured, isError } = await swarm.call("codex", { prompt: "fake:say(hello)" });
  const { threadId } = structured;
  assert.equal(
    text,
    `hello\n\n---\nThread ID: ${threadId}\nUse codex_reply(threadId="${threadId}", prompt="...") to continue this session.`,
  );
  assert.equal(structured.content, "hello");
  assert.equal(isError, false);
});
