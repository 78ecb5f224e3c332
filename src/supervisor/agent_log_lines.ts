/** The two forms of lines in codex-as-mcp's logs, and what they say. Pure. */

export type LogLineLevel = "INFO" | "WARNING" | "ERROR";

/** What a line of either form says. */
export interface LogLine {
  readonly at: Date;
  readonly level: LogLineLevel;
  readonly event: string;
  readonly message: string;
}

/** `[2026-11-20 09:33:03] INFO    stdout: message`, in UTC and on one line. */
export function textLine({ at, level, event, message }: LogLine): string {
  const time = at.toISOString().slice(0, 19).replace("T", " ");
  // What an agent writes must not steer the terminal of who reads it.
  const text = message.replaceAll(/[^\P{Cc}\t]/gu, " ").toWellFormed();
  return `[${time}] ${level.padEnd(7)} ${event}: ${text}`;
}

/** One JSON object: `ts`, `level`, `event`, `message` and, if there is any, `context`. */
export function jsonLine(
  { at, level, event, message }: LogLine,
  context: Readonly<Record<string, unknown>> = {},
): string {
  const fields = { ts: at.toISOString(), level, event, message };
  return JSON.stringify(Object.keys(context).length === 0 ? fields : { ...fields, context });
}

/** The beginning of a text on one line, as `prompt_preview` shows it. */
export function preview(text: string, maxLength: number): string {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
  return line.length <= maxLength ? line : `${line.slice(0, maxLength - 1)}…`.toWellFormed();
}
