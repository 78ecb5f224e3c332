import assert from "node:assert/strict";
import { FLOOR, OURS } from "./contestants.ts";
import { median, quantile, ratioOf } from "./statistics.ts";
import { checkText, headText, lineOf, lineText, plainLine, verdictOf } from "./table.ts";

Deno.test("figures of samples are what they are called", () => {
  assert.deepEqual([median([3, 1, 2]), median([4, 1, 2, 3])], [2, 2.5]);
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.deepEqual([quantile(hundred, 0.99), quantile(hundred, 0.01), quantile([5], 0.99)], [99, 1, 5]);
  assert.throws(() => median([]), RangeError);
});

Deno.test("ratioOf() compares within rounds, whatever the machine does between them", () => {
  const floor = [[1, 1], [10, 10], [100, 100], [5, 5]];
  const ours = floor.map((round) => round.map((ms) => 2 * ms));
  assert.deepEqual(ratioOf(ours, floor), { value: 2, low: 2, high: 2 });
  const { value, low, high } = ratioOf([[1], [2], [3], [4], [5]], [[1], [1], [1], [1], [1]]);
  assert.equal(value, 3);
  assert.ok(low >= 1 && low < 3 && high > 3 && high <= 5, `${low} ${high}`);
});

Deno.test("a target is met, missed, or failed beyond twice its bound", () => {
  const verdicts = (busy: number, unit: "ms" | "MB" = "ms"): (string | null)[] =>
    [10, 10.1, 20, 20.1, Number.NaN].map((value) =>
      verdictOf({ unit, target: { words: "≤ 10", value, bound: 10 } }, busy)
    );
  assert.deepEqual(verdicts(1), ["met", "missed", "missed", "FAILED", "FAILED"]);
  assert.deepEqual(verdicts(1.5), ["met", "missed", "missed", "missed", "FAILED"]);
  assert.deepEqual(verdicts(1.5, "MB"), verdicts(1));
  assert.equal(verdictOf({ unit: "ms" }, 1), null);
});

Deno.test("a line shows who was measured, the ratios, and what cannot be told from 1", () => {
  const line = lineOf("spawn", {
    rounds: { [FLOOR]: [[1], [1]], [OURS]: [[4], [4]], "peer 1": undefined, "peer 2": [[3], [5]] },
    target: (value) => ({ words: "≤ 3 × floor", value, bound: 3 }),
  });
  assert.equal(
    lineText(line, { peers: ["peer 1", "peer 2"], busy: 1 }).replaceAll(/ +/g, " "),
    "spawn 1 ms 4 ms 4.00 [4.00 4.00] 4 ms 1.07 [0.80 1.33]~ ≤ 3 × floor missed",
  );
  assert.match(
    lineText(plainLine("size", { unit: "MB", values: { [OURS]: 1234.5 } }), { peers: [], busy: 1 }),
    /^size +1235 MB$/,
  );
  assert.ok(headText(["peer 1"]).includes("ours / peer 1"));
  assert.match(checkText({ what: "codes", found: 1, expected: 2 }), /1 of 2 +WRONG$/);
});
