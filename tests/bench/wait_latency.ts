/** How soon after an agent's end its client is told. */
import assert from "node:assert/strict";
import { installQuickCodex } from "../helpers/fake_codex.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { formatMs, median, type Row } from "./row.ts";

const TASKS = 50;
const MAX_MS = 60;

/** Waits for one instantly finishing task after the other. */
export async function benchWaitLatency(): Promise<Row[]> {
  await using codex = await installQuickCodex();
  await using swarm = await startSwarm({ codex });
  const latencies: number[] = [];
  const totals: number[] = [];
  // The first task on a fresh home goes alone and is probed for.
  for (let index = 0; index <= TASKS; index++) {
    const startedAt = performance.now();
    const { structured: task } = await swarm.call("codex_async", { prompt: "quick: events=1" });
    const { structured: { tasks: [ended] } } = await swarm.call("codex_wait", { task_ids: [task.task_id] });
    const returnedAt = Date.now();
    assert.equal(ended.status, "completed");
    if (index === 0) continue;
    totals.push(performance.now() - startedAt);
    // The agent's last event is its last act.
    const { mtime } = await Deno.stat(task.events_file);
    latencies.push(returnedAt - (mtime?.getTime() ?? NaN));
  }
  const latencyMs = median(latencies);
  return [
    {
      what: "codex_wait returns after the agent's end",
      value: formatMs(latencyMs),
      bound: `≤ ${MAX_MS} ms`,
      isKept: latencyMs <= MAX_MS,
    },
    { what: "  codex_async to the answer of codex_wait", value: formatMs(median(totals)) },
  ];
}
