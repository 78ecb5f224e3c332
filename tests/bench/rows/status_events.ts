/** A look at a task costs what is new in its log, not what is in it. */
import { get, taskIdOf, tasksOf } from "../answers.ts";
import { FLOOR, OURS } from "../contestants.ts";
import { waitForAll } from "../crowd.ts";
import { Gates } from "../gates.ts";
import { type Entrant, interleave } from "../rounds.ts";
import type { Row } from "../row.ts";
import { ratioOf } from "../statistics.ts";
import { type Line, lineOf, plainLine, type RowResult } from "../table.ts";
import { type Yard, Yards } from "../yard.ts";
import { join } from "node:path";

const SIZES = [1_000, 10_000, 100_000];
const ROUNDS = 12;
const MAX_RATIO = 2;
/** The thread's and the turn's start, the answer, the turn's end. */
const OTHER_EVENTS = 4;

/** A running task of one contestant, with its agent at a gate. */
interface Logging {
  readonly yard: Yard;
  readonly size: number;
  readonly id: string;
  readonly gate: number;
  steps: number;
}

export const statusEvents: Row = {
  name: "status-events",
  title: "codex_status of a running task that has one more event; floor: a ping of our server",
  async run(bench): Promise<RowResult> {
    await using yards = await Yards.open(bench, ["codex_async", "codex_status", "codex_wait"]);
    const { ours } = yards;
    await using gates = await Gates.open(yards.all.length * SIZES.length);
    const tasks: Logging[] = [];
    const first: Record<string, number> = {};
    await yards.each(async (yard) => {
      for (const size of SIZES) {
        const gate = tasks.length;
        const id = taskIdOf(await yard.server.call("codex_async", { prompt: gates.prompt(gate, `events=${size}`) }));
        tasks.push({ yard, size, id, gate, steps: 0 });
        await gates.arrived(tasks.length);
        // The last one is the longest.
        first[yard.contestant.name] = await look(yard, id);
      }
    });
    const entrants = tasks.map((task): Entrant => ({
      name: nameOf(task.yard.contestant.name, task.size),
      isPeer: task.yard !== ours,
      sample: async () => {
        task.steps++;
        await gates.step(task.gate);
        return [await look(task.yard, task.id)];
      },
    }));
    const ping = { name: FLOOR, sample: async () => [(await ours.server.request("ping", {})).ms] };
    const { rounds, dropped } = await interleave([ping, ...entrants], ROUNDS);
    const lines: Line[] = SIZES.map((size) => {
      const names = yards.all.map(({ contestant }) => contestant.name);
      const servers = names.map((name) => [name, rounds.get(nameOf(name, size))] as const);
      return lineOf(`${size} events`, { rounds: { [FLOOR]: rounds.get(FLOOR), ...Object.fromEntries(servers) } });
    });
    const of = (size: number | undefined): Parameters<typeof ratioOf>[0] =>
      rounds.get(nameOf(OURS, size ?? Number.NaN)) ?? [];
    const { value } = ratioOf(of(SIZES.at(-1)), of(SIZES[0]));
    const found = await countEvents(ours, tasks, gates);
    return {
      lines: [
        ...lines,
        plainLine(`${SIZES.at(-1)} to ${SIZES[0]} events`, {
          unit: "",
          values: { [OURS]: value },
          target: { words: `≤ ${MAX_RATIO}`, value, bound: MAX_RATIO },
        }),
        plainLine(`first look at ${SIZES.at(-1)} events`, { values: first }),
      ],
      checks: [{ what: `${OURS}: events counted`, ...found }],
      notes: [...yards.dropped, ...dropped],
    };
  },
};

function nameOf(contestant: string, size: number): string {
  return `${contestant}, ${size} events`;
}

async function look({ server }: Yard, id: string): Promise<number> {
  const answer = await server.call("codex_status", { task_ids: [id] });
  const status = tasksOf(answer).get(id)?.status;
  if (status !== "running") throw new Error(`codex_status tells ${status}: ${answer.text.slice(0, 200)}`);
  return answer.ms;
}

/** Ends our tasks and compares the events that their records count with those that were written. */
async function countEvents(
  ours: Yard,
  tasks: readonly Logging[],
  gates: Gates,
): Promise<{ readonly found: number; readonly expected: number }> {
  const own = tasks.filter(({ yard }) => yard === ours);
  for (const { gate } of own) gates.release(gate);
  await waitForAll(ours.server, own.map(({ id }) => id));
  let found = 0;
  for (const { id } of own) {
    const record: unknown = JSON.parse(await Deno.readTextFile(join(ours.stateDir, "tasks", id, "task.json")));
    found += Number(get(get(get(record, "state"), "progress"), "events"));
  }
  return { found, expected: own.reduce((sum, { size, steps }) => sum + size + steps + OTHER_EVENTS, 0) };
}
