import assert from "node:assert/strict";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { ServerProcess } from "../helpers/server_process.ts";
import { baseEnvironment } from "../helpers/swarm.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

Deno.test("a last line without its end is a message too", async () => {
  await using codex = await installFakeCodex();
  await using temp = await tempDirectory();
  await using process = new ServerProcess({
    args: ["--state-dir", `${temp.path}/state`, "--codex", codex.path],
    env: baseEnvironment(codex.home),
    cwd: temp.path,
  });
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw", version: "1" } };
  await process.sendBytes(
    new TextEncoder().encode(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params })),
  );
  await process.close();
  assert.deepEqual(process.received.map(({ id, error }) => ({ id, error })), [{ id: 1, error: undefined }]);
});
