/** Defects of codex-mcp-swarm in how it spoke MCP; the numbers are those of the project's list. */
import assert from "node:assert/strict";
import { startSwarm } from "../helpers/swarm.ts";
import { release, startTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

Deno.test("the protocol is spoken as it is written", async (t) => {
  await using swarm = await startSwarm();
  await t.step("B14: a ping is answered, and a notification is not", async () => {
    const before = swarm.process.received.length;
    for (const method of ["notifications/initialized", "notifications/cancelled", "notifications/unheard_of"]) {
      await swarm.process.send({ jsonrpc: "2.0", method, params: { requestId: "none" } });
    }
    await swarm.process.send({ jsonrpc: "2.0", id: "mine", method: "ping" });
    await swarm.client.ping();
    const [answer, ...others] = swarm.process.received.slice(before);
    assert.deepEqual(answer, { jsonrpc: "2.0", id: "mine", result: {} });
    assert.equal(others.length, 1);
  });

  await t.step("B15: a client of the older era is served in the newest protocol it knows", () => {
    assert.equal(swarm.client.getNegotiatedProtocolVersion(), "2025-11-25");
  });

  await t.step("B16: arguments of the wrong kind are refused by name before anything is done", async () => {
    const refused = [
      await swarm.call("codex_wait", { task_ids: "abc" }),
      await swarm.call("codex", {}),
      await swarm.call("codex", { prompt: "go", sandbox: 1 }),
    ];
    assert.deepEqual(refused.map(({ isError }) => isError), [true, true, true]);
    assert.deepEqual(refused.map(({ text }) => /^Cannot call \w+: (\S+):/.exec(text)?.[1]), [
      "task_ids",
      "prompt",
      "sandbox",
    ]);
    assert.deepEqual((await swarm.call("codex_status")).structured.tasks, []);
  });

  await t.step("B28: every tool says what it does, so that clients run those side by side that only read", async () => {
    const { tools } = await swarm.client.listTools();
    for (const { name, annotations, outputSchema } of tools) {
      const hints = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] as const;
      for (const hint of hints) assert.equal(typeof annotations?.[hint], "boolean", `${name} has no ${hint}`);
      assert.equal(outputSchema?.type, "object", `${name} has no output schema`);
    }
    const readers = tools.filter(({ annotations }) => annotations?.readOnlyHint === true).map(({ name }) => name);
    assert.deepEqual(readers.sort(), [
      ...["codex_diff", "codex_status", "codex_wait", "get_agent_status", "list_agent_logs"],
      ...["list_agent_tasks", "list_running_agents"],
    ]);
  });

  await t.step("B33: no progress follows an answer on the wire, nor a cancelled call", async () => {
    const { received } = swarm.process;
    const call = (id: string, name: string, args: object): Promise<void> =>
      swarm.process.send({
        jsonrpc: "2.0",
        id,
        method: "tools/call",
        params: { name, arguments: args, _meta: { progressToken: id } },
      });
    const quick = Array.from({ length: 8 }, (_, index) => `quick${index}`);
    for (const id of quick) await call(id, "codex", { prompt: "fake:say(hello)" });
    const held = await startTask(swarm, "fake:hold(go)");
    await call("wait", "codex_wait", { task_ids: [held] });
    await waitFor(() => messagesAbout(received, "wait").length > 0, { message: "the first progress of the wait" });
    const cancelled = { requestId: "wait", reason: "enough" };
    await swarm.process.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: cancelled });
    await swarm.client.ping();
    const atCancel = messagesAbout(received, "wait");
    await release(swarm, "go");
    await swarm.call("codex_wait", { task_ids: [held] });
    await waitFor(() => quick.every((id) => messagesAbout(received, id).includes("answer")), {
      message: "all answers",
    });
    await swarm.client.ping();
    for (const id of quick) {
      const messages = messagesAbout(received, id);
      assert.ok(messages.length > 1, "there was no progress at all");
      assert.equal(messages.indexOf("answer"), messages.length - 1, `${id}: ${messages}`);
    }
    assert.deepEqual(messagesAbout(received, "wait"), atCancel);
  });
});

Deno.test("B15: a client of the newer era is served in its protocol", async () => {
  await using swarm = await startSwarm({ era: "2026" });
  assert.equal(swarm.client.getNegotiatedProtocolVersion(), "2026-07-28");
  const { structured } = await swarm.call("codex", { prompt: "fake:say(hello)" });
  assert.equal(structured.content, "hello");
});

/** Numbers and words of the messages about one request, in the order of the wire: `progress`, `answer`. */
function messagesAbout(received: readonly Record<string, unknown>[], id: unknown): string[] {
  return received.flatMap((message) => {
    if (message["id"] === id && "result" in message) return ["answer"];
    const token: unknown = Reflect.get(Object(message["params"]), "progressToken");
    return message["method"] === "notifications/progress" && token === id ? ["progress"] : [];
  });
}

Deno.test("B34: settings of the server that look like secrets are masked where it shows them", async () => {
  const secrets = ["sk-verysecret", "hunter2", "Bearer abc.def"];
  const args = [
    `model_providers.x.http_headers.Authorization="${secrets[2]}"`,
    `api_key=${secrets[0]}`,
    `mcp_servers.db.env.DB_PASSWORD="${secrets[1]}"`,
    `note=${secrets[0]}`,
    "model=gpt-6.1-sol",
  ].flatMap((setting) => ["-c", setting]);
  await using swarm = await startSwarm({ args });
  const config = await swarm.resource("config");
  assert.deepEqual(config.server_config, {
    "model_providers.x.http_headers.Authorization": "***",
    "api_key": "***",
    "mcp_servers.db.env.DB_PASSWORD": "***",
    "note": "***",
    "model": "gpt-6.1-sol",
  });
  for (const name of ["server-info", "tasks"]) {
    const text = JSON.stringify(await swarm.resource(name));
    for (const secret of secrets) assert.ok(!text.includes(secret), `${name} shows ${secret}`);
  }
});
