/** From a cold process to the answer to `initialize`, against a server that does nothing on the same SDK. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "../../.github/scripts/bundle.ts";
import { RUN_FLAGS } from "../../.github/scripts/run_flags.ts";
import { baseEnvironment } from "../helpers/swarm.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { formatMs, median, type Row } from "./row.ts";

const ROUNDS = 25;
const MAX_RATIO = 1.35;
const INITIALIZE = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "bench", version: "1.0.0" } },
});

/** Starts each in turn, forwards and backwards, so that a slow moment of the machine hits all of them. */
export async function benchColdStart(): Promise<Row[]> {
  await using directory = await tempDirectory();
  const sources = [
    ["ours", fileURLToPath(new URL("../../main.ts", import.meta.url)), "--state-dir", join(directory.path, "state")],
    ["empty", fileURLToPath(new URL("./empty_server.ts", import.meta.url))],
    ["bare", fileURLToPath(new URL("./bare_deno.ts", import.meta.url))],
  ] as const;
  const programs = [];
  for (const [name, source, ...args] of sources) {
    const file = join(directory.path, `${name}.js`);
    await bundle(file, source);
    programs.push({ times: new Array<number>(), file, args, cwd: directory.path });
  }
  for (let round = 0; round <= ROUNDS; round++) {
    for (const program of round % 2 === 0 ? programs : programs.toReversed()) {
      const time = await timeToInitialize(program);
      // The first start fills Deno's caches.
      if (round > 0) program.times.push(time);
    }
  }
  const [ours = [], empty = [], bare = []] = programs.map(({ times }) => times);
  const ratio = median(ours.map((time, round) => time / (empty[round] ?? NaN)));
  const toBare = median(ours.map((time, round) => time / (bare[round] ?? NaN)));
  return [
    { what: "cold start to initialize, bundle", value: formatMs(median(ours)) },
    { what: "  an empty server on the same SDK", value: formatMs(median(empty)) },
    { what: "  bare Deno", value: formatMs(median(bare)) },
    {
      what: "  ratio to the empty server",
      value: ratio.toFixed(2),
      bound: `≤ ${MAX_RATIO}`,
      isKept: ratio <= MAX_RATIO,
    },
    { what: "  ratio to bare Deno", value: toBare.toFixed(2) },
  ];
}

async function timeToInitialize(
  { file, args, cwd }: { readonly file: string; readonly args: readonly string[]; readonly cwd: string },
): Promise<number> {
  const startedAt = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-config", "--no-lock", ...RUN_FLAGS, file, ...args],
    cwd,
    clearEnv: true,
    env: baseEnvironment(cwd),
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(`${INITIALIZE}\n`));
  const output = child.stdout.getReader();
  const { value } = await output.read();
  const time = performance.now() - startedAt;
  assert.match(new TextDecoder().decode(value), /"result"/);
  // Bare Deno has gone by now.
  await input.close().catch(() => undefined);
  await output.cancel();
  await child.status;
  return time;
}
