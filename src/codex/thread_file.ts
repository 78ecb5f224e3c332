/** Reads what Codex recorded about a thread: how its last turn ran, and what it has used. */
import { join } from "node:path";
import { SANDBOX_MODES, type SandboxMode } from "../task/spec.ts";
import type { Usage } from "../task/event.ts";
import { builtInPermissions } from "./config_layers.ts";
import { booleanAt, type JsonObject, numberAt, objectAt, parseObject, textAt, textsAt } from "./json_object.ts";
import { linesFromEnd, type Source, sourceOf } from "./lines_from_end.ts";
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

const UUID_V7 = /^([0-9a-f]{8})-([0-9a-f]{4})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DAY_MS = 86_400_000;
/** More than any sound record; a compressed one is unpacked in memory. */
const MAX_UNPACKED_BYTES = 512 * 1024 * 1024;

/** Finds the record of a thread and reads its end; `null` if Codex has no such thread. */
export async function readThread(
  options: { readonly codexHome: string; readonly threadId: string },
): Promise<ThreadFacts | null> {
  return await withThread(options, readFacts);
}

/** Reads the record of a thread; `null` if Codex has no such thread. */
export async function withThread<T>(
  { codexHome, threadId }: { readonly codexHome: string; readonly threadId: string },
  read: (record: Source) => Promise<T>,
): Promise<T | null> {
  const path = await findThreadFile(codexHome, threadId);
  if (path === null) return null;
  if (path.endsWith(".zst")) return await read(await unpack(path));
  using file = await Deno.open(path);
  return await read(await sourceOf(file));
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
