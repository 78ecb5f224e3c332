import assert from "node:assert/strict";
import { shimYard } from "../helpers/shim_yard.ts";

const ignore = Deno.build.os !== "linux";
const BLOCK = 64 * 1024 * 1024;

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

Deno.test({ name: "F23: with 2 GB in memory a run is started as quickly as without", ignore }, async () => {
  await using yard = await shimYard();
  const start = async (): Promise<number> => {
    const from = performance.now();
    const run = yard.start("exit 0");
    const tookMs = performance.now() - from;
    await run.ended;
    return tookMs;
  };
  const forked = async (): Promise<number> => {
    const from = performance.now();
    const child = new Deno.Command("/bin/true", { stdin: "null", stdout: "null", stderr: "null", detached: true })
      .spawn();
    const tookMs = performance.now() - from;
    await child.status;
    return tookMs;
  };
  const median = async (measure: () => Promise<number>): Promise<number> => {
    const values: number[] = [];
    for (let round = 0; round < 15; round++) values.push(await measure());
    return medianOf(values);
  };
  await start();
  const [small, smallForked] = [await median(start), await median(forked)];
  const blocks = Array.from({ length: 32 }, () => new Uint8Array(BLOCK).fill(1));
  const [large, largeForked] = [await median(start), await median(forked)];
  assert.equal(blocks.length * BLOCK, 2 ** 31);
  assert.ok(large < 5 * small + 5, `${small} ms without, ${large} ms with them`);
  // Control: whoever is forked waits until all that memory is written down for him.
  assert.ok(largeForked > 5 * smallForked, `${smallForked} ms without, ${largeForked} ms with them`);
});
