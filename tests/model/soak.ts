/** `deno task soak [--minutes 5] [--seed N]`: a random killer over servers, one of which lives throughout. */
import { parseArgs } from "node:util";
import { sinceRest } from "./check_histories.ts";
import { generateSteps } from "./generate_steps.ts";
import { print } from "./print.ts";
import { runHistory } from "./run_history.ts";
import { judgeSoak, type SoakSample } from "./soak_figures.ts";
import { describeStep, type Step } from "./steps.ts";
import { measureProcess } from "./system_processes.ts";
import type { World } from "./world.ts";

const AGENTS = 30;
/** Steps from one idle moment to the next. */
const ROUND = 300;

const { values } = parseArgs({ options: { seed: { type: "string" }, minutes: { type: "string" } } });
const seed = Number(values.seed ?? (Deno.env.get("MODEL_SEED") || 1));
const minutes = Number(values.minutes ?? 5);
const startedAt = performance.now();
const samples: SoakSample[] = [];

/** Rounds of steps until the time is over. */
function* rounds(): Generator<Step> {
  for (let round = 0, from = 0; performance.now() - startedAt < minutes * 60_000; round++) {
    const steps = generateSteps({
      seed: seed + round,
      from,
      count: ROUND,
      servers: 3,
      isFirstKept: true,
      mostHeld: AGENTS + 10,
      compareEvery: 50,
      restEvery: ROUND,
    });
    yield* steps;
    from += steps.length;
  }
}

/** Measures the server that is never ended. */
async function measure({ kind }: Step, { servers }: World): Promise<void> {
  const server = await servers.in(0);
  if (server === undefined) return;
  const atMs = performance.now() - startedAt;
  samples.push({ atMs, isIdle: kind === "rest", ...await measureProcess(server.swarm.process.pid) });
}

const report = await runHistory(rounds(), { places: 3, maxConcurrent: AGENTS, orphanGraceMs: 1_000 }, measure);
print(`seed ${seed}: ${report.figures}`);
if (report.broken.length > 0) {
  for (const line of [...report.broken, ...sinceRest(report.steps).map(describeStep)]) print(line);
}
const verdicts = [
  { words: "no promise was broken", isKept: report.broken.length === 0 },
  ...judgeSoak(samples, { minutes }),
];
for (const { words, isKept } of verdicts) print(`${isKept ? "ok    " : "FAILED"} ${words}`);
const failed = verdicts.filter(({ isKept }) => !isKept).length;
print(`${verdicts.length - failed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);
