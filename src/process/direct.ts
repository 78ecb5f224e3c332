/**
 * Hosts runs where there is no POSIX shell, that is on Windows: this process is the only witness of its runs. An agent
 * still outlives it and writes on into its files, but then nobody sees its exit code and nobody enforces its time limit.
 */
import type { ChildProcess } from "node:child_process";
import { basename, join } from "node:path";
import {
  type NotedProcess,
  type NotedRun,
  noteInterrupt,
  noteStop,
  readExit,
  readInterruptedRun,
  readNotedRun,
  readStopReason,
} from "./run_files.ts";
import type { HostedRun, RunHost, RunOptions, RunSighting, StopReport } from "./run_host.ts";
import { runToEnd } from "./run_to_end.ts";

const COMMAND_TIMEOUT_MS = 10_000;
/** Beyond this a timer fires at once: 24.8 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** The time of a boot is reckoned from the clock, which may have been set meanwhile. */
const BOOT_TOLERANCE_S = 120;

/** How processes are ended and looked at on this system. */
export interface ProcessTools {
  /** Ends a process and all below it. */
  readonly killTree: (pid: number) => Promise<void>;
  /** File name of the program that a process runs; `null` when there is no such process. */
  readonly programOf: (pid: number) => Promise<string | null>;
  /** Seconds since the system's boot. */
  readonly uptime: () => number;
}

/** Hosts runs without a shim. */
export function directHost(prepare: () => Promise<void>, tools: ProcessTools): RunHost {
  const end = async (noted: NotedRun | null): Promise<StopReport> => {
    if (noted === null || !await lives(noted.agent, noted)) return { signals: [], isGone: true, swept: 0 };
    await tools.killTree(noted.agent.pid);
    return { signals: ["KILL"], isGone: !await lives(noted.agent, noted), swept: 0 };
  };
  const stop: RunHost["stop"] = async ({ directory, reason }) => {
    await noteStop(directory, reason);
    return await end(await readNotedRun(directory));
  };
  const interrupt: RunHost["interrupt"] = async ({ directory, run }) => {
    await noteInterrupt(directory, run);
    const noted = await readNotedRun(directory);
    return await end(noted?.run === run ? noted : null);
  };
  // A process with the right number of another boot or of another program is a stranger.
  const lives = async ({ pid, mark }: NotedProcess, { boot }: NotedRun): Promise<boolean> => {
    if (Math.abs(bootTime(tools) - Number(boot)) > BOOT_TOLERANCE_S) return false;
    const program = await tools.programOf(pid);
    return program !== null && markOf(program) === mark;
  };
  return {
    prepare,
    stop,
    interrupt,
    locks: () => Promise.resolve("none"),
    start: (options) => startDirect(options, { stop, interrupt, boot: bootTime(tools) }),
    async sight({ directory, run }): Promise<RunSighting> {
      const ended = await readExit(directory, run);
      if (ended !== null) return ended;
      const noted = await readNotedRun(directory);
      if (noted === null || !await lives(noted.agent, noted)) {
        return await readExit(directory, run) ?? { state: "lost" };
      }
      return { state: "running", isShimLost: !await lives(noted.shim, noted) };
    },
    // Nothing of what follows can be told or done here.
    adopt: () => Promise.resolve(),
    observe: () => Promise.resolve(new Map()),
    remember: () => Promise.resolve(),
    countLeftBehind: () => Promise.resolve(0),
    trimEvents: () => Promise.resolve(),
  };
}

/** The tools of Windows. */
export function windowsTools(env: Readonly<Record<string, string>>): ProcessTools {
  const command = (program: string, args: readonly string[]): ReturnType<typeof runToEnd> =>
    runToEnd(program, args, { env, timeoutMs: COMMAND_TIMEOUT_MS });
  return {
    killTree: async (pid) => void await command("taskkill", ["/PID", String(pid), "/T", "/F"]),
    programOf: async (pid) => {
      const { stdout } = await command("tasklist", ["/FI", `PID eq ${pid}`, "/NH", "/FO", "CSV"]);
      return listedProgram(stdout, pid);
    },
    uptime: () => Deno.osUptime(),
  };
}

/** Finds a process in what `tasklist /NH /FO CSV` prints: `"deno.exe","1234","Console","1","50,000 K"`. */
export function listedProgram(list: string, pid: number): string | null {
  for (const line of list.split(/\r?\n/)) {
    const [, program, id] = /^"([^"]*)","(\d+)"/.exec(line) ?? [];
    if (program !== undefined && id === String(pid)) return program;
  }
  return null;
}

