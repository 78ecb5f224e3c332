/** From the call of `codex_cancel` to its answer, for agents that end at SIGINT. */
import { taskIdOf, tasksOf } from "../answers.ts";
import { FLOOR, OURS } from "../contestants.ts";
import { startDirectly } from "../direct_agent.ts";
import { Gates } from "../gates.ts";
import { interleave } from "../rounds.ts";
import type { Row } from "../row.ts";
import { quantile } from "../statistics.ts";
import { lineOf, type RowResult } from "../table.ts";
import { type Yard, Yards } from "../yard.ts";

const ROUNDS = 5;
const BATCH = 5;

export const cancel: Row = {
  name: "cancel",
  title: "codex_cancel until its answer; floor: SIGINT until child.status of the same agent",
  async run(bench): Promise<RowResult> {
    await using yards = await Yards.open(bench, ["codex_async", "codex_cancel", "codex_status"]);
    const { ours } = yards;
    await using gates = await Gates.open(BATCH);
    const cancelled = { found: 0, expected: 0 };
    const { rounds, dropped } = await interleave([
      { name: FLOOR, sample: () => interrupt(ours, gates) },
      ...yards.all.map((yard) => ({
        name: yard.contestant.name,
        isPeer: yard !== ours,
        sample: () => cancelAgents(yard, gates, cancelled),
      })),
    ], ROUNDS);
    const all = Object.fromEntries(rounds);
    return {
      lines: [
        lineOf("median", { rounds: all }),
        lineOf("p99", { rounds: all, statistic: (samples) => quantile(samples, 0.99) }),
      ],
      checks: [{ what: `${OURS}: tasks cancelled`, ...cancelled }],
      notes: [...yards.dropped, ...dropped],
    };
  },
};

async function cancelAgents(
  { server, contestant }: Yard,
  gates: Gates,
  cancelled: { found: number; expected: number },
): Promise<number[]> {
  await gates.clear();
  const ids: string[] = [];
  for (let gate = 0; gate < BATCH; gate++) {
    ids.push(taskIdOf(await server.call("codex_async", { prompt: gates.prompt(gate) })));
  }
  await gates.arrived();
  const times: number[] = [];
  for (const id of ids) times.push((await server.call("codex_cancel", { task_id: id })).ms);
  const seen = tasksOf(await server.call("codex_status", { task_ids: ids }));
  if (contestant.isOurs) {
    cancelled.expected += BATCH;
    cancelled.found += [...seen.values()].filter(({ status }) => status === "cancelled").length;
  }
  return times;
}

async function interrupt({ codex }: Yard, gates: Gates): Promise<number[]> {
  await gates.clear();
  const children = Array.from({ length: BATCH }, (_, gate) => startDirectly(codex, gates.prompt(gate)));
  await gates.arrived();
  const times: number[] = [];
  for (const child of children) {
    const startedAt = performance.now();
    child.kill("SIGINT");
    await child.status;
    times.push(performance.now() - startedAt);
  }
  return times;
}
