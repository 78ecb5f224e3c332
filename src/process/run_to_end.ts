/** Runs a short command to its end, within bounds of time and output. */

/** Bytes of each output that are kept. */
const MAX_OUTPUT_LENGTH = 256 * 1024;

/** What came of a short command. */
export interface EndedCommand {
  /** `null` when it was stopped for its time, or never started. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly isTimeout: boolean;
}

/** Runs a program in `/` with exactly this environment and no stdin. At the time limit its whole process group is killed; never throws. */
export async function runToEnd(
  program: string,
  args: readonly string[],
  options: { readonly env: Readonly<Record<string, string>>; readonly timeoutMs: number },
): Promise<EndedCommand> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args: [...args],
      // This process's own directory may have been deleted meanwhile, and then nothing can be started from it.
      cwd: "/",
      clearEnv: true,
      env: { ...options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      // A group of its own, so that its children go with it.
      detached: true,
    }).spawn();
  } catch (error) {
    return { exitCode: null, stdout: "", stderr: error instanceof Error ? error.message : "", isTimeout: false };
  }
  // What it leaves behind in the background may hold the pipes open: the clock stops the reading too.
  const clock = new AbortController();
  let hasEnded = false;
  const timer = setTimeout(() => {
    clock.abort();
    killGroup(child);
  }, options.timeoutMs);
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
    // Read on without keeping, so that it does not block on a full pipe.
    if (text.length < MAX_OUTPUT_LENGTH) text += decoder.decode(value, { stream: true });
  }
  signal.removeEventListener("abort", stop);
  return text;
}

function killGroup(child: Deno.ChildProcess): void {
  try {
    if (Deno.build.os === "windows") child.kill("SIGKILL");
    else Deno.kill(-child.pid, "SIGKILL");
  } catch {
    // It ended by itself in this moment.
  }
}

/** Tells in words how a command ended, to follow its name. */
export function describeEnd(result: EndedCommand): string {
  if (result.isTimeout) return "did not end in time";
  return result.exitCode === null ? "could not be started" : `ended with exit code ${result.exitCode}`;
}
