import assert from "node:assert/strict";
import { RUN_FLAGS } from "../.github/scripts/run_flags.ts";
import { startHttpServer } from "./helpers/http_server.ts";
import { startSwarm } from "./helpers/swarm.ts";
import { assertAllClosed, prepareVisit, visitedSources, WAYS } from "./helpers/visit.ts";

Deno.test("a serving process reaches nobody and loads nothing foreign, says so, and all its tools work", async () => {
  await using visit = await prepareVisit(visitedSources(RUN_FLAGS));
  await using swarm = await startSwarm(visit);
  const { structured: first } = await swarm.call("codex", { prompt: "fake:say(one)" });
  const { structured: second } = await swarm.call("codex_reply", { threadId: first.threadId, prompt: "fake:say(two)" });
  const alias = { conversationId: first.threadId, prompt: "fake:say(three)" };
  const { structured: third } = await swarm.call("codex-reply", alias);
  const { structured: started } = await swarm.call("codex_async", { prompt: "fake:hold(never)" });
  const { structured: status } = await swarm.call("codex_status", { task_ids: [started.task_id] });
  const { structured: cancelled } = await swarm.call("codex_cancel", { task_id: started.task_id });
  const { structured: waited } = await swarm.call("codex_wait", { task_ids: [started.task_id] });
  assert.deepEqual([first, second, third].map(({ content }) => content), ["one", "two", "three"]);
  assert.equal(status.tasks.length, 1);
  assert.deepEqual([cancelled.status, waited.tasks[0].status], ["cancelled", "cancelled"]);
  assert.deepEqual((await swarm.resource("server-info")).permissions, {
    run: "granted",
    read: "granted",
    write: "granted",
    env: "granted",
    sys: "granted",
    net: "denied",
    ffi: "denied",
    import: "denied",
  });

  assertAllClosed(await visit.tryAll());
});

Deno.test("a server over HTTP can be called, and can call nobody", async () => {
  await using visit = await prepareVisit(visitedSources(RUN_FLAGS));
  await using server = await startHttpServer(visit);
  assertAllClosed(await visit.tryAll());
  for (const era of ["2025", "2026"] as const) {
    await using client = await server.connect({ era });
    const { structured } = await client.call("codex", { prompt: "fake:say(called)" });
    assert.equal(structured.content, "called");
  }
});

Deno.test("the same ways are open when nothing is revoked or denied (control)", async () => {
  await using visit = await prepareVisit(
    visitedSources(RUN_FLAGS.map((flag) => flag.replace("--deny-", "--allow-"))),
  );
  await using _swarm = await startSwarm({ ...visit, env: { ...visit.env, TRY_KEEP: "1" } });
  assert.deepEqual(await visit.tryAll(), Object.fromEntries(WAYS.map((way) => [way, "open"])));
  assert.ok(visit.arrived() > 0);
});
