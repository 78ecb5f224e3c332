/** Figures of samples. Pure. */
import { seededRandom } from "../helpers/random.ts";

/** Samples by round: what was measured within a round was measured at about the same time. */
export type Rounds = readonly (readonly number[])[];

/** How one series of rounds relates to another, with its bootstrap 95 % interval. */
export interface Ratio {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 2_000;

/** The value below which the part `share` of all lies, by nearest rank. Throws for no values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("Cannot take a quantile of nothing");
  return value;
}

/** The value in the middle, or between the two that are. Throws for no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const low = sorted[Math.ceil(sorted.length / 2) - 1];
  const high = sorted[Math.floor(sorted.length / 2)];
  if (low === undefined || high === undefined) throw new RangeError("Cannot take the median of nothing");
  return (low + high) / 2;
}

/**
 * The median over all rounds of the ratio of both medians within a round, so that a machine that is slow for a while
 * changes neither. The interval comes from drawing as many rounds again, the same ones in every run of the program.
 */
export function ratioOf(above: Rounds, below: Rounds): Ratio {
  const ratios = above.map((samples, round) => median(samples) / median(below[round] ?? []));
  const random = seededRandom(1);
  const drawn = Array.from(
    { length: RESAMPLES },
    () => median(ratios.map(() => ratios[random(ratios.length)] ?? Number.NaN)),
  );
  return { value: median(ratios), low: quantile(drawn, 0.025), high: quantile(drawn, 0.975) };
}
