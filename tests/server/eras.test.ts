/** Clients of both eras of the protocol, and of both lines of the SDK. */
import assert from "node:assert/strict";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { connectOldClient } from "../helpers/old_client.ts";
import { ServerProcess } from "../helpers/server_process.ts";
import { baseEnvironment, startSwarm } from "../helpers/swarm.ts";
import { waitFor } from "../helpers/wait_for.ts";

Deno.test("clients of both eras and of both SDK lines are offered and answered the same", async () => {
  await using codex = await installFakeCodex();
  await using legacy = await startSwarm({ codex });
  await using modern = await startSwarm({ codex, era: "2026", stateDir: legacy.stateDir, cwd: legacy.cwd });
  await using process = new ServerProcess({
    args: ["--state-dir", legacy.stateDir, "--codex", codex.path],
    env: baseEnvironment(codex.home),
    cwd: legacy.cwd,
  });
  const old = await connectOldClient(process);
  const offers = [];
  for (const client of [legacy.client, modern.client, old]) {
    const { tools } = await client.listTools();
    const { resources } = await client.listResources();
    const { resourceTemplates } = await client.listResourceTemplates();
    const { prompts } = await client.listPrompts();
    offers.push({
      tools,
      resources,
      resourceTemplates,
      prompts,
      instructions: client.getInstructions(),
      name: client.getServerVersion()?.name,
    });
  }
  const [first, ...others] = offers;
  assert.deepEqual(first?.tools.map(({ name }) => name), [
    "codex",
    "codex_async",
    "codex_wait",
    "codex_status",
    "codex_cancel",
    "codex_reply",
    "codex-reply",
    "codex_diff",
    "codex_merge",
    "codex_restore",
    "codex_cleanup",
    "spawn_agent",
    "spawn_agent_async",
    "get_agent_status",
    "kill_agent",
    "list_running_agents",
    "list_agent_tasks",
    "spawn_agents_parallel",
    "list_agent_logs",
    "cleanup_old_logs",
  ]);
  for (const other of others) assert.deepEqual(other, first);

  await legacy.client.ping();
  await old.ping();
  await assert.rejects(modern.client.ping());

  const asked = { name: "codex", arguments: { prompt: "fake:say(hello)" } };
  const results = [await legacy.client.callTool(asked), await modern.client.callTool(asked), await old.callTool(asked)];
  for (const { structuredContent } of results) {
    assert.equal(JSON.parse(JSON.stringify(structuredContent)).content, "hello");
  }
  await old.close();
  assert.deepEqual([legacy.process, modern.process, process].flatMap(({ strayLines }) => strayLines), []);
});

Deno.test("initialize is answered in every older version of the protocol", async () => {
  await using swarm = await startSwarm();
  for (const protocolVersion of ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]) {
    await using process = new ServerProcess({
      args: ["--state-dir", swarm.stateDir, "--codex", swarm.codex.path],
      env: baseEnvironment(swarm.codex.home),
      cwd: swarm.cwd,
    });
    const params = { protocolVersion, capabilities: {}, clientInfo: { name: "raw", version: "1" } };
    await process.send({ jsonrpc: "2.0", id: 1, method: "initialize", params });
    const { result } = await answerTo(process, 1);
    assert.deepEqual([result.protocolVersion, result.serverInfo.name], [protocolVersion, "codex-swarm"]);
    assert.deepEqual(result.capabilities, {
      tools: {},
      resources: { subscribe: true },
      prompts: {},
      completions: {},
    });
    await process.send({ jsonrpc: "2.0", method: "notifications/initialized" });
    await process.send({ jsonrpc: "2.0", id: 2, method: "ping" });
    assert.deepEqual((await answerTo(process, 2)).result, {});
    await process.send({ jsonrpc: "2.0", id: 3, method: "tools/list" });
    assert.equal((await answerTo(process, 3)).result.tools.length, 20);
  }
});

// deno-lint-ignore no-explicit-any
async function answerTo(process: ServerProcess, id: number): Promise<any> {
  return await waitFor(() => process.received.find((message) => message["id"] === id), { message: `answer ${id}` });
}
