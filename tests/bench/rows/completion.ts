/** From the moment in which an agent may end until `codex_wait` has told that it has. */
import { taskIdOf, tasksOf } from "../answers.ts";
import { FLOOR, OURS } from "../contestants.ts";
import { startDirectly } from "../direct_agent.ts";
import { Gates } from "../gates.ts";
import { pass } from "../rounds.ts";
import type { Row } from "../row.ts";
import { quantile } from "../statistics.ts";
import { lineOf, type RowResult } from "../table.ts";
import { type Yard, Yards } from "../yard.ts";

const ROUNDS = 5;
/** Of each contestant per round. */
const AGENTS = 44;
const WARM_UP_AGENTS = 6;
/** From one end to the next; the first part of it is drawn by lot, the rest is for the end to be told in. */
const SLOT_MS = 60;
const LOT_MS = 30;
const MAX_RATIO = 15;
const MAX_P99_MS = 60;

/** An agent that was started. */
interface Started {
  /** When its end was told, and the exit code if that was told too; `null` when it never was. */
  readonly told: Promise<{ readonly at: number; readonly exitCode: number | null } | null>;
}

/** One whose agents end. */
interface Ender {
  readonly name: string;
  readonly start: (prompt: string) => Promise<Started>;
}

export const completion: Row = {
  name: "completion",
  title: "an agent's end until codex_wait has told it; floor: child.status of the same agent",
  async run(bench): Promise<RowResult> {
    await using yards = await Yards.open(bench, ["codex_async", "codex_wait"]);
    const { ours } = yards;
    const enders: readonly Ender[] = [
      { name: FLOOR, start: (prompt) => Promise.resolve(directly(startDirectly(ours.codex, prompt))) },
      ...yards.all.map((yard) => ({
        name: yard.contestant.name,
        start: (prompt: string) => startAndWait(yard, prompt),
      })),
    ];
    const rounds: Record<string, number[][]> = Object.fromEntries(enders.map(({ name }) => [name, []]));
    const lost = new Set<string>();
    const codes = { found: 0, expected: 0 };
    for (let round = 0; round <= ROUNDS; round++) {
      const ends = await measureRound(enders, round === 0 ? WARM_UP_AGENTS : AGENTS);
      for (const { name } of enders) rounds[name]?.push([]);
      for (const { name, ms, isRight } of ends) {
        if (ms === null) lost.add(name);
        else rounds[name]?.at(-1)?.push(ms);
        if (name !== OURS) continue;
        codes.expected++;
        if (isRight) codes.found++;
      }
    }
    const kept = Object.fromEntries(
      Object.entries(rounds).filter(([name]) => !lost.has(name)).map(([name, all]) => [name, all.slice(1)]),
    );
    return {
      lines: [
        lineOf("median", {
          rounds: kept,
          target: (value) => ({ words: `≤ ${MAX_RATIO} × floor`, value, bound: MAX_RATIO }),
        }),
        lineOf("p99", {
          rounds: kept,
          statistic: (samples) => quantile(samples, 0.99),
          target: (_, value) => ({ words: `≤ ${MAX_P99_MS} ms`, value, bound: MAX_P99_MS }),
        }),
      ],
      checks: [{ what: `${OURS}: exit codes`, ...codes }],
      notes: [...yards.dropped, ...[...lost].map((name) => `${name}: did not tell each end`)],
    };
  },
};

/**
 * All agents run before the first one ends. They end in turn (A B B A), each in a slot of its own, at ages spread evenly
 * over some seconds: whoever looks at intervals finds some early and some late.
 */
async function measureRound(
  enders: readonly Ender[],
  agents: number,
): Promise<{ readonly name: string; readonly ms: number | null; readonly isRight: boolean }[]> {
  await using gates = await Gates.open(enders.length * agents);
  const turns = Array.from({ length: agents }, (_, turn) => turn % 2 === 0 ? enders : enders.toReversed()).flat();
  const codeOf = (gate: number): number => gate % 3;
  const started: { readonly name: string; readonly told: Started["told"] }[] = [];
  for (const [gate, { name, start }] of turns.entries()) {
    started.push({ name, ...await start(gates.prompt(gate, `events=1 exit=${codeOf(gate)}`)) });
  }
  await gates.arrived();
  const firstAt = performance.now();
  const ends = [];
  for (const [gate, { name, told }] of started.entries()) {
    await pass(firstAt + gate * SLOT_MS + Math.random() * LOT_MS - performance.now());
    const releasedAt = gates.release(gate);
    ends.push(told.then((end) => ({
      name,
      ms: end === null ? null : end.at - releasedAt,
      isRight: end?.exitCode === codeOf(gate),
    })));
  }
  return await Promise.all(ends);
}

function directly(child: Deno.ChildProcess): Started {
  return { told: child.status.then(({ code }) => ({ at: performance.now(), exitCode: code })) };
}

async function startAndWait({ server, contestant }: Yard, prompt: string): Promise<Started> {
  const id = taskIdOf(await server.call("codex_async", { prompt }));
  const wait = async (): ReturnType<() => Started["told"]> => {
    const answer = await server.call("codex_wait", { task_ids: [id] });
    const task = tasksOf(answer).get(id);
    return task === undefined || task.status === "running" ? null : { at: answer.receivedAt, exitCode: task.exitCode };
  };
  return { told: contestant.isOurs ? wait() : wait().catch(() => null) };
}
