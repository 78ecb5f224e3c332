/** Reads when a limit lifts out of Codex's sentence about it. */

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** `try again at 6:40 PM`: Codex leaves the day out when it is today's, in the local time zone. */
const TIME_OF_DAY = /try again at (\d{1,2}):(\d\d) ?(AM|PM)/i;
/** `try again at Nov 25th, 2026 6:40 PM`, local time too. */
const DATE_AND_TIME = /try again at ([A-Z][a-z]{2}) (\d{1,2})(?:st|nd|rd|th)?,? (\d{4}),? (\d{1,2}):(\d\d) ?(AM|PM)/i;
/** `try again in 3 days 2 hours 5 minutes` of older versions, `try again in 1.5s` of the API. */
const DURATION = /try again in ((?:\d+(?:\.\d+)?\s*(?:days?|hours?|minutes?|seconds?|ms|[dhms])\b,?\s*(?:and\s+)?)+)/i;

const UNIT_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** Returns the instant at which Codex says to try again, or `null`. `now` is when Codex said it. */
export function parseResetTime(message: string, now: Date): Date | null {
  const date = DATE_AND_TIME.exec(message);
  if (date !== null) {
    const [, month = "", day, year, hour, minute, half] = date;
    const monthIndex = MONTHS.findIndex((name) => name.toLowerCase() === month.toLowerCase());
    if (monthIndex < 0) return null;
    return new Date(Number(year), monthIndex, Number(day), hourOf(hour, half), Number(minute));
  }
  const time = TIME_OF_DAY.exec(message);
  if (time !== null) {
    const [, hour, minute, half] = time;
    return new Date(now.getFullYear(), now.getMonth(), now.getDate(), hourOf(hour, half), Number(minute));
  }
  const duration = DURATION.exec(message);
  return duration === null ? null : new Date(now.getTime() + durationMs(duration[1] ?? ""));
}

function hourOf(hour: string | undefined, half: string | undefined): number {
  return Number(hour) % 12 + (half?.toUpperCase() === "PM" ? 12 : 0);
}

function durationMs(text: string): number {
  let total = 0;
  for (const [, amount, unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)) {
    total += Number(amount) * unitMs(unit.toLowerCase());
  }
  return total;
}

function unitMs(unit: string): number {
  if (unit === "ms") return UNIT_MS.ms;
  if (unit.startsWith("d")) return UNIT_MS.d;
  if (unit.startsWith("h")) return UNIT_MS.h;
  return unit.startsWith("m") ? UNIT_MS.m : UNIT_MS.s;
}
