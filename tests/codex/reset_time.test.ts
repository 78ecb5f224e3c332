import assert from "node:assert/strict";
import { parseResetTime } from "../../src/codex/reset_time.ts";

const NOW = new Date(2026, 10, 20, 12, 30, 5);

const table: readonly (readonly [message: string, resetsAt: Date | null])[] = [
  ["purchase more credits or try again at 6:40 PM.", new Date(2026, 10, 20, 18, 40)],
  ["Try again at 12:05 AM.", new Date(2026, 10, 20, 0, 5)],
  ["Try again at 12:05 PM.", new Date(2026, 10, 20, 12, 5)],
  ["or try again at Nov 23rd, 2026 6:38 AM.", new Date(2026, 10, 23, 6, 38)],
  ["or try again at Dec 1st, 2026 12:00 PM.", new Date(2026, 11, 1, 12, 0)],
  ["Try again at Jan 12th, 2027 11:59 PM.", new Date(2027, 0, 12, 23, 59)],
  ["Try again in 3 days 2 hours 5 minutes.", new Date(NOW.getTime() + ((3 * 24 + 2) * 60 + 5) * 60_000)],
  ["or try again in 1 hour 1 minute.", new Date(NOW.getTime() + 61 * 60_000)],
  ["Please try again in 1.5s.", new Date(NOW.getTime() + 1_500)],
  ["Please try again in 20ms.", new Date(NOW.getTime() + 20)],
  ["Please try again in 35 seconds.", new Date(NOW.getTime() + 35_000)],
  ["or try again later.", null],
  ["Try again at Foo 1st, 2026 1:00 AM.", null],
  ["", null],
];

for (const [message, resetsAt] of table) {
  Deno.test(`parseResetTime() reads ${JSON.stringify(message)}`, () => {
    assert.deepEqual(parseResetTime(message, NOW), resetsAt);
  });
}
