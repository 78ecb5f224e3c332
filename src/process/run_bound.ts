/** Runs a long command that ends with this process, however that ends, and with it what it has left in the background. */
import { reasonOf } from "../task/errors.ts";
import type { EndedCommand } from "./run_to_end.ts";
import { readAt } from "./read_at.ts";

/** Of what commands say, on disk. */
export const MAX_LOG_BYTES = 64 * 1024 * 1024;
/** Of its end, when it is more. */
const KEPT_LOG_BYTES = 1024 * 1024;
/** How often that is looked at: an endless loop writes a gigabyte a second. */
const LOOK_MS = 100;

/** Ends its whole group when the other end of stdin is closed, as that of a process that was killed is too. */
const SCRIPT = `exec 3<&0 </dev/null >>"$1" 2>&1
{ cat <&3 >/dev/null; kill -KILL 0; } &
exec 3<&-
exec /bin/sh -c "$2"`;

/**
 * Runs a shell command with exactly this environment and no stdin; what it says is added to a file, of which the end stays
 * where it would be too much, and its last `tailBytes` are given as stdout. Its process group is killed at its end, its time limit or the signal. Never throws.
 */
export async function runBound(
  command: string,
  { cwd, env, log, tailBytes, timeoutMs, signal }: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly log: string;
    readonly tailBytes: number;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  },
): Promise<EndedCommand> {
  let child: Deno.ChildProcess;
  try {
    await Deno.writeTextFile(log, `$ ${command}\n`, { append: true, mode: 0o600 });
    child = new Deno.Command("/bin/sh", {
      args: ["-c", SCRIPT, "sh", log, command],
      cwd,
      clearEnv: true,
      env: { ...env },
      stdin: "piped",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
  } catch (error) {
    return { exitCode: null, isTimeout: false, stdout: reasonOf(error), stderr: "" };
  }
  const stop = (): void => {
    try {
      Deno.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended its own group.
    }
  };
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(), timeoutMs);
  const looking = setInterval(() => shorten(log), LOOK_MS);
  const either = AbortSignal.any([signal, clock.signal]);
  either.addEventListener("abort", stop, { once: true });
  if (either.aborted) stop();
  try {
    const { code } = await child.status;
    const isTimeout = either.aborted;
    shorten(log);
    return { exitCode: isTimeout ? null : code, isTimeout, stdout: await endOf(log, tailBytes), stderr: "" };
  } finally {
    clearTimeout(timer);
    clearInterval(looking);
    either.removeEventListener("abort", stop);
    if (!either.aborted) stop();
    await child.stdin.abort().catch(() => undefined);
  }
}

/** Without a pause in which more could come; a command that still runs goes on at the new end, for it appends. */
function shorten(path: string): void {
  try {
    using file = Deno.openSync(path, { read: true, append: true });
    const { size } = file.statSync();
    if (size <= MAX_LOG_BYTES) return;
    const end = new Uint8Array(KEPT_LOG_BYTES);
    file.seekSync(size - end.length, Deno.SeekMode.Start);
    const length = file.readSync(end) ?? 0;
    file.truncateSync();
    file.writeSync(new TextEncoder().encode(`[${size - length} bytes are left out here]\n`));
    file.writeSync(end.subarray(0, length));
  } catch {
    // The disk is full, or somebody has taken the log away.
  }
}

async function endOf(path: string, length: number): Promise<string> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  return new TextDecoder().decode(await readAt(file, { start: Math.max(0, size - length), length })).trim();
}
