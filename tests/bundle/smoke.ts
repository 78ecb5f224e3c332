/** What must hold for the program in any form: as one bundled file, and as a compiled one. */
import assert from "node:assert/strict";
import manifest from "../../deno.json" with { type: "json" };
import { listTool } from "../../src/server/list_tool.ts";
import { tools } from "../../src/tools/mod.ts";
import { startSwarm, type SwarmOptions } from "../helpers/swarm.ts";

/** Talks to the program as a client does. Throws where it is not what the sources are. */
export async function smoke(command: NonNullable<SwarmOptions["command"]>): Promise<void> {
  await using swarm = await startSwarm({ command });
  assert.deepEqual(swarm.client.getServerVersion(), {
    name: "codex-swarm",
    title: "codex-swarm",
    version: manifest.version,
  });
  const { tools: listed } = await swarm.client.listTools();
  assert.deepEqual(listed, JSON.parse(JSON.stringify(tools.map(listTool))));

  const { structured, isError } = await swarm.call("codex", { prompt: "fake:run(echo built) fake:say(done)" });
  assert.deepEqual([structured.content, structured.status, isError], ["done", "completed", false]);

  const { permissions } = await swarm.resource("server-info");
  const granted = Object.entries(permissions).flatMap(([name, state]) => state === "granted" ? [name] : []);
  assert.deepEqual(granted, ["run", "read", "write", "env", "sys"]);
  assert.deepEqual(swarm.process.strayLines, []);
  await swarm.client.close();
  assert.equal((await swarm.process.ended).code, 0);
}
