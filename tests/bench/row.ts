/** One line of the table: a figure, and the bound it must keep if there is one. */
export interface Row {
  readonly what: string;
  readonly value: string;
  readonly bound?: string;
  /** Absent where there is no bound. */
  readonly isKept?: boolean;
}

/** The value in the middle. Throws for no values. */
export function median(values: readonly number[]): number {
  const value = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  if (value === undefined) throw new RangeError("Cannot take the median of nothing");
  return value;
}

/** A duration to be shown. */
export function formatMs(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
}
