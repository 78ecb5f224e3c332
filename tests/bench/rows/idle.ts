/** CPU time of a server with its shims and helpers while agents run that say nothing. */
import { OURS } from "../contestants.ts";
import { startAgents } from "../crowd.ts";
import { Gates } from "../gates.ts";
import { cpuMsOf, hasProcessFigures, processesOf } from "../process_cost.ts";
import { pass } from "../rounds.ts";
import type { Row } from "../row.ts";
import { plainLine, type RowResult } from "../table.ts";
import { type Yard, Yards } from "../yard.ts";

const AGENTS = 50;
const SETTLE_MS = 2_000;
/** Some of what a shim does comes round once a minute. */
const IDLE_MS = 61_000;
const MAX_PERCENT = 1;

export const idle: Row = {
  name: "idle",
  title: `CPU of a server with ${AGENTS} silent agents, its shims and helpers, over ${IDLE_MS / 1_000} s`,
  async run(bench): Promise<RowResult> {
    if (!hasProcessFigures()) return { lines: [], checks: [], notes: ["processes tell nothing here"] };
    await using yards = await Yards.open(bench, ["codex_async", "codex_wait"]);
    await using gates = await Gates.open(AGENTS * yards.all.length);
    let first = 0;
    await yards.each(async ({ server }) => {
      const prompts = Array.from({ length: AGENTS }, (_, at) => gates.prompt(first + at));
      const ids = await startAgents(server, prompts);
      first += AGENTS;
      await gates.arrived(first);
      // Somebody waits for them, as somebody would.
      server.call("codex_wait", { task_ids: ids }).catch(() => undefined);
    });
    await pass(SETTLE_MS);
    // Whoever was there at the beginning: what has come and gone meanwhile is counted with its parent.
    const pids = yards.all.map((yard) => ({ yard, pids: pidsOf(yard) }));
    const before = pids.map((each) => cpuMsOf(each.pids));
    const startedAt = performance.now();
    await pass(IDLE_MS);
    const ms = performance.now() - startedAt;
    const used = pids.map((each, index) =>
      [each.yard.contestant.name, cpuMsOf(each.pids) - (before[index] ?? 0)] as const
    );
    const servers = pids.map(({ yard, pids }) => [yard.contestant.name, pids.length - 1] as const);
    const percent = Object.fromEntries(used.map(([name, cpuMs]) => [name, cpuMs / ms * 100]));
    return {
      lines: [
        plainLine("of one core", {
          unit: "%",
          values: percent,
          target: { words: `≤ ${MAX_PERCENT} %`, value: percent[OURS] ?? Number.NaN, bound: MAX_PERCENT },
        }),
        plainLine("shims and helpers", { unit: "", values: Object.fromEntries(servers) }),
      ],
      checks: [],
      notes: yards.dropped,
    };
  },
};

function pidsOf({ server, stateDir, codex }: Yard): number[] {
  return processesOf({ server: server.pid, stateDir, agents: new Set(codex.ledger().map(({ pid }) => pid)) });
}
