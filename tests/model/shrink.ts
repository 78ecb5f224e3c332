/** Finds a short history that still fails. */
import type { Step } from "./steps.ts";

/** Leaves out what can be left out, greedily, for as long as there is time; `fails` may be wrong now and then. */
export async function shrink(
  steps: readonly Step[],
  fails: (steps: readonly Step[]) => Promise<boolean>,
  { budgetMs }: { readonly budgetMs: number },
): Promise<readonly Step[]> {
  const deadline = performance.now() + budgetMs;
  let shortest = steps;
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    // From the end: what comes early is what later steps are about.
    for (let end = shortest.length; end > 0; end -= size) {
      if (performance.now() > deadline) return shortest;
      const shorter = [...shortest.slice(0, Math.max(0, end - size)), ...shortest.slice(end)];
      if (await fails(shorter)) shortest = shorter;
    }
  }
  return shortest;
}
