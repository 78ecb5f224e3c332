/** Reads the ledger that the fake Codex writes: what really ran, to be compared with what the program says. */

export interface LedgerEntry {
  readonly pid: number;
  /** `null` when the run was refused before it had a thread. */
  readonly threadId: string | null;
  /** Empty for the quick variant. */
  readonly args: readonly string[];
  readonly cwd: string;
  /** Its first 200 characters. */
  readonly prompt: string;
  /** `null` for the quick variant, which asks no clock. */
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  /** `null` while it runs, and for ever when a signal ended it. */
  readonly exitCode: number | null;
}

export interface Ledger {
  readonly entries: LedgerEntry[];
  /** How many ran at the same time at most; a run that a signal ended counts as running for ever. */
  readonly mostAtOnce: number;
}

export function readLedger(path: string): Ledger {
  const entries: LedgerEntry[] = [];
  let running = 0;
  let mostAtOnce = 0;
  for (const line of readText(path).split("\n")) {
    if (line === "") continue;
    const value: unknown = JSON.parse(line);
    if (get(value, "event") === "start") {
      entries.push(startedEntry(value));
      mostAtOnce = Math.max(mostAtOnce, ++running);
      continue;
    }
    running--;
    // A pid may have been used before: the last start without an end is the one.
    const index = entries.findLastIndex((entry) => entry.pid === get(value, "pid") && entry.exitCode === null);
    const entry = entries[index];
    if (entry === undefined) throw new Error(`Cannot read ${path}: it has an end without a start: ${line}`);
    entries[index] = { ...entry, endedAt: toDate(get(value, "ended_at")), exitCode: Number(get(value, "exit_code")) };
  }
  return { entries, mostAtOnce };
}

function startedEntry(value: unknown): LedgerEntry {
  const threadId = get(value, "thread_id");
  const args = get(value, "args");
  return {
    pid: Number(get(value, "pid")),
    threadId: typeof threadId === "string" ? threadId : null,
    args: Array.isArray(args) ? args.map(String) : [],
    cwd: String(get(value, "cwd") ?? ""),
    prompt: String(get(value, "prompt") ?? ""),
    startedAt: toDate(get(value, "started_at")),
    endedAt: null,
    exitCode: null,
  };
}

function toDate(value: unknown): Date | null {
  return typeof value === "string" ? new Date(value) : null;
}

function get(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
