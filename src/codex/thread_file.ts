/** Reads what Codex recorded about a thread: how its last turn ran, and what it has used. */
import { join } from "node:path";
import { SANDBOX_MODES, type SandboxMode } from "../task/spec.ts";
import type { Usage } from "../task/event.ts";
import { builtInPermissions } from "./config_layers.ts";
import { booleanAt, type JsonObject, numberAt, objectAt, parseObject, textAt, textsAt } from "./json_object.ts";
import { parseUsage } from "./parse_events.ts";

/** What a thread's last turn had; `null` where the record does not say. */
export interface ThreadFacts {
  readonly cwd: string | null;
  readonly sandbox: SandboxMode | null;
  readonly network: boolean | null;
  /** Writable directories besides `cwd`. */
  readonly addDirs: readonly string[];
  readonly model: string | null;
  readonly effort: string | null;
  /** Cumulative over the thread. */
  readonly usage: Usage | null;
  /** When the usage limit lifts that the thread met last; Codex knows it only of an account of its own provider. */
  readonly limitResetsAt: Date | null;
}

/** Something that can be read from its end. */
interface Source {
  readonly size: number;
  read(start: number, length: number): Promise<Uint8Array>;
}

const UUID_V7 = /^([0-9a-f]{8})-([0-9a-f]{4})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DAY_MS = 86_400_000;
/** Bytes read at a time; the last turn mostly fits into one. */
const BLOCK_BYTES = 256 * 1024;
/** More than any sound record; a compressed one is unpacked in memory. */
const MAX_UNPACKED_BYTES = 512 * 1024 * 1024;
const NEWLINE = 10;

/** Finds the record of a thread and reads its end; `null` if Codex has no such thread. */
export async function readThread(
  options: { readonly codexHome: string; readonly threadId: string },
): Promise<ThreadFacts | null> {
  const path = await findThreadFile(options.codexHome, options.threadId);
  if (path === null) return null;
  if (path.endsWith(".zst")) return await readFacts(await unpack(path));
  using file = await Deno.open(path);
  const { size } = await file.stat();
  return await readFacts({ size, read: (start, length) => readAt(file, start, length) });
}

/** A thread's file lies in the folder of the local day it began on, which its id tells but for the time zone. */
async function findThreadFile(codexHome: string, threadId: string): Promise<string | null> {
  const match = UUID_V7.exec(threadId);
  if (match === null) return null;
  const sessions = join(codexHome, "sessions");
  const started = parseInt(`${match[1]}${match[2]}`, 16);
  const likely = [0, -DAY_MS, DAY_MS].map((offset) => {
    const day = new Date(started + offset).toISOString().slice(0, 10);
    return join(sessions, ...day.split("-"));
  });
  for (const folder of likely) {
    const found = await findIn(folder, threadId);
    if (found !== null) return found;
  }
  return await findBelow(sessions, threadId, 3) ?? await findBelow(join(codexHome, "archived_sessions"), threadId, 3);
}

async function findIn(folder: string, threadId: string): Promise<string | null> {
  const ends = [`-${threadId.toLowerCase()}.jsonl`, `-${threadId.toLowerCase()}.jsonl.zst`];
  for (const { name, isFile } of await entriesOf(folder)) {
    if (isFile && name.startsWith("rollout-") && ends.some((end) => name.endsWith(end))) return join(folder, name);
  }
  return null;
}

async function findBelow(folder: string, threadId: string, depth: number): Promise<string | null> {
  const found = await findIn(folder, threadId);
  if (found !== null || depth === 0) return found;
  const folders = (await entriesOf(folder)).filter((entry) => entry.isDirectory).map((entry) => entry.name);
  for (const name of folders.toSorted().toReversed()) {
    const below = await findBelow(join(folder, name), threadId, depth - 1);
    if (below !== null) return below;
  }
  return null;
}

async function entriesOf(folder: string): Promise<readonly Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return [];
    throw error;
  }
}

/** Codex packs records that were not used for long. */
async function unpack(path: string): Promise<Source> {
  const { zstdDecompressSync } = await import("node:zlib");
  const bytes = zstdDecompressSync(await Deno.readFile(path), { maxOutputLength: MAX_UNPACKED_BYTES });
  return {
    size: bytes.length,
    read: (start, length) => Promise.resolve(bytes.subarray(start, start + length)),
  };
}

