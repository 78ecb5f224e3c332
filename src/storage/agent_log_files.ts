/** The directory of codex-as-mcp's logs: what lies there, under which names, and how it is tidied up. */
import { basename, join } from "node:path";
import { reasonOf } from "../task/errors.ts";

const LOG = /^codex_agent_.+\.log$/;
/** Also rotated logs, and final messages that codex-as-mcp has left behind. */
const ANY_FILE = /^codex_agent_.+\.(log(\.\d+)?|last_message\.md)$/;
const NAME = /^(codex_agent_.+\.log)(\.\d+)?$/;
const LOG_ID = /_([0-9a-f]{8})\.log$/;

/** A file in the directory of logs. */
export interface LogFile {
  readonly path: string;
  readonly size: number;
  readonly modified: Date;
}

/** A file that is still there, and why. */
export interface RemovalFailure {
  readonly path: string;
  readonly reason: string;
}

/** A fresh name for a log: `codex_agent_<YYYYmmdd-HHMMSS>_<pid of this server>[_<index>]_<8 hex>.log`, in UTC. */
export function newLogPath(directory: string, { at, index }: { readonly at: Date; readonly index?: number }): string {
  const time = at.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
  const id = crypto.randomUUID().slice(0, 8);
  const parts = [time, String(Deno.pid), ...(index === undefined ? [] : [String(index)]), id];
  return join(directory, `codex_agent_${parts.join("_")}.log`);
}

/** What tells a log's agent from others: the end of its name. */
export function logIdOf(path: string): string {
  return LOG_ID.exec(basename(path))?.[1] ?? "";
}

/** The name of the log that a file belongs to, as part of it. */
export function logNameOf(path: string): string {
  return NAME.exec(basename(path))?.[1] ?? basename(path);
}

/** The logs, the newest first, without those that were rotated; none where there is no directory. */
export async function listLogs(directory: string): Promise<LogFile[]> {
  return await listFiles(directory, LOG);
}

/** All files of agents, the newest first. */
export async function listAgentFiles(directory: string): Promise<LogFile[]> {
  return await listFiles(directory, ANY_FILE);
}

/** Removes files; one that cannot be removed keeps no other from it. */
export async function removeLogFiles(
  files: readonly LogFile[],
  remove: (path: string) => Promise<void> = Deno.remove,
): Promise<{ readonly gone: readonly LogFile[]; readonly failures: readonly RemovalFailure[] }> {
  const gone: LogFile[] = [];
  const failures: RemovalFailure[] = [];
  for (const file of files) {
    try {
      await remove(file.path);
      gone.push(file);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      failures.push({ path: file.path, reason: reasonOf(error) });
    }
  }
  return { gone, failures };
}

async function listFiles(directory: string, pattern: RegExp): Promise<LogFile[]> {
  let names: string[];
  try {
    names = (await Array.fromAsync(Deno.readDir(directory))).filter(({ isFile, name }) => isFile && pattern.test(name))
      .map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  const files = await Promise.all(names.map((name) => lookAt(join(directory, name))));
  return files.filter((file) => file !== null)
    .sort((a, b) => b.modified.getTime() - a.modified.getTime() || (a.path < b.path ? 1 : -1));
}

/** `null` for a file that was removed meanwhile. */
async function lookAt(path: string): Promise<LogFile | null> {
  try {
    const { size, mtime } = await Deno.lstat(path);
    return { path, size, modified: mtime ?? new Date(0) };
  } catch {
    return null;
  }
}
