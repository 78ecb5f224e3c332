import { inOwnSession, signalSession, whyNotStarted } from "../process/own_session.ts";
import { binaryOf, bytesOf } from "./bytes.ts";
import { GitError } from "./git.ts";

/** Large trees on slow disks. */
const TIMEOUT_MS = 10 * 60_000;

export interface ProgramOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** One character for each byte. */
  readonly input?: string;
  /** Default ten minutes. */
  readonly timeoutMs?: number;
}

/** What came of a program. */
export interface RanProgram {
  readonly exitCode: number;
  /** One character for each byte. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one of the system's own programs; gives its stdout, one character for each byte. Throws {@linkcode GitError}. */
export async function runProgram(program: string, args: readonly string[], options: ProgramOptions): Promise<string> {
  const { exitCode, stdout, stderr } = await tryProgram(program, args, options);
  if (exitCode === 0) return stdout;
  throw new GitError(`${program} failed: ${stderr.trim().slice(0, 500)}`, null);
}

/** Runs one of the system's own programs to its end, whatever that is. Throws {@linkcode GitError} when its time is up. */
export async function tryProgram(
  program: string,
  args: readonly string[],
  { cwd, env, input, timeoutMs = TIMEOUT_MS }: ProgramOptions,
): Promise<RanProgram> {
  // So that what it has started ends with it.
  const command = inOwnSession(program, args, {
    cwd,
    clearEnv: true,
    env: { ...env, LC_ALL: "C" },
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  });
  const child = new Deno.Command(...command).spawn();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    signalSession(child, "SIGKILL");
  }, timeoutMs);
  const writing = input === undefined
    ? undefined
    : new Blob([bytesOf(input)]).stream().pipeTo(child.stdin).catch(() => {});
  try {
    const { code, stdout, stderr } = await child.output();
    await writing;
    if (isLate) throw new GitError(`${program} did not end within ${timeoutMs / 1000} s`, null);
    const result = { exitCode: code, stdout: binaryOf(stdout), stderr: new TextDecoder().decode(stderr) };
    const reason = whyNotStarted({ code, stderr: result.stderr });
    if (reason !== null) throw new GitError(`${program} could not be started: ${reason}`, null);
    return result;
  } finally {
    clearTimeout(timer);
  }
}
