/** A thousand agents that end within a second: how soon each end is told, and whether each is told right. */
import { type Answer, get, tasksOf } from "../answers.ts";
import type { Connection } from "../connection.ts";
import { FLOOR, OURS } from "../contestants.ts";
import { startAgents } from "../crowd.ts";
import { startDirectly } from "../direct_agent.ts";
import { Gates } from "../gates.ts";
import { pass } from "../rounds.ts";
import type { Row } from "../row.ts";
import { median, quantile } from "../statistics.ts";
import { plainLine, type RowResult } from "../table.ts";
import { type Yard, Yards } from "../yard.ts";

const AGENTS = 1_000;
const WITHIN_MS = 1_000;
/** Ids of one call that asks when the ends were noted: few enough for all there is to tell. */
const ASKED_AT_ONCE = 10;

/** How long after its leave each agent's end was told, and whether with its code. */
interface Ends {
  readonly toldMs: readonly number[];
  readonly right: number;
  /** After its leave, by the record's own time; empty where that is not told. */
  readonly notedMs: readonly number[];
}

export const massExit: Row = {
  name: "mass-exit",
  title: `${AGENTS} agents end within ${WITHIN_MS / 1_000} s; floor: child.status of as many children`,
  async run(bench): Promise<RowResult> {
    await using yards = await Yards.open(bench, ["codex_async", "codex_wait", "codex_status"]);
    const { ours } = yards;
    const figures = new Map<string, Ends>([[FLOOR, await endChildren(ours)]]);
    for (const { yard, result } of await yards.each(endAgents)) figures.set(yard.contestant.name, result);
    const of = (figure: (ends: Ends) => number): Record<string, number> =>
      Object.fromEntries([...figures].map(([name, ends]) => [name, figure(ends)]));
    const { notedMs, right } = figures.get(OURS) ?? { notedMs: [], right: 0 };
    return {
      lines: [
        plainLine("told, median", { values: of(({ toldMs }) => median(toldMs)) }),
        plainLine("told, p99", { values: of(({ toldMs }) => quantile(toldMs, 0.99)) }),
        plainLine("ended_at in the record, p99", { values: { [OURS]: quantile(notedMs, 0.99) } }),
      ],
      checks: [{ what: `${OURS}: exit codes`, found: right, expected: AGENTS }],
      notes: yards.dropped,
    };
  },
};

function codeOf(index: number): number {
  return index % 7;
}

/** Lets all agents go, evenly over the time; gives when each was. */
async function releaseAll(gates: Gates): Promise<{ readonly at: number; readonly date: number }[]> {
  const firstAt = performance.now();
  const released = [];
  for (let gate = 0; gate < AGENTS; gate++) {
    const dueMs = firstAt + gate / AGENTS * WITHIN_MS - performance.now();
    if (dueMs > 1) await pass(dueMs);
    released.push({ date: Date.now(), at: gates.release(gate) });
  }
  return released;
}

async function endAgents({ server }: Yard): Promise<Ends> {
  await using gates = await Gates.open(AGENTS);
  const prompts = Array.from({ length: AGENTS }, (_, gate) => gates.prompt(gate, `exit=${codeOf(gate)}`));
  const ids = await startAgents(server, prompts);
  await gates.arrived();
  const waits = ids.map((id) => server.call("codex_wait", { task_ids: [id] }));
  // Whatever stands before it in the server's input has been read.
  await server.request("ping", {});
  await pass(500);
  const released = await releaseAll(gates);
  const answers = await Promise.all(waits);
  const right = answers.filter((answer, index) => tasksOf(answer).get(ids[index] ?? "")?.exitCode === codeOf(index));
  const endedAt = await readEnds(server, ids);
  return {
    toldMs: answers.map(({ receivedAt }, index) => receivedAt - (released[index]?.at ?? Number.NaN)),
    right: right.length,
    notedMs: ids.flatMap((id, index) => {
      const end = endedAt.get(id);
      return end === undefined ? [] : [end - (released[index]?.date ?? Number.NaN)];
    }),
  };
}

/** The times of the tasks' ends, for those that tell one. */
async function readEnds(server: Connection, ids: readonly string[]): Promise<Map<string, number>> {
  const ends = new Map<string, number>();
  for (let at = 0; at < ids.length; at += ASKED_AT_ONCE) {
    const answer: Answer = await server.call("codex_status", { task_ids: ids.slice(at, at + ASKED_AT_ONCE) });
    const tasks = get(answer.structured, "tasks");
    for (const task of Array.isArray(tasks) ? tasks : []) {
      const date = get(task, "ended_at");
      if (typeof date === "string") ends.set(String(get(task, "task_id")), Date.parse(date));
    }
  }
  return ends;
}

async function endChildren({ codex }: Yard): Promise<Ends> {
  await using gates = await Gates.open(AGENTS);
  const ends = Array.from({ length: AGENTS }, async (_, gate) => {
    const { code } = await startDirectly(codex, gates.prompt(gate, `exit=${codeOf(gate)}`)).status;
    return { at: performance.now(), code };
  });
  await gates.arrived();
  const released = await releaseAll(gates);
  const toldMs: number[] = [];
  for (const [index, end] of ends.entries()) toldMs.push((await end).at - (released[index]?.at ?? Number.NaN));
  return { toldMs, right: AGENTS, notedMs: [] };
}
