/** From the call of `codex_async` to its answer, with nothing else going on. */
import { spawn as spawnChild } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { type Answer, get, taskIdOf } from "../answers.ts";
import { FLOOR, OURS } from "../contestants.ts";
import { waitForAll } from "../crowd.ts";
import { interleave } from "../rounds.ts";
import type { Row } from "../row.ts";
import { quantile } from "../statistics.ts";
import { lineOf, type RowResult } from "../table.ts";
import { type Yard, Yards } from "../yard.ts";

const ROUNDS = 6;
const BATCH = 20;
const MAX_RATIO = 20;
/** Before each start, of the floor's too: what follows the end of the last one is over then. */
const REST_MS = 30;

export const spawn: Row = {
  name: "spawn",
  title: "codex_async until its answer; floor: node:child_process.spawn of /bin/true",
  async run(bench): Promise<RowResult> {
    await using yards = await Yards.open(bench, ["codex_async", "codex_wait"]);
    const written = { found: 0, expected: 0 };
    const { rounds, dropped } = await interleave([
      { name: FLOOR, sample: spawnTrue },
      ...yards.all.map((yard) => ({
        name: yard.contestant.name,
        isPeer: !yard.contestant.isOurs,
        sample: () => spawnAgents(yard, written),
      })),
    ], ROUNDS);
    const all = Object.fromEntries(rounds);
    const { [FLOOR]: floor, ...servers } = all;
    return {
      lines: [
        lineOf("median", {
          rounds: all,
          target: (value) => ({ words: `≤ ${MAX_RATIO} × floor`, value, bound: MAX_RATIO }),
        }),
        lineOf("p99", { rounds: { [FLOOR]: floor, ...servers }, statistic: (samples) => quantile(samples, 0.99) }),
      ],
      checks: [{ what: `${OURS}: tasks on disk when they were told`, ...written }],
      notes: [...yards.dropped, ...dropped],
    };
  },
};

async function spawnAgents(
  { server, contestant }: Yard,
  written: { found: number; expected: number },
): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < BATCH; index++) {
    await rest();
    const answer = await server.call("codex_async", { prompt: "quick: events=1" });
    times.push(answer.ms);
    if (contestant.isOurs) {
      written.expected++;
      if (isWritten(answer)) written.found++;
    }
    await waitForAll(server, [taskIdOf(answer)]);
  }
  return times;
}

/** Tells whether the record of the task that was just told of is there. */
function isWritten({ structured }: Answer): boolean {
  try {
    const directory = dirname(String(get(structured, "events_file")));
    return Deno.statSync(join(directory, "task.json")).isFile;
  } catch {
    return false;
  }
}

async function spawnTrue(): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < BATCH; index++) {
    await rest();
    const startedAt = performance.now();
    const child = spawnChild("/bin/true", { stdio: "ignore" });
    const ended = once(child, "exit");
    await once(child, "spawn");
    times.push(performance.now() - startedAt);
    await ended;
  }
  return times;
}

function rest(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, REST_MS));
}
