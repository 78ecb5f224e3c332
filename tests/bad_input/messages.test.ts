import assert from "node:assert/strict";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { assertNothingStarted } from "../helpers/nothing_started.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { waitFor } from "../helpers/wait_for.ts";

const encoder = new TextEncoder();
const CALL = { jsonrpc: "2.0", id: "mine", method: "tools/call" };

/** Lines that are no calls, and what JSON-RPC has for them: the error's code and the id it is about. */
const LINES: readonly {
  readonly name: string;
  readonly line: string | Uint8Array;
  readonly code: number;
  readonly id: string | null;
  readonly message: RegExp;
}[] = [
  { name: "garbage", line: "{nonsense", code: -32_700, id: null, message: /not JSON/ },
  { name: "half a message", line: '{"jsonrpc":"2.0","id":1,', code: -32_700, id: null, message: /not JSON/ },
  {
    name: "a batch",
    line: "[]",
    code: -32_600,
    id: null,
    message: /batches are not served, send one message per line/,
  },
  { name: "a number", line: "42", code: -32_600, id: null, message: /not a JSON-RPC 2.0 message/ },
  { name: "null", line: "null", code: -32_600, id: null, message: /not a JSON-RPC 2.0 message/ },
  { name: "an object of another kind", line: '{"id":"a","x":1}', code: -32_600, id: "a", message: /not a JSON-RPC/ },
  { name: "no method", line: '{"jsonrpc":"2.0","id":"b"}', code: -32_600, id: "b", message: /not a JSON-RPC/ },
  {
    name: "bytes that are no UTF-8",
    line: new Uint8Array([0xff, 0xfe, 0x7b, 0xc3, 0x28]),
    code: -32_700,
    id: null,
    message: /not JSON/,
  },
  { name: "a line of 70 MB", line: new Uint8Array(70_000_000).fill(120), code: -32_600, id: null, message: /too long/ },
  {
    name: "an unknown method",
    line: JSON.stringify({ ...CALL, method: "tools/destroy" }),
    code: -32_601,
    id: "mine",
    message: /not found/i,
  },
  {
    name: "an unknown tool",
    line: JSON.stringify({ ...CALL, params: { name: "codex_destroy", arguments: {} } }),
    code: -32_602,
    id: "mine",
    message: /Unknown tool "codex_destroy": the tools are codex, codex_async/,
  },
  {
    name: "a call without params",
    line: JSON.stringify(CALL),
    code: -32_602,
    id: "mine",
    message: /./,
  },
  {
    name: "arguments that are a list",
    line: JSON.stringify({ ...CALL, params: { name: "codex", arguments: ["go"] } }),
    code: -32_602,
    id: "mine",
    message: /arguments/,
  },
];

Deno.test("what is no call is answered by what is wrong with it", async (t) => {
  await using codex = await installFakeCodex();
  await using swarm = await startSwarm({ codex });
  await t.step("a line that is no call is answered by what is wrong with it, and the next one is served", async (t) => {
    const { process } = swarm;
    for (const { name, line, code, id, message } of LINES) {
      await t.step(name, async () => {
        const before = process.received.length;
        const bytes = typeof line === "string" ? encoder.encode(line) : line;
        await process.sendBytes(bytes);
        await process.sendBytes(encoder.encode("\n"));
        const answer = await waitFor(() => process.received[before], { message: "an answer to the line" });
        assert.deepEqual({ id: answer["id"], code: Reflect.get(Object(answer["error"]), "code") }, { id, code });
        assert.match(String(Reflect.get(Object(answer["error"]), "message")), message);
        await swarm.client.ping();
        assert.equal(process.received.length, before + 2);
      });
    }
    assertNothingStarted(swarm, codex);
  });

  await t.step("empty lines and unknown notifications are passed over", async () => {
    const before = swarm.process.received.length;
    for (const line of ["", "  ", '{"jsonrpc":"2.0","method":"notifications/unheard_of"}']) {
      await swarm.process.sendLine(line);
    }
    await swarm.client.ping();
    assert.equal(swarm.process.received.length, before + 1);
  });

  await t.step("arguments: null is a call without arguments", async () => {
    const call = async (name: string): Promise<unknown> => {
      const before = swarm.process.received.length;
      await swarm.process.sendLine(JSON.stringify({ ...CALL, id: name, params: { name, arguments: null } }));
      return (await waitFor(() => swarm.process.received[before], { message: "an answer" }))["result"];
    };
    assert.match(JSON.stringify(await call("codex")), /"Cannot call codex: prompt: .*"isError":true/);
    assert.match(JSON.stringify(await call("codex_status")), /No tasks in this repository/);
    assertNothingStarted(swarm, codex);
  });
});
