/** Start, memory and size of the program in each form in which it can be had, against bare Deno. */
import { tempDirectory } from "../../helpers/temp_directory.ts";
import { findBase } from "../../helpers/program_base.ts";
import { bundled, compiled, sources } from "../../helpers/program_forms.ts";
import { Connection } from "../connection.ts";
import { type Contestant, FLOOR, OURS } from "../contestants.ts";
import { hasProcessFigures, memoryOf } from "../process_cost.ts";
import { interleave, pass } from "../rounds.ts";
import type { Row } from "../row.ts";
import { type Line, lineOf, plainLine, type RowResult } from "../table.ts";
import { Yard } from "../yard.ts";
import { timeToInitialize } from "./boot.ts";

const ROUNDS = 12;
/** A server has done by then what it does after its first answers. */
const SETTLE_MS = 3_000;

export const forms: Row = {
  name: "forms",
  title: "sources, bundle and compiled program: until initialize is answered, idle memory, size; floor: bare Deno",
  async run(bench): Promise<RowResult> {
    await using directory = await tempDirectory();
    const base = await findBase();
    const bundle = await bundled(directory.path);
    const binary = await compiled(bundle.file, base);
    const all = [sources(), bundle, binary];
    await using stack = new AsyncDisposableStack();
    const yards: Yard[] = [];
    for (const { name, command } of all) {
      const contestant: Contestant = { name, command, isOurs: true, homes: directory.path };
      yards.push(stack.use(await Yard.prepare(contestant)));
    }
    const bare = stack.use(await Yard.prepare(bench.bare));
    const entrants = [...yards, bare].map(({ contestant: { name }, launch }) => ({
      name,
      sample: async (): Promise<number[]> => [await timeToInitialize(launch)],
    }));
    const { rounds } = await interleave(entrants, ROUNDS);
    const floor = rounds.get(bench.bare.name);
    return {
      lines: [
        ...all.map(({ name }) => lineOf(`${name}: start`, { rounds: { [FLOOR]: floor, [OURS]: rounds.get(name) } })),
        ...await memoryLines(yards, stack.use(await Yard.prepare(bench.empty))),
        plainLine("bundle: size; floor: Deno, which it needs", {
          unit: "MB",
          values: { [FLOOR]: await megabytes(Deno.execPath()), [OURS]: await megabytes(bundle.file) },
        }),
        plainLine("binary: size", { unit: "MB", values: { [OURS]: await megabytes(binary.command[0]) } }),
      ],
      checks: [],
      notes: [`the binary has a base ${base.words}`],
    };
  },
};

async function memoryLines(yards: readonly Yard[], empty: Yard): Promise<Line[]> {
  if (!hasProcessFigures()) return [];
  const floor = await idleMegabytes(empty);
  const lines = [];
  for (const yard of yards) {
    const values = { [FLOOR]: floor, [OURS]: await idleMegabytes(yard) };
    lines.push(plainLine(`${yard.contestant.name}: idle, RSS; floor: an empty server`, { unit: "MB", values }));
  }
  return lines;
}

async function idleMegabytes({ launch }: Yard): Promise<number> {
  await using server = await Connection.open(launch);
  await pass(SETTLE_MS);
  return memoryOf([server.pid]).rssMb;
}

async function megabytes(path: string): Promise<number> {
  return (await Deno.stat(path)).size / 2 ** 20;
}
