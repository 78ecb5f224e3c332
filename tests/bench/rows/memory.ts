/** Memory of a server with its shims and helpers, by how many agents run. */
import { FLOOR, OURS } from "../contestants.ts";
import { startAgents, waitForAll } from "../crowd.ts";
import { Gates } from "../gates.ts";
import { hasProcessFigures, type Memory, memoryOf, openFilesOf, processesOf } from "../process_cost.ts";
import { Connection } from "../connection.ts";
import type { Row } from "../row.ts";
import { type Line, plainLine, type RowResult } from "../table.ts";
import { Yard, Yards } from "../yard.ts";

const RUNNING = [0, 8, 32, 100];
const FINISHED = 1_000;
const MAX_RSS_MB = 110;
const AT = RUNNING.at(-1);
/** What a server may keep open for good that it did not need at first. */
const MORE_FILES = 16;

interface Figures {
  readonly server: Memory;
  /** The server, its shims and its helpers. */
  readonly all: Memory;
  readonly openFiles: number;
}

export const memory: Row = {
  name: "memory",
  title: "memory; all: with shims and helpers, without agents; floor: an empty server, same SDK",
  async run(bench): Promise<RowResult> {
    if (!hasProcessFigures()) return { lines: [], checks: [], notes: ["processes tell nothing here"] };
    await using yards = await Yards.open(bench, ["codex_async", "codex_wait"]);
    const figures = new Map<string, Record<string, Figures>>();
    for (const { yard, result } of await yards.each(measure)) {
      for (const [what, measured] of result) {
        figures.set(what, { ...figures.get(what), [yard.contestant.name]: measured });
      }
    }
    const floor = await emptyMemory(await Yard.prepare(bench.empty));
    const lines = [...figures].flatMap(([what, by]) => linesOf(what, by, floor));
    return { lines: [...lines, filesLine(figures)], checks: [], notes: yards.dropped };
  },
};

function linesOf(what: string, by: Readonly<Record<string, Figures>>, floor: Memory): Line[] {
  const of = (figure: (figures: Figures) => number): Record<string, number> =>
    Object.fromEntries(Object.entries(by).map(([name, figures]) => [name, figure(figures)]));
  const rss = of(({ server }) => server.rssMb);
  const value = rss[OURS] ?? Number.NaN;
  return [
    plainLine(`${what}: server, RSS`, {
      unit: "MB",
      values: { [FLOOR]: floor.rssMb, ...rss },
      ...(what === `${AT} running` ? { target: { words: `≤ ${MAX_RSS_MB} MB`, value, bound: MAX_RSS_MB } } : {}),
    }),
    plainLine(`${"".padEnd(what.length)}  server, PSS`, { unit: "MB", values: of(({ server }) => server.pssMb) }),
    plainLine(`${"".padEnd(what.length)}  all, PSS`, { unit: "MB", values: of(({ all }) => all.pssMb) }),
  ];
}

/** A file that stays open after its task is one too many. */
function filesLine(figures: ReadonlyMap<string, Readonly<Record<string, Figures>>>): Line {
  const before = figures.get(`${RUNNING[0]} running`) ?? {};
  const after = figures.get(`${FINISHED} finished`) ?? {};
  const values = Object.fromEntries(
    Object.entries(after).map(([name, { openFiles }]) => [name, openFiles - (before[name]?.openFiles ?? Number.NaN)]),
  );
  return plainLine(`${FINISHED} finished: more open files`, {
    unit: "",
    values,
    target: { words: `≤ ${MORE_FILES}`, value: values[OURS] ?? Number.NaN, bound: MORE_FILES },
  });
}

/** What a server uses with more and more agents, and when all have ended. */
async function measure(yard: Yard): Promise<[string, Figures][]> {
  const measured: [string, Figures][] = [];
  const ids: string[] = [];
  await using gates = await Gates.open(AT ?? 0);
  for (const count of RUNNING) {
    const prompts = Array.from({ length: count - ids.length }, (_, at) => gates.prompt(ids.length + at));
    ids.push(...await startAgents(yard.server, prompts));
    await gates.arrived(count);
    measured.push([`${count} running`, figuresOf(yard)]);
  }
  for (const gate of ids.keys()) gates.release(gate);
  const rest = Array.from({ length: FINISHED - ids.length }, () => "quick: events=1");
  await waitForAll(yard.server, [...ids, ...await startAgents(yard.server, rest)]);
  measured.push([`${FINISHED} finished`, figuresOf(yard)]);
  return measured;
}

function figuresOf({ server, stateDir, codex }: Yard): Figures {
  const agents = new Set(codex.ledger().flatMap(({ pid, exitCode }) => exitCode === null ? [pid] : []));
  return {
    server: memoryOf([server.pid]),
    openFiles: openFilesOf(server.pid),
    all: memoryOf(processesOf({ server: server.pid, stateDir, agents })),
  };
}

async function emptyMemory(yard: Yard): Promise<Memory> {
  await using _yard = yard;
  await using server = await Connection.open(yard.launch);
  return memoryOf([server.pid]);
}
