/** Where the program speaks about itself: stderr and the log file. stdout belongs to MCP. */

import { dirname } from "node:path";

export const LOG_LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR"] as const;
/** The levels of the predecessor's `CODEX_SWARM_LOG_LEVEL`. */
export type LogLevel = typeof LOG_LEVELS[number];

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warning(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Options of {@linkcode createLog}. */
export interface LogOptions {
  readonly level: LogLevel;
  /** Appended to, created with mode 0600; absent writes to stderr only. */
  readonly file?: string;
  /** Default 10 MB: a file that has reached this is kept as `FILE.1`, in the place of an earlier one. */
  readonly maxFileBytes?: number;
  readonly now?: () => Date;
}

const MAX_FILE_BYTES = 10_000_000;
const encoder = new TextEncoder();

/** Makes a log that writes one line per message to stderr and, if there is one, to its file. A full disk never stops the program. */
export function createLog(options: LogOptions): Log {
  if (options.file !== undefined) {
    const directory = dirname(options.file);
    quietly(() => Deno.mkdirSync(directory, { recursive: true, mode: 0o700 }));
  }
  const least = LOG_LEVELS.indexOf(options.level);
  const { now = (): Date => new Date(), maxFileBytes = MAX_FILE_BYTES } = options;
  const write = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (LOG_LEVELS.indexOf(level) < least) return;
    const line = encoder.encode(`${now().toISOString()} ${level} ${message}${formatFields(fields)}\n`);
    quietly(() => Deno.stderr.writeSync(line));
    if (options.file !== undefined) {
      const file = options.file;
      quietly(() => rotate(file, maxFileBytes));
      quietly(() => Deno.writeFileSync(file, line, { append: true, create: true, mode: 0o600 }));
    }
  };
  return {
    debug: (message, fields) => write("DEBUG", message, fields),
    info: (message, fields) => write("INFO", message, fields),
    warning: (message, fields) => write("WARNING", message, fields),
    error: (message, fields) => write("ERROR", message, fields),
  };
}

/** Puts a full file aside. Several servers write to it: whoever holds the lock of the full one may, and only once. */
function rotate(path: string, maxBytes: number): void {
  if (Deno.statSync(path).size < maxBytes) return;
  using file = Deno.openSync(path, { write: true });
  if (!file.tryLockSync(true)) return;
  const full = file.statSync();
  // Of one that was put aside in the meantime, another stands in its place.
  if (full.size < maxBytes || full.ino !== Deno.statSync(path).ino) return;
  Deno.renameSync(path, `${path}.1`);
}

function formatFields(fields: LogFields): string {
  return Object.entries(fields).map(([name, value]) => ` ${name}=${formatValue(value)}`).join("");
}

function formatValue(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(describeError(value));
  return typeof value === "string" ? JSON.stringify(value) : JSON.stringify(value) ?? "undefined";
}

/** A log that cannot be written must not take the agents with it. */
function quietly(action: () => unknown): void {
  try {
    action();
  } catch {
    // nowhere left to say it
  }
}

function describeError(error: Error): string {
  // To map a stack to its sources Deno opens files, and dies where none can be opened.
  const isShortOfFiles = /\(os error (23|24)\)|Too many open files/i.test(error.message);
  return isShortOfFiles ? `${error.name}: ${error.message}` : error.stack ?? error.message;
}
