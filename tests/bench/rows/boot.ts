/** From a cold process to the answer to `initialize`, against a server that does nothing on the same SDK, and bare Deno. */
import assert from "node:assert/strict";
import type { Launch } from "../connection.ts";
import { FLOOR, OURS } from "../contestants.ts";
import { interleave } from "../rounds.ts";
import type { Row } from "../row.ts";
import { lineOf, type RowResult } from "../table.ts";
import { Yard } from "../yard.ts";

const ROUNDS = 12;
const MAX_RATIO = 1.35;
const INITIALIZE = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "bench", version: "1.0.0" } },
});

export const boot: Row = {
  name: "boot",
  title: "a cold process until it has answered initialize",
  async run(bench): Promise<RowResult> {
    await using stack = new AsyncDisposableStack();
    const entrants = [];
    for (const contestant of [bench.ours, bench.empty, bench.bare, ...bench.peers]) {
      const { launch } = stack.use(await Yard.prepare(contestant));
      const sample = async (): Promise<number[]> => [await timeToInitialize(launch)];
      entrants.push({ name: contestant.name, isPeer: !contestant.isOurs, sample });
    }
    const { rounds, dropped } = await interleave(entrants, ROUNDS);
    const { ours, empty, bare, ...peers } = Object.fromEntries(rounds);
    const target = (value: number): { words: string; value: number; bound: number } => (
      { words: `≤ ${MAX_RATIO} × floor`, value, bound: MAX_RATIO }
    );
    return {
      lines: [
        lineOf("floor: an empty server, same SDK", { rounds: { [FLOOR]: empty, [OURS]: ours, ...peers }, target }),
        lineOf("floor: bare Deno", { rounds: { [FLOOR]: bare, [OURS]: ours } }),
      ],
      checks: [],
      notes: dropped,
    };
  },
};

/** Milliseconds from the start of a process to its answer. */
export async function timeToInitialize({ command: [program = "", ...args], cwd, env }: Launch): Promise<number> {
  const startedAt = performance.now();
  const child = new Deno.Command(program, {
    args,
    cwd,
    clearEnv: true,
    env: { ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(`${INITIALIZE}\n`));
  const output = child.stdout.getReader();
  const { value } = await output.read();
  const time = performance.now() - startedAt;
  // Bare Deno has gone by now.
  await input.close().catch(() => undefined);
  await output.cancel();
  await child.status;
  assert.match(new TextDecoder().decode(value), /"result"/);
  return time;
}
