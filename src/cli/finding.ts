/** One thing that doctor found. `problem`: no agent can start. `warning`: something will not work, or may surprise. */
export interface Finding {
  readonly level: "ok" | "warning" | "problem";
  readonly text: string;
  /** What more there is to know, or for a problem and a warning the way out; each on a line of its own. */
  readonly details?: readonly string[];
}

/** Writes it as a line with its level, and its details below. */
export function formatFinding({ level, text, details = [] }: Finding): string {
  return [`${level.padEnd(9)}${text}`, ...details.map((line) => `${" ".repeat(9)}${line}`)].join("\n");
}

/** Gives what a program said in its first line. */
export function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0] ?? "";
}
