import { reasonOf } from "./answers.ts";
import type { Rounds } from "./statistics.ts";

/** One who is measured. */
export interface Entrant {
  /** Unique among those who are measured together. */
  readonly name: string;
  /** Measures once, or a few times in a row. */
  readonly sample: () => Promise<readonly number[]>;
  /** One that may fail: it drops out and the others go on. */
  readonly isPeer?: boolean;
}

/** What was measured, without those who dropped out, and why these did. */
export interface Measured {
  readonly rounds: ReadonlyMap<string, Rounds>;
  readonly dropped: readonly string[];
}

/**
 * Measures all in turn, forwards and then backwards in each round (A B B A), so that neither a slow moment of the
 * machine nor the place in the order favours anybody. The first round warms up and is dropped.
 */
export async function interleave(entrants: readonly Entrant[], rounds: number): Promise<Measured> {
  const series = new Map(entrants.map(({ name }) => [name, new Array<number[]>()]));
  const dropped: string[] = [];
  for (let round = 0; round <= rounds; round++) {
    for (const { name } of entrants) series.get(name)?.push([]);
    for (const { name, sample, isPeer } of [...entrants, ...entrants.toReversed()]) {
      const all = series.get(name);
      if (all === undefined) continue;
      try {
        all.at(-1)?.push(...await sample());
      } catch (error) {
        if (isPeer !== true) throw error;
        series.delete(name);
        dropped.push(`${name}: ${reasonOf(error)}`);
      }
    }
  }
  return { rounds: new Map([...series].map(([name, all]) => [name, all.slice(1)])), dropped };
}

/** Lets time pass, if there is any to. A bench measures time and has to spend it. */
export async function pass(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
