/** `deno task bench`: ratios and counts of one run on this machine, and exit code 1 if one of them is out of bounds. */
import { benchColdStart } from "./cold_start.ts";
import { benchCrowd } from "./crowd.ts";
import { benchLongLog } from "./long_log.ts";
import type { Row } from "./row.ts";
import { benchWaitLatency } from "./wait_latency.ts";

const rows: Row[] = [];
for (const bench of [benchColdStart, benchWaitLatency, benchLongLog, benchCrowd]) {
  for (const row of await bench()) {
    rows.push(row);
    print(row);
  }
}
const bounds = rows.filter(({ isKept }) => isKept !== undefined);
const missed = bounds.filter(({ isKept }) => isKept === false);
Deno.stdout.writeSync(new TextEncoder().encode(`${bounds.length - missed.length} passed, ${missed.length} failed\n`));
Deno.exit(missed.length === 0 ? 0 : 1);

function print({ what, value, bound = "", isKept }: Row): void {
  const verdict = isKept === undefined ? "" : isKept ? "ok" : "MISSED";
  const line = `${what.padEnd(46)}${value.padStart(14)}  ${bound.padEnd(9)} ${verdict}`.trimEnd();
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
