/** Runs a short command to its end, within bounds of time and output. */
import { reasonOf } from "../task/errors.ts";
import { signalSession } from "./own_session.ts";

/** Characters of each output that are kept, of its end. */
const MAX_OUTPUT_LENGTH = 256 * 1024;

/** What came of a short command. */
export interface EndedCommand {
  /** `null` when it was stopped for its time, or never started. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly isTimeout: boolean;
}

/** Runs a program with exactly this environment and no stdin. At its time limit or the signal its whole process group is killed; never throws. */
export async function runToEnd(
  program: string,
  args: readonly string[],
  options: {
    readonly env: Readonly<Record<string, string>>;
    readonly timeoutMs: number;
    /** Default `/`: this process's own directory may have been deleted meanwhile, and nothing can be started from it. */
    readonly cwd?: string;
    /** Ends it before its time. */
    readonly signal?: AbortSignal;
  },
): Promise<EndedCommand> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args: [...args],
      cwd: options.cwd ?? "/",
      clearEnv: true,
      env: { ...options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      // So that its children go with it.
      detached: true,
    }).spawn();
  } catch (error) {
    return { exitCode: null, stdout: "", stderr: reasonOf(error), isTimeout: false };
  }
  // What it leaves behind in the background may hold the pipes open: the clock stops the reading too.
  const clock = new AbortController();
  let hasEnded = false;
  const stop = (): void => {
    clock.abort();
    signalSession(child, "SIGKILL");
  };
  const timer = setTimeout(stop, options.timeoutMs);
  options.signal?.addEventListener("abort", stop, { once: true });
  if (options.signal?.aborted) stop();
  try {
    const [status, stdout, stderr] = await Promise.all([
      child.status.then((ended) => {
        hasEnded = !clock.signal.aborted;
        return ended;
      }),
      readText(child.stdout, clock.signal),
      readText(child.stderr, clock.signal),
    ]);
    return { exitCode: hasEnded ? status.code : null, stdout, stderr, isTimeout: !hasEnded };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", stop);
  }
}

async function readText(stream: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<string> {
  const reader = stream.getReader();
  const stop = (): void => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", stop, { once: true });
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
    // What it says last tells the most. Read on without keeping, so that it does not block on a full pipe.
    if (text.length > 2 * MAX_OUTPUT_LENGTH) text = text.slice(-MAX_OUTPUT_LENGTH);
  }
  signal.removeEventListener("abort", stop);
  return text;
}

/** Tells in words how a command ended, to follow its name. */
export function describeEnd(result: EndedCommand): string {
  if (result.isTimeout) return "did not end in time";
  return result.exitCode === null ? "could not be started" : `ended with exit code ${result.exitCode}`;
}
