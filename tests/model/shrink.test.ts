import assert from "node:assert/strict";
import { generateSteps } from "./generate_steps.ts";
import { shrink } from "./shrink.ts";

const OPTIONS = {
  seed: 1,
  from: 0,
  count: 100,
  servers: 3,
  isFirstKept: false,
  mostHeld: 9,
  compareEvery: 40,
  restEvery: 50,
};

Deno.test("generateSteps() makes the same history of the same seed and another of another", () => {
  assert.deepEqual(generateSteps(OPTIONS), generateSteps(OPTIONS));
  assert.notDeepEqual(generateSteps(OPTIONS), generateSteps({ ...OPTIONS, seed: 2 }));
});

Deno.test("shrink() leaves only what it takes to fail", async () => {
  const steps = generateSteps(OPTIONS);
  const fails = (tried: typeof steps): boolean =>
    [17, 42].every((number) => tried.some((step) => step.number === number));
  const few = await shrink(steps, (tried) => Promise.resolve(fails([...tried])), { budgetMs: 60_000 });
  assert.deepEqual(few.map(({ number }) => number), [17, 42]);
});

Deno.test("shrink() gives what it has when its time is over", async () => {
  const steps = generateSteps(OPTIONS);
  assert.deepEqual(await shrink(steps, () => Promise.resolve(true), { budgetMs: 0 }), steps);
});