async function readAt(file: Deno.FsFile, start: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await file.seek(start, Deno.SeekMode.Start);
  let filled = 0;
  while (filled < length) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

async function readFacts(source: Source): Promise<ThreadFacts> {
  let turn: JsonObject | null = null;
  let usage: Usage | null = null;
  let limits: JsonObject | null = null;
  let meta: JsonObject | null = null;
  for await (const line of linesFromEnd(source)) {
    if (turn === null && line.includes('"turn_context"')) turn = payloadOf(line, "turn_context");
    if ((usage === null || limits === null) && line.includes('"token_count"')) {
      const payload = payloadOf(line, "event_msg");
      usage ??= usageOf(payload);
      limits ??= limitsOf(payload);
    }
    // The first line of the file, met last: all there is when no turn ever began.
    if (line.includes('"session_meta"')) meta = payloadOf(line, "session_meta") ?? meta;
    if (turn !== null && usage !== null) break;
  }
  const context = turn ?? {};
  const policy = objectAt(context, "sandbox_policy");
  const settings = objectAt(objectAt(context, "collaboration_mode"), "settings");
  const sandbox = sandboxOf(policy, objectAt(context, "active_permission_profile"));
  return {
    cwd: textAt(context, "cwd") ?? textAt(meta ?? {}, "cwd"),
    sandbox,
    network: booleanAt(policy, "network_access") ?? (sandbox === null ? null : sandbox === "danger-full-access"),
    addDirs: textsAt(policy, "writable_roots"),
    model: textAt(context, "model"),
    effort: textAt(context, "effort") ?? textAt(settings, "reasoning_effort"),
    usage,
    limitResetsAt: resetOf(limits ?? {}),
  };
}

async function* linesFromEnd(source: Source): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  /** Blocks of a line whose start has not been met yet, the last one first. */
  let tail: Uint8Array[] = [];
  for (let end = source.size; end > 0;) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const block = await source.read(start, end - start);
    let stop = block.length;
    for (let at = block.lastIndexOf(NEWLINE); at >= 0; at = at === 0 ? -1 : block.lastIndexOf(NEWLINE, at - 1)) {
      yield decoder.decode(joined([...tail, block.subarray(at + 1, stop)]));
      tail = [];
      stop = at;
    }
    tail.push(block.subarray(0, stop));
    end = start;
  }
  yield decoder.decode(joined(tail));
}

function joined(lastFirst: readonly Uint8Array[]): Uint8Array {
  const [only] = lastFirst;
  if (lastFirst.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(lastFirst.reduce((sum, part) => sum + part.length, 0));
  let at = whole.length;
  for (const part of lastFirst) {
    at -= part.length;
    whole.set(part, at);
  }
  return whole;
}

/** The word may stand in somebody's text, so the line's own type decides. */
function payloadOf(line: string, type: string): JsonObject | null {
  const value = parseObject(line);
  return value?.["type"] === type ? objectAt(value, "payload") : null;
}

function usageOf(payload: JsonObject | null): Usage | null {
  if (payload === null || payload["type"] !== "token_count") return null;
  return parseUsage(objectAt(payload, "info")["total_token_usage"]);
}

/** Codex says with each count how far the account's limits are used up. */
function limitsOf(payload: JsonObject | null): JsonObject | null {
  if (payload === null || payload["type"] !== "token_count") return null;
  const limits = objectAt(payload, "rate_limits");
  return Object.keys(limits).length === 0 ? null : limits;
}

/** The last of the limits that are used up to lift. */
function resetOf(limits: JsonObject): Date | null {
  const resets = ["primary", "secondary"].flatMap((name) => {
    const limit = objectAt(limits, name);
    const seconds = numberAt(limit, "resets_at");
    return (numberAt(limit, "used_percent") ?? 0) >= 100 && seconds !== null ? [seconds * 1_000] : [];
  });
  return resets.length === 0 ? null : new Date(Math.max(...resets));
}

/** `mode` was its name until 0.5x; later records may hold nothing but the permission profile. */
function sandboxOf(policy: JsonObject, permissions: JsonObject): SandboxMode | null {
  const name = textAt(policy, "type") ?? textAt(policy, "mode");
  return SANDBOX_MODES.find((mode) => mode === name) ?? builtInPermissions(textAt(permissions, "id") ?? "");
}
