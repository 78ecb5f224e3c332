/**
 * `deno task bench`: how fast we are, in one run beside floors of this machine and any peers. `--only ROW` measures one
 * row, `--peer 'COMMAND'` (both repeatable) measures another server beside ours. Exit code 1 when something was wrong or
 * a target was missed grossly.
 */
import { parseArgs } from "node:util";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { prepareBench } from "./contestants.ts";
import { machineFacts } from "./machine.ts";
import { ROWS } from "./rows/mod.ts";
import { checkText, GROSS, headText, lineText, type RowResult, verdictOf } from "./table.ts";

const { values: { only, peer } } = parseArgs({
  options: { only: { type: "string", multiple: true }, peer: { type: "string", multiple: true } },
});
const unknown = only?.find((name) => !ROWS.some((row) => row.name === name));
if (unknown !== undefined) {
  print(`Cannot find row "${unknown}": known rows are ${ROWS.map(({ name }) => name).join(", ")}`);
  Deno.exit(2);
}

const startedAt = performance.now();
await using directory = await tempDirectory();
const bench = await prepareBench(directory.path, peer ?? []);
const facts = await machineFacts(bench);
for (const [name, value] of Object.entries(facts)) print(`${name}: ${value}`);
const peers = bench.peers.map(({ name }) => name);
print(`\n${headText(peers)}`);

const results: ({ readonly row: string; readonly seconds: number; readonly busy: number } & RowResult)[] = [];
for (const { name, title, run } of ROWS) {
  if (only !== undefined && !only.includes(name)) continue;
  const rowStartedAt = performance.now();
  const busy = Math.max(1, load() / navigator.hardwareConcurrency);
  const result = await run(bench).catch(brokenRow);
  const seconds = (performance.now() - rowStartedAt) / 1_000;
  results.push({ row: name, seconds, busy, ...result });
  print(`\n${name}: ${title} (${seconds.toFixed(0)} s, load ${load().toFixed(1)})`);
  for (const line of result.lines) print(lineText(line, { peers, busy }));
  for (const check of result.checks) print(checkText(check));
  for (const note of result.notes) print(`  ${note}`);
}

const verdicts = results.flatMap(({ lines, busy }) => lines.flatMap((line) => verdictOf(line, busy) ?? []));
const checks = results.flatMap((result) => result.checks.map(({ found, expected }) => found === expected));
const failed = [...verdicts, ...checks].filter((verdict) => verdict === "FAILED" || verdict === false).length;
const missed = verdicts.filter((verdict) => verdict === "missed").length;
const file = await Deno.makeTempFile({ prefix: "codex_swarm_bench_", suffix: ".json" });
await Deno.writeTextFile(file, `${JSON.stringify({ facts, results }, null, 1)}\n`);
print("\n~: cannot be told from 1.");
print(
  `Machines differ: a target fails the run beyond ${GROSS} × its bound, or ${GROSS} × load per core on a busy one.`,
);
print(`${missed} targets missed by less. Took ${((performance.now() - startedAt) / 1_000).toFixed(0)} s.`);
print(`Every sample: ${file}`);
print(`${verdicts.length + checks.length - failed - missed} passed, ${failed} failed`);
Deno.exitCode = failed === 0 ? 0 : 1;

/** A row that could not be measured is a failure, and no reason to leave out the others. */
function brokenRow(error: unknown): RowResult {
  const reason = error instanceof Error ? error.stack ?? error.message : String(error);
  return { lines: [], checks: [{ what: "measured", found: 0, expected: 1 }], notes: [reason] };
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

/** Of the last minute; 0 where systems know none. */
function load(): number {
  return Deno.loadavg()[0] ?? 0;
}
