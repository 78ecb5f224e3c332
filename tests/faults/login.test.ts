import assert from "node:assert/strict";
import { serversYard } from "../helpers/servers_yard.ts";
import { lookAt, startTask } from "../helpers/tasks.ts";

Deno.test("F27: agents share one login; a refused one is told with the way out, not tried again, and holds nobody up", async () => {
  await using yard = await serversYard();
  await using swarm = await yard.start({ args: ["--max-concurrent", "1"] });
  const prompts = [
    "fake:fail(unexpected status 401 Unauthorized: Missing bearer or basic authentication in header)",
    "fake:echo_args",
    "fake:fail(Your access token could not be refreshed because your refresh token was already used. Please log out and sign in again.)",
  ];
  const ids = await Promise.all(prompts.map((prompt) => startTask(swarm, prompt)));
  await swarm.call("codex_wait", { task_ids: ids });
  const [first, second, third] = await Promise.all(ids.map((id) => lookAt(swarm, id)));
  for (const { status, failure } of [first, third]) {
    assert.deepEqual([status, failure.class, failure.retryable], ["failed", "authentication", false]);
    assert.match(failure.action, /codex login/);
  }
  assert.equal(JSON.parse(second.answer).env.CODEX_HOME, yard.codex.home);
  assert.equal(yard.codex.ledger().length, prompts.length);
});
