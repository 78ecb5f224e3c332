import assert from "node:assert/strict";
import { judgeSoak } from "./soak_figures.ts";

/** A sample each second of 5 minutes. */
function judge(rssKib: (second: number) => number, files: (second: number) => number): boolean[] {
  const samples = Array.from({ length: 300 }, (_, second) => ({
    atMs: second * 1_000,
    isIdle: second % 30 === 0,
    rssKib: rssKib(second),
    files: files(second),
  }));
  return judgeSoak(samples, { minutes: 5 }).map(({ isKept }) => isKept);
}

Deno.test("judgeSoak() leaves a server its warm-up and its waves, and files that are open for a while", () => {
  const memory = (second: number): number => 100_000 + (second < 60 ? 500 * second : 0) + 5_000 * (second % 2);
  assert.deepEqual(judge(memory, (second) => second % 30 === 0 ? 28 + second % 3 : 90), [true, true]);
});

Deno.test("judgeSoak() tells a server that grows, and one that leaves files open", () => {
  assert.deepEqual(judge((second) => 100_000 + 200 * second, () => 28), [false, true]);
  assert.deepEqual(judge(() => 100_000, (second) => 28 + second / 30), [true, false]);
});
