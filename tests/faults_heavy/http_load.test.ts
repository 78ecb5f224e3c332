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
/** How much longer the slowest hundredth of calls may take beside all the others than the middle one alone. */
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
    for (let at = 0; at < AGENTS; at += 20) {
      await Promise.all(
        Array.from({ length: 20 }, () => starter.call("codex_async", { prompt: `quick: gate=${gate.path}` })),
      );
    }
    await waitFor(() => codex.ledger().length === AGENTS, { message: "all agents to work", timeoutMs: 60_000 });
    const look = async (client: typeof starter): Promise<number> => {
      const from = performance.now();
      const { structured, isError } = await client.call("codex_status");
      assert.deepEqual([isError, structured.tasks.length > 0], [false, true]);
      return performance.now() - from;
    };
    const alone: number[] = [];
    for (let call = 0; call < 100; call++) alone.push(await look(starter));
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => server.connect({ era })));
    const crowded = (await Promise.all(clients.map(async (client) => {
      const tookMs: number[] = [];
      for (let call = 0; call < CALLS; call++) tookMs.push(await look(client));
      return tookMs;
    }))).flat();
    assert.equal(crowded.length, CLIENTS * CALLS);
    const [p50, p99] = [quantile(alone, 0.5), quantile(crowded, 0.99)];
    const figures = `p50 alone ${p50.toFixed(1)} ms, p99 of ${CLIENTS} at once ${p99.toFixed(1)} ms: ${
      (p99 / p50).toFixed(1)
    } times`;
    await Deno.stderr.write(new TextEncoder().encode(`${figures}\n`));
    assert.ok(p99 <= MOST * p50, figures);
    await gate.open(AGENTS);
  });
}