/** One word for a program, however its path is written. */
function markOf(program: string): string {
  return encodeURIComponent(basename(program).toLowerCase().replace(/\.exe$/, ""));
}

/** In seconds since 1970. */
function bootTime({ uptime }: ProcessTools): number {
  return Math.round(Date.now() / 1_000 - uptime());
}

async function startDirect(
  options: RunOptions,
  { stop, interrupt, boot }: Pick<RunHost, "stop" | "interrupt"> & { readonly boot: number },
): Promise<HostedRun> {
  const { directory, run } = options;
  // Not above: they cost a tenth of the program's start, and systems with a shim never need them.
  const [{ spawn }, fs] = await Promise.all([import("node:child_process"), import("node:fs")]);
  if (await readStopReason(directory) !== null || await readInterruptedRun(directory) === run) {
    return await neverStarted(options);
  }
  const [program, ...args] = options.command;
  const child = withFiles({ ...options, fs }, (files) =>
    spawn(program, args, {
      cwd: options.cwd,
      env: { ...options.env },
      stdio: files,
      detached: true,
      windowsHide: true,
    }));
  const exit = exitOf(child);
  const { pid } = child;
  // Without a pid nothing was started, and `exit` says why.
  if (pid === undefined) throw await exit;
  try {
    const shim = `${Deno.pid} ${markOf(Deno.execPath())}`;
    await writeLine(directory, "process", `${run} ${shim} ${pid} ${markOf(program)} ${boot} none`);
  } catch (error) {
    // An agent that nobody could find again.
    child.kill("SIGKILL");
    await exit;
    throw error;
  }
  let ending: Promise<unknown> = Promise.resolve();
  const end = (report: Promise<StopReport>): void => {
    ending = report.catch(() => undefined);
  };
  const timer = setTimeout(() => end(stop({ directory, reason: "timeout" })), Math.min(options.limitMs, MAX_TIMER_MS));
  const ended = exit.then(async (status) => {
    clearTimeout(timer);
    await noteEnd(options, String(typeof status === "number" ? status : 1));
    await ending;
    return "ended" as const;
  });
  // Who stopped it while it was being started found no process.
  const reason = await readStopReason(directory);
  if (reason !== null) end(stop({ directory, reason }));
  else if (await readInterruptedRun(directory) === run) end(interrupt({ directory, run }));
  return { ended, release: () => Promise.resolve() };
}

/** As in the shim: an agent that was stopped before it could start has no status of its own. */
async function neverStarted(options: RunOptions): Promise<HostedRun> {
  await noteEnd(options, "-");
  return { ended: Promise.resolve("ended"), release: () => Promise.resolve() };
}

/** Opens a run's three files for as long as it takes to start it; the child has them for itself. */
function withFiles(
  { directory, input, fs }: Pick<RunOptions, "directory" | "input"> & {
    readonly fs: Pick<typeof import("node:fs"), "openSync" | "closeSync">;
  },
  start: (files: [number, number, number]) => ChildProcess,
): ChildProcess {
  const files: [number, number, number] = [
    fs.openSync(join(directory, input), "r"),
    fs.openSync(join(directory, "events.jsonl"), "a", 0o600),
    fs.openSync(join(directory, "stderr.log"), "a", 0o600),
  ];
  try {
    return start(files);
  } finally {
    for (const file of files) fs.closeSync(file);
  }
}

/** The exit status, or the reason why nothing was started. */
function exitOf(child: ChildProcess): Promise<number | Error> {
  return new Promise((resolve) => {
    child.once("error", resolve);
    // A signal has no number here; Windows knows none.
    child.once("exit", (code) => resolve(code ?? 137));
  });
}

/** Never rejects: what cannot be written on a full disk is no reason to doubt the run itself. */
async function noteEnd({ directory, run, bell }: RunOptions, status: string): Promise<void> {
  await writeLine(directory, "exit", `${run} ${status}`).catch(() => undefined);
  await Deno.writeTextFile(join(bell, basename(directory)), "").catch(() => undefined);
}

async function writeLine(directory: string, name: string, line: string): Promise<void> {
  await Deno.writeTextFile(join(directory, name), `${line}\n`, { mode: 0o600 });
}
