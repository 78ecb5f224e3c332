/** How many agents a second can be started, with some calls in flight at a time. */
import { FLOOR, OURS } from "../contestants.ts";
import { countRightCodes, inParallel, startAgents, waitForAll } from "../crowd.ts";
import { interleave } from "../rounds.ts";
import type { Row } from "../row.ts";
import type { Rounds } from "../statistics.ts";
import { lineOf, type RowResult } from "../table.ts";
import { type Yard, Yards } from "../yard.ts";

const ROUNDS = 3;
const AGENTS = 64;
const IN_FLIGHT = [1, 8, 32];

export const throughput: Row = {
  name: "throughput",
  title: `${AGENTS} agents that end at once; floor: Deno.Command of /bin/true`,
  async run(bench): Promise<RowResult> {
    await using yards = await Yards.open(bench, ["codex_async", "codex_wait"]);
    const lines = [];
    const notes = [...yards.dropped];
    const codes = { found: 0, expected: 0 };
    for (const inFlight of IN_FLIGHT) {
      const ended = new Map<string, number[]>();
      const { rounds, dropped } = await interleave([
        { name: FLOOR, sample: () => runTrue(inFlight) },
        ...yards.all.map((yard) => ({
          name: yard.contestant.name,
          isPeer: !yard.contestant.isOurs,
          sample: () => runAgents(yard, { inFlight, ended, codes }),
        })),
      ], ROUNDS);
      const all = Object.fromEntries(rounds);
      lines.push(lineOf(`started, ${inFlight} in flight`, { unit: "/s", rounds: all }));
      if (inFlight === IN_FLIGHT.at(-1)) lines.push(endedLine(ended, all));
      notes.push(...dropped);
    }
    return { lines, checks: [{ what: `${OURS}: exit codes`, ...codes }], notes };
  },
};

/** Its samples stand in one row; each round has two of them, and the first round is dropped. */
function endedLine(ended: ReadonlyMap<string, number[]>, all: Readonly<Record<string, Rounds>>): ReturnType<
  typeof lineOf
> {
  const rounds = Object.fromEntries(
    Object.keys(all).filter((name) => name !== FLOOR).map((name) => {
      const samples = ended.get(name) ?? [];
      return [name, Array.from({ length: ROUNDS }, (_, round) => samples.slice(2 * round + 2, 2 * round + 4))];
    }),
  );
  return lineOf("  ended and told", { unit: "/s", rounds });
}

async function runAgents(
  { server, contestant: { name, isOurs } }: Yard,
  { inFlight, ended, codes }: {
    readonly inFlight: number;
    readonly ended: Map<string, number[]>;
    readonly codes: { found: number; expected: number };
  },
): Promise<number[]> {
  const codeOf = (index: number): number => index % 4;
  const prompts = Array.from({ length: AGENTS }, (_, index) => `quick: events=1 exit=${codeOf(index)}`);
  const startedAt = performance.now();
  const ids = await startAgents(server, prompts, { inFlight });
  const startedMs = performance.now() - startedAt;
  const ends = await waitForAll(server, ids);
  const endedMs = performance.now() - startedAt;
  ended.set(name, [...ended.get(name) ?? [], perSecond(endedMs)]);
  if (isOurs) {
    codes.found += countRightCodes(ids, ends, codeOf);
    codes.expected += AGENTS;
  }
  return [perSecond(startedMs)];
}

async function runTrue(inFlight: number): Promise<number[]> {
  const startedAt = performance.now();
  await inParallel(Array.from({ length: AGENTS }, () => "/bin/true"), {
    inFlight,
    work: (program) => new Deno.Command(program, { stdin: "null", stdout: "null", stderr: "null" }).spawn().status,
  });
  return [perSecond(performance.now() - startedAt)];
}

function perSecond(ms: number): number {
  return AGENTS / ms * 1_000;
}
