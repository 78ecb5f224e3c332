/** Random histories, and the shortest that can be found of one that breaks a promise. */
import { generateSteps } from "./generate_steps.ts";
import { type HistoryReport, runHistory } from "./run_history.ts";
import { shrink } from "./shrink.ts";
import { describeStep, keyOf, type Step } from "./steps.ts";
import type { WorldOptions } from "./world.ts";

const WORLD: WorldOptions = { places: 3, maxConcurrent: 6, orphanGraceMs: 1_000 };
const REST_EVERY = 200;

export interface Verdict {
  /** Empty when nothing was broken; otherwise all that is needed to look into it. */
  readonly broken: string;
  readonly figures: string;
}

/** Lives through `count` random steps, and if they break something looks for a few that do for up to `shrinkMs`. */
export async function checkHistories(
  { seed, count, shrinkMs }: { readonly seed: number; readonly count: number; readonly shrinkMs: number },
): Promise<Verdict> {
  const steps = generateSteps({
    seed,
    from: 0,
    count,
    servers: WORLD.places,
    isFirstKept: false,
    mostHeld: WORLD.maxConcurrent + 3,
    compareEvery: 40,
    restEvery: REST_EVERY,
  });
  const report = await runHistory(steps, WORLD);
  const { figures } = report;
  if (report.broken.length === 0) return { broken: "", figures };
  const last = sinceRest(report.steps);
  let again: HistoryReport | null = null;
  const fails = async (tried: readonly Step[]): Promise<boolean> => {
    const { broken, ...rest } = await runHistory(tried, WORLD);
    if (broken.length > 0) again = { broken, ...rest };
    return broken.length > 0;
  };
  const likely = aboutKeys(last, report.broken.join(" "));
  const few = await shrink(await fails(likely) ? likely : last, fails, { budgetMs: shrinkMs });
  return { broken: [`seed ${seed}, ${count} steps`, ...describe(report, again, few)].join("\n"), figures };
}

/** The steps about servers as a whole and about the requests that the text names. */
function aboutKeys(steps: readonly Step[], text: string): readonly Step[] {
  const named = new Set(text.match(/\bk\d+\b/g));
  const isNamed = (number: number): boolean => named.has(keyOf(number));
  return steps.filter((step) =>
    isNamed(step.number) || "of" in step && [step.of].flat().some(isNamed) || "server" in step && !("tool" in step) ||
    ["blackout", "compare", "rest", "age out"].includes(step.kind)
  );
}

/** What was before the last rest had come to its end. */
export function sinceRest(steps: readonly Step[]): readonly Step[] {
  return steps.slice(steps.findLastIndex(({ kind }, index) => kind === "rest" && index < steps.length - 1) + 1);
}

function describe(first: HistoryReport, again: HistoryReport | null, few: readonly Step[]): string[] {
  return [
    ...first.broken,
    again === null
      ? `These ${few.length} steps came last; they could not be made to break anything again:`
      : `These ${few.length} steps break something again: ${again.broken.join("; ")}`,
    ...few.map(describeStep),
  ];
}
