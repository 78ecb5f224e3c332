/** A server that was killed, and the next one on its state: how soon it knows all agents that run. */
import { type Answer, hasEnded, tasksOf } from "../answers.ts";
import type { Connection } from "../connection.ts";
import { OURS } from "../contestants.ts";
import { countRightCodes, startAgents, waitForAll } from "../crowd.ts";
import { Gates } from "../gates.ts";
import type { Row } from "../row.ts";
import { median } from "../statistics.ts";
import { plainLine, type RowResult } from "../table.ts";
import { type Yard, Yards } from "../yard.ts";

const AGENTS = 200;
const TIMES = 3;
const MAX_MS = 1_500;

export const restart: Row = {
  name: "restart",
  title: `SIGKILL with ${AGENTS} detached agents running; median of ${TIMES} restarts`,
  async run(bench): Promise<RowResult> {
    await using yards = await Yards.open(bench, ["codex_async", "codex_status", "codex_wait"]);
    const codes = { found: 0, expected: AGENTS };
    const results = await yards.each(async (yard) => {
      await using gates = await Gates.open(AGENTS);
      const codeOf = (index: number): number => index % 5;
      const prompts = Array.from({ length: AGENTS }, (_, gate) => gates.prompt(gate, `exit=${codeOf(gate)}`));
      const ids = await startAgents(yard.server, prompts);
      await gates.arrived();
      const samples: Restart[] = [];
      for (let time = 0; time < TIMES; time++) samples.push(await crashAndStart(yard, ids));
      if (yard === yards.ours) {
        for (let gate = 0; gate < AGENTS; gate++) gates.release(gate);
        codes.found = countRightCodes(ids, await waitForAll(yard.server, ids), codeOf);
      } else if (samples.some(({ seen }) => seen < AGENTS)) throw new Error("does not know all agents again");
      return samples;
    });
    const of = (figure: (restart: Restart) => number): Record<string, number> =>
      Object.fromEntries(results.map(({ yard, result }) => [yard.contestant.name, median(result.map(figure))]));
    const times = of(({ ms }) => ms);
    const seen = Math.min(...results[0]?.result.map((restart) => restart.seen) ?? []);
    const value = times[OURS] ?? Number.NaN;
    return {
      lines: [
        plainLine("its start until initialize and tools/list", { values: of(({ bootMs }) => bootMs) }),
        plainLine("its start until codex_status has told all", {
          values: times,
          target: { words: `≤ ${MAX_MS / 1_000} s`, value, bound: MAX_MS },
        }),
      ],
      checks: [
        { what: `${OURS}: agents seen running`, found: seen, expected: AGENTS },
        { what: `${OURS}: exit codes after it`, ...codes },
      ],
      notes: yards.dropped,
    };
  },
};

interface Restart {
  readonly bootMs: number;
  readonly ms: number;
  /** How many agents were told as running. */
  readonly seen: number;
}

async function crashAndStart(yard: Yard, ids: readonly string[]): Promise<Restart> {
  await yard.server.crash();
  const startedAt = performance.now();
  const server = await yard.start();
  const bootMs = performance.now() - startedAt;
  const seen = await countRunning(server, ids);
  return { bootMs, ms: performance.now() - startedAt, seen };
}

/** How many of the tasks `codex_status` tells as running, over as many calls as their answers need. */
async function countRunning(server: Connection, ids: readonly string[]): Promise<number> {
  const left = new Set(ids);
  let running = 0;
  while (left.size > 0) {
    const answer: Answer = await server.call("codex_status", { task_ids: [...left] });
    const told = [...tasksOf(answer)].filter(([id]) => left.has(id));
    if (told.length === 0) return running;
    for (const [id, task] of told) {
      left.delete(id);
      if (!hasEnded(task) && task.status === "running") running++;
    }
  }
  return running;
}
