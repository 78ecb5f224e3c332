import type { Bench } from "./contestants.ts";
import type { RowResult } from "./table.ts";

/** One thing that is measured. */
export interface Row {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  readonly run: (bench: Bench) => Promise<RowResult>;
}
