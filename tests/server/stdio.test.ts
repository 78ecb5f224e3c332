import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import type { JSONRPCMessage } from "@modelcontextprotocol/server";
import { LineTransport } from "../../src/server/stdio.ts";
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

Deno.test("LineTransport.drained() does not wait for a request that was cancelled", async () => {
  const input = new PassThrough();
  const transport = new LineTransport(input, new PassThrough());
  const taken: JSONRPCMessage[] = [];
  await transport.start();
  const request = { jsonrpc: "2.0", id: "a", method: "tools/list" };
  const cancelled = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "a" } };
  transport.onmessage = (message): void => {
    taken.push(message);
    if (taken.length === 2) input.end();
  };
  input.write(`${JSON.stringify(request)}\n${JSON.stringify(cancelled)}\n`);
  await transport.left;
  assert.deepEqual(taken, [request, cancelled]);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tick = new Promise((resolve) => timer = setTimeout(resolve, 0, "a timer was waited for"));
  assert.equal(await Promise.race([transport.drained(), tick]), undefined);
  clearTimeout(timer);
  await transport.close();
});
