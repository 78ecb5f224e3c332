/** Runs git. All of the supervisor's own git goes through here, so that nothing an agent has planted can run. */
import { join } from "node:path";
import { inOwnSession, signalSession, whyNotStarted } from "../process/own_session.ts";
import { reasonOf } from "../task/errors.ts";
import { binaryOf, bytesOf, textOf } from "./bytes.ts";
import { keepEnds } from "./keep_ends.ts";

/** Default limit of one command; whoever works on large trees gives another. */
const TIMEOUT_MS = 60_000;
/** How long it may take to end when its time is over. */
const GRACE_MS = 2_000;
/** Of stderr, in an error. */
const MAX_REASON = 500;

/**
 * Before every command: no hook, no file system monitor and no housekeeping of git's own runs, and nobody is asked. What
 * reads or writes contents of files runs in a {@linkcode ContentDirectory} besides, where no driver is known.
 */
const SAFE_SETTINGS = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.pager=cat",
  "gc.auto=0",
  "maintenance.auto=false",
  "commit.gpgSign=false",
  "submodule.recurse=false",
  // A part of an index would be looked for wherever it was written.
  "core.splitIndex=false",
  "worktree.useRelativePaths=false",
].flatMap((setting) => ["-c", setting]);

const SAFE_VARIABLES = {
  LC_ALL: "C",
  GIT_TERMINAL_PROMPT: "0",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_NO_LAZY_FETCH: "1",
  // As a variable it reaches what git starts, too.
  GIT_ALLOW_PROTOCOL: "file",
  // An object that stands for another one would be what is kept.
  GIT_NO_REPLACE_OBJECTS: "1",
};

export interface GitOptions {
  /** Absolute. Default `/`: whoever gives a GIT_DIR needs none. */
  readonly cwd?: string;
  /** Beside those that are safe. */
  readonly env?: Readonly<Record<string, string>>;
  /** One character for each byte; see bytes.ts. */
  readonly input?: string;
  /** Default a minute. */
  readonly timeoutMs?: number;
  /** Bytes of stdout that are kept, of its start and of its end. Default all. */
  readonly maxBytes?: number;
}

export interface GitResult {
  readonly exitCode: number;
  /** One character for each byte. */
  readonly stdout: string;
  /** Bytes in the midst of stdout that were not kept. */
  readonly dropped: number;
  readonly stderr: string;
}

/** A git command that failed. */
export class GitError extends Error {
  override readonly name = "GitError";
  /** `null` when it did not end in time or could not be started. */
  readonly exitCode: number | null;

  constructor(message: string, exitCode: number | null, options: ErrorOptions = {}) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The installed git, with the environment of the server but for what would lead it elsewhere. */
export class Git {
  readonly #env: Readonly<Record<string, string>>;

  constructor(env: Readonly<Record<string, string>>) {
    const own = Object.entries(env).filter(([name]) => !/^GIT_/i.test(name));
    this.#env = { ...Object.fromEntries(own), ...SAFE_VARIABLES };
  }

  /** Where git looks for what a user ignores everywhere, unless configured. */
  get defaultExcludes(): string {
    const { XDG_CONFIG_HOME: config, HOME: home } = this.#env;
    return join(config || join(home ?? "/", ".config"), "git", "ignore");
  }

  /** Gives stdout without the line end at its end. Throws {@linkcode GitError} when git fails. */
  async text(args: readonly string[], options: GitOptions = {}): Promise<string> {
    return textOf(await this.output(args, options)).trimEnd();
  }

  /** Gives stdout as it is. Throws {@linkcode GitError} when git fails. */
  async output(args: readonly string[], options: GitOptions = {}): Promise<string> {
    return (await this.succeed(args, options)).stdout;
  }

  /** Gives what a command gives that succeeds. Throws {@linkcode GitError} when git fails. */
  async succeed(args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
    const result = await this.run(args, options);
    if (result.exitCode === 0) return result;
    throw new GitError(`git ${verbOf(args)} failed: ${complaintOf(result)}`, result.exitCode);
  }

  /** Runs a command to its end. Throws {@linkcode GitError} when it cannot be started or does not end in time. */
  async run(
    args: readonly string[],
    { cwd = "/", env, input, timeoutMs = TIMEOUT_MS, maxBytes = Infinity }: GitOptions = {},
  ): Promise<GitResult> {
    if (args.some((arg) => arg.includes("\0"))) throw new GitError("git takes no NUL character", null);
    let child: Deno.ChildProcess;
    try {
      // So that what it has started ends with it.
      const command = inOwnSession("git", [...SAFE_SETTINGS, ...args], {
        cwd,
        clearEnv: true,
        env: { ...this.#env, ...env },
        stdin: input === undefined ? "null" : "piped",
        stdout: "piped",
        stderr: "piped",
      });
      child = new Deno.Command(...command).spawn();
    } catch (error) {
      throw new GitError(`git could not be started: ${reasonOf(error)}`, null, { cause: error });
    }
    let isLate = false;
    // By SIGTERM it takes its locks away.
    const timers = (["SIGTERM", "SIGKILL"] as const).map((signal, at) =>
      setTimeout(() => {
        isLate = true;
        signalSession(child, signal);
      }, timeoutMs + at * GRACE_MS)
    );
    try {
      const writing = input === undefined ? undefined : write(child.stdin, input);
      const { code, stdout, dropped, stderr } = await outputOf(child, maxBytes);
      await writing;
      if (isLate) throw new GitError(`git ${verbOf(args)} did not end within ${timeoutMs / 1000} s`, null);
      const result = { exitCode: code, stdout: binaryOf(stdout), dropped, stderr: new TextDecoder().decode(stderr) };
      const reason = whyNotStarted({ code, stderr: result.stderr });
      if (reason !== null) throw new GitError(`git could not be started: ${reason}`, null);
      return result;
    } finally {
      for (const timer of timers) clearTimeout(timer);
    }
  }
}

async function outputOf(
  child: Deno.ChildProcess,
  maxBytes: number,
): Promise<Pick<Deno.CommandOutput, "code" | "stdout" | "stderr"> & { readonly dropped: number }> {
  if (maxBytes === Infinity) {
    const { code, stdout, stderr } = await child.output();
    return { code, stdout, dropped: 0, stderr };
  }
  const [{ code }, { bytes, dropped }, stderr] = await Promise.all([
    child.status,
    keepEnds(child.stdout, maxBytes),
    keepEnds(child.stderr, maxBytes),
  ]);
  return { code, stdout: bytes, dropped, stderr: stderr.bytes };
}

/** A command may end without having read all; then its exit code tells. */
async function write(stdin: WritableStream<Uint8Array>, input: string): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(bytesOf(input));
    await writer.close();
  } catch {
    await writer.abort().catch(() => undefined);
  }
}

function verbOf(args: readonly string[]): string {
  return args.find((arg) => !arg.startsWith("-")) ?? "";
}

function complaintOf({ exitCode, stderr }: GitResult): string {
  const reason = stderr.trim().replaceAll(/\s*\n\s*/g, "; ").slice(0, MAX_REASON);
  return reason === "" ? `exit code ${exitCode}` : reason;
}
