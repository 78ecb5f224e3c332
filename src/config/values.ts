/** Reads the values of flags and variables. Each function gives `null` for what it cannot read. */
import { LOG_LEVELS, type LogLevel } from "../log.ts";

/** What {@linkcode parseDuration} takes, in words. */
export const DURATION_FORM = "seconds or a number with s, m, h or d, such as 90s, 30m, 8h, 2d";

const UNIT_MS: Readonly<Record<string, number>> = { "": 1_000, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads a duration as milliseconds; a number without a unit is in seconds. */
export function parseDuration(text: string): number | null {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?([smhd]?)$/i.exec(text.trim()) ?? [];
  if (amount === undefined || unit === undefined) return null;
  const ms = Math.round(Number(amount) * (UNIT_MS[unit.toLowerCase()] ?? NaN));
  return Number.isSafeInteger(ms) ? ms : null;
}

export function parseWholeNumber(text: string): number | null {
  const number = /^\d+$/.test(text.trim()) ? Number(text) : NaN;
  return Number.isSafeInteger(number) ? number : null;
}

export function parseSwitch(text: string): boolean | null {
  const word = text.trim().toLowerCase();
  if (["1", "true", "yes"].includes(word)) return true;
  return ["0", "false", "no"].includes(word) ? false : null;
}

/** Reads a log level, by the other names that Python gave the predecessor too. */
export function parseLogLevel(text: string): LogLevel | null {
  const word = text.trim().toUpperCase();
  if (word === "WARN") return "WARNING";
  if (word === "CRITICAL" || word === "FATAL") return "ERROR";
  return LOG_LEVELS.find((level) => level === word) ?? null;
}

/** Splits `KEY=VALUE` at the first `=`; `null` without one or with an empty key. */
export function parsePair(text: string): { readonly key: string; readonly value: string } | null {
  const at = text.indexOf("=");
  return at < 1 ? null : { key: text.slice(0, at), value: text.slice(at + 1) };
}
