/** Many clients of one server over HTTP, and strangers who send it whatever they like. */
import assert from "node:assert/strict";
import { installQuickCodex } from "../helpers/fake_codex.ts";
import { makeGate } from "../helpers/gate.ts";
import { startHttpServer } from "../helpers/http_server.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";
const AGENTS = 100;
const CLIENTS = 50;
const CALLS = 20;
/** Tasks that a call asks for which names some. */
const NAMED = 10;
/** How much longer the slowest hundredth of calls may take beside all the others than a middle one of the dearer kind alone. */
const MOST = 20;

function quantile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? 0;
}

for (const era of ["2025", "2026"] as const) {
  Deno.test({ name: `${CLIENTS} clients of the ${era} era share a server with ${AGENTS} agents`, ignore }, async () => {
    await using gate = await makeGate();
    await using codex = await installQuickCodex();
    await using server = await startHttpServer({ codex, args: ["--max-concurrent", String(AGENTS)] });
    const starter = await server.connect({ era });
    const ids: string[] = [];
    for (let at = 0; at < AGENTS; at += 20) {
      const started = await Promise.all(
        Array.from({ length: 20 }, () => starter.call("codex_async", { prompt: `quick: gate=${gate.path}` })),
      );
      ids.push(...started.map(({ structured }) => structured.task_id));
    }
    await waitFor(() => codex.ledger().length === AGENTS, { message: "all agents to work", timeoutMs: 60_000 });
    /** Every other call names the tasks that it asks for. */
    const look = async (client: typeof starter, call: number): Promise<number> => {
      const first = call * NAMED % AGENTS;
      const named = call % 2 === 0 ? undefined : ids.slice(first, first + NAMED);
      const from = performance.now();
      const { structured, isError } = await client.call("codex_status", named === undefined ? {} : { task_ids: named });
      const tookMs = performance.now() - from;
      assert.equal(isError, false);
      const found = structured.tasks.map(({ task_id }: { readonly task_id: string }) => task_id);
      if (named === undefined) assert.ok(found.length > 0);
      else assert.deepEqual(found, named);
      return tookMs;
    };
    const alone: number[] = [];
    for (let call = 0; call < 100; call++) alone.push(await look(starter, call));
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => server.connect({ era })));
    const crowded = (await Promise.all(clients.map(async (client, index) => {
      const tookMs: number[] = [];
      for (let call = 0; call < CALLS; call++) tookMs.push(await look(client, index + call));
      return tookMs;
    }))).flat();
    assert.equal(crowded.length, CLIENTS * CALLS);
    const [plain = 0, named = 0] = [0, 1].map((kind) => quantile(alone.filter((_, call) => call % 2 === kind), 0.5));
    // The dearer kind is the measure: whoever waits for others waits for calls of both.
    const [p50, p99] = [Math.max(plain, named), quantile(crowded, 0.99)];
    const figures = `p50 alone ${plain.toFixed(1)} ms, with ids ${named.toFixed(1)} ms, p99 of ${CLIENTS} at once ${
      p99.toFixed(1)
    } ms: ${(p99 / p50).toFixed(1)} times`;
    await Deno.stderr.write(new TextEncoder().encode(`${figures}\n`));
    assert.ok(p99 <= MOST * p50, figures);
    await gate.open(AGENTS);
  });
}
