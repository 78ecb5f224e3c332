/** `codex_wait` on tasks that all ended long ago: nothing has to be waited for. */
import { hasEnded, tasksOf } from "../answers.ts";
import { FLOOR, OURS } from "../contestants.ts";
import { countRightCodes, startAgents, waitForAll } from "../crowd.ts";
import { interleave } from "../rounds.ts";
import type { Row } from "../row.ts";
import { lineOf, plainLine, type RowResult } from "../table.ts";
import { type Yard, Yards } from "../yard.ts";

const ROUNDS = 8;
const TASKS = 500;

export const waitFinished: Row = {
  name: "wait-finished",
  title: `codex_wait on ${TASKS} finished tasks; floor: a ping of our server`,
  async run(bench): Promise<RowResult> {
    await using yards = await Yards.open(bench, ["codex_async", "codex_wait"]);
    const { ours } = yards;
    const ids = new Map<Yard, readonly string[]>();
    const told: Record<string, number> = {};
    let right = 0;
    await yards.each(async (yard) => {
      const started = await startAgents(yard.server, Array.from({ length: TASKS }, () => "quick: events=1"));
      await waitForAll(yard.server, started);
      ids.set(yard, started);
      const startedAt = performance.now();
      const ends = await waitForAll(yard.server, started);
      told[yard.contestant.name] = performance.now() - startedAt;
      if (yard === ours) right = countRightCodes(started, ends, () => 0);
    });
    const { rounds, dropped } = await interleave([
      { name: FLOOR, sample: async () => [(await ours.server.request("ping", {})).ms] },
      ...yards.all.map((yard) => ({
        name: yard.contestant.name,
        isPeer: yard !== ours,
        sample: async () => [await wait(yard, ids.get(yard) ?? [])],
      })),
    ], ROUNDS);
    await ours.leave();
    await ours.start();
    const first = await wait(ours, ids.get(ours) ?? []);
    return {
      lines: [
        lineOf("one call with all ids", { rounds: Object.fromEntries(rounds) }),
        plainLine("all told, over as many calls as it takes", { values: told }),
        plainLine("one call, the first of a new server", { values: { [OURS]: first } }),
      ],
      checks: [{ what: `${OURS}: ends told`, found: right, expected: TASKS }],
      notes: [...yards.dropped, ...dropped],
    };
  },
};

async function wait({ server }: Yard, ids: readonly string[]): Promise<number> {
  const answer = await server.call("codex_wait", { task_ids: ids });
  if (![...tasksOf(answer).values()].some(hasEnded)) throw new Error(`no end was told: ${answer.text.slice(0, 200)}`);
  return answer.ms;
}
