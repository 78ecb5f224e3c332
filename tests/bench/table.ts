/** The table as text, and the verdicts in it. Pure. */
import { FLOOR, OURS } from "./contestants.ts";
import { median, type Ratio, ratioOf, type Rounds } from "./statistics.ts";

export type Unit = "ms" | "/s" | "MB" | "%" | "";

/** A figure of one contestant. */
export interface Cell {
  readonly value: number;
  /** What it was made of, where it was measured in rounds. */
  readonly rounds?: Rounds;
}

/** What a figure must be at most. */
export interface Target {
  readonly words: string;
  readonly value: number;
  readonly bound: number;
}

/** One line of the table: a figure of each contestant that has one, by column. */
export interface Line {
  readonly what: string;
  readonly unit: Unit;
  readonly cells: Readonly<Record<string, Cell>>;
  /** Ours to the floor and to each peer, by column. */
  readonly ratios: Readonly<Record<string, Ratio>>;
  readonly target?: Target;
}

/** Something that is right or wrong, however slow the machine. */
export interface Check {
  readonly what: string;
  readonly found: number;
  readonly expected: number;
}

/** What a row gives. */
export interface RowResult {
  readonly lines: readonly Line[];
  readonly checks: readonly Check[];
  /** Who could not take part, or what could not be measured here, and why. */
  readonly notes: readonly string[];
}

/** A miss beyond this many times the bound fails the run: machines differ, but not that much. */
export const GROSS = 2;

export type Verdict = "met" | "missed" | "FAILED";

/**
 * What became of a line's target; `null` without one. `busy`: how many shared each core when the row began, at least 1;
 * as much later everything may be. Memory and CPU time are no less for it.
 */
export function verdictOf({ unit, target }: Pick<Line, "unit" | "target">, busy: number): Verdict | null {
  if (target === undefined) return null;
  const { value, bound } = target;
  if (value <= bound) return "met";
  return value <= GROSS * (unit === "MB" || unit === "%" ? 1 : busy) * bound ? "missed" : "FAILED";
}

/** A line of figures that were measured in rounds. `statistic` makes one of all samples; its default is the median. */
export function lineOf(
  what: string,
  { unit = "ms", rounds, statistic = median, target }: {
    readonly unit?: Unit;
    readonly rounds: Readonly<Record<string, Rounds | undefined>>;
    readonly statistic?: (samples: readonly number[]) => number;
    /** Is given ours to the floor, and our figure. */
    readonly target?: (toFloor: number, value: number) => Target;
  },
): Line {
  const there = Object.entries(rounds).flatMap(([name, all]) => all === undefined ? [] : [[name, all] as const]);
  const cells = there.map(([name, all]) => [name, { value: statistic(all.flat()), rounds: all }] as const);
  const ours = rounds[OURS];
  // Ratios are of medians within a round: of the slowest few in it they would say nothing.
  const compared = ours === undefined || statistic !== median ? [] : there.filter(([name]) => name !== OURS);
  const ratios = Object.fromEntries(compared.map(([name, all]) => [name, ratioOf(ours ?? [], all)]));
  const value = cells.find(([name]) => name === OURS)?.[1].value ?? Number.NaN;
  return {
    what,
    unit,
    cells: Object.fromEntries(cells),
    ratios,
    ...(target === undefined ? {} : { target: target(ratios[FLOOR]?.value ?? Number.NaN, value) }),
  };
}

/** A line of figures that were measured once. */
export function plainLine(
  what: string,
  { unit = "ms", values, target }: {
    readonly unit?: Unit;
    readonly values: Readonly<Record<string, number | undefined>>;
    readonly target?: Target;
  },
): Line {
  const cells = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, { value }] as const]
  );
  return { what, unit, cells: Object.fromEntries(cells), ratios: {}, ...(target === undefined ? {} : { target }) };
}

const WHAT = 45;
const FIGURE = 11;
const RATIO = 23;
const TARGET = 26;

/** The names of the columns. */
export function headText(peers: readonly string[]): string {
  const columns = [FLOOR, OURS].map((name) => name.padStart(FIGURE)).join("");
  const others = peers.map((name) => name.padStart(FIGURE) + `ours / ${name}`.padStart(RATIO)).join("");
  return `${"".padEnd(WHAT)}${columns}${"ours / floor [95 %]".padStart(RATIO)}${others}  ${"target".padEnd(TARGET)}`
    .trimEnd();
}

export function lineText(
  line: Line,
  { peers, busy }: { readonly peers: readonly string[]; readonly busy: number },
): string {
  const { what, unit, cells, ratios, target } = line;
  const figure = (name: string): string => figureText(cells[name]?.value, unit).padStart(FIGURE);
  const ratio = (name: string): string => ratioText(ratios[name]).padStart(RATIO);
  const others = peers.map((name) => figure(name) + ratio(name)).join("");
  const verdict = target === undefined ? "" : `${target.words.padEnd(TARGET)}${verdictOf(line, busy)}`;
  return `${what.padEnd(WHAT)}${figure(FLOOR)}${figure(OURS)}${ratio(FLOOR)}${others}  ${verdict}`.trimEnd();
}

export function checkText({ what, found, expected }: Check): string {
  const verdict = found === expected ? "right" : "WRONG";
  return `${`  ${what}`.padEnd(WHAT)}${`${found} of ${expected}`.padStart(2 * FIGURE)}  ${verdict}`;
}

function figureText(value: number | undefined, unit: Unit): string {
  if (value === undefined) return "";
  return `${value.toFixed(Number.isInteger(value) ? 0 : digitsOf(value))}${unit === "" ? "" : ` ${unit}`}`;
}

function digitsOf(value: number): number {
  return value < 10 ? 2 : value < 1_000 ? 1 : 0;
}

/** `~`: one cannot be told from the other. */
function ratioText(ratio: Ratio | undefined): string {
  if (ratio === undefined) return "";
  const { value, low, high } = ratio;
  const [at, from, to] = [value, low, high].map((each) => each.toFixed(digitsOf(value)));
  return `${at} [${from} ${to}]${low <= 1 && high >= 1 ? "~" : " "}`;
}
