/** Lives through a history and tells what was wrong with it. */
import { BrokenInvariant } from "./calls.ts";
import { perform } from "./perform.ts";
import { describeStep, type Step } from "./steps.ts";
import { World, type WorldOptions } from "./world.ts";

export interface HistoryReport {
  /** What must never be and was; empty when all was well. */
  readonly broken: readonly string[];
  /** All steps that were done; with the last one that was seen. */
  readonly steps: readonly Step[];
  /** In words. */
  readonly figures: string;
}

/** Does all steps, up to the first after which something is broken. `watch` is called after each. */
export async function runHistory(
  steps: Iterable<Step>,
  options: WorldOptions,
  watch: (step: Step, world: World) => Promise<void> | void = () => undefined,
): Promise<HistoryReport> {
  await using world = await World.make(options);
  const startedAt = performance.now();
  const done: Step[] = [];
  for (const step of steps) {
    done.push(step);
    try {
      if (step.isSettled) await world.calls.settle();
      await perform(step, world);
      await world.sample();
      await watch(step, world);
    } catch (error) {
      if (!(error instanceof BrokenInvariant)) throw new Error(`Cannot do ${describeStep(step)}`, { cause: error });
      world.broken.push(error.message);
    }
    if (world.broken.length > 0) break;
  }
  const { broken, requests, ledger: { runs }, servers, mostAtOnce, strangers } = world;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  const figures = `${done.length} steps in ${seconds} s: ${requests.size} requests, ${runs.length} runs, at most ` +
    `${mostAtOnce} agents at once, ${servers.started} servers, ${strangers.count} strangers`;
  return { broken: [...new Set(broken)], steps: done, figures };
}
