/**
 * Hosts runs where there is no POSIX shell, that is on Windows: this process is the only witness of its runs. An agent
 * still outlives it and writes on into its files, but then nobody sees its exit code and nobody enforces its time limit.
 */
import type { ChildProcess } from "node:child_process";
import { basename, join } from "node:path";
import { readExit, readRunPids, readStopReason } from "./run_files.ts";
import type { HostedRun, RunHost, RunOptions, RunSighting } from "./run_host.ts";
import { runToEnd } from "./run_to_end.ts";

const COMMAND_TIMEOUT_MS = 10_000;

/** How processes are ended and looked at on this system. */
export interface ProcessTools {
  /** Ends a process and all below it. */
  readonly killTree: (pid: number) => Promise<void>;
  readonly isAlive: (pid: number) => Promise<boolean>;
}

/** Hosts runs without a shim. */
export function directHost(prepare: () => Promise<void>, tools: ProcessTools): RunHost {
  const stop: RunHost["stop"] = async ({ directory, reason }) => {
    await noteStop(directory, reason);
    const pids = await readRunPids(directory);
    if (pids !== null) await tools.killTree(pids.agent);
  };
  return {
    prepare,
    stop,
    start: (options) => startDirect(options, stop),
    async sight({ directory, run }): Promise<RunSighting> {
      const ended = await readExit(directory, run);
      if (ended !== null) return ended;
      const pids = await readRunPids(directory);
      if (pids === null || !await tools.isAlive(pids.agent)) return await readExit(directory, run) ?? { state: "lost" };
      return { state: "running", isShimLost: !await tools.isAlive(pids.shim) };
    },
  };
}

/** The tools of Windows. */
export function windowsTools(env: Readonly<Record<string, string>>): ProcessTools {
  const command = (program: string, args: readonly string[]): ReturnType<typeof runToEnd> =>
    runToEnd(program, args, { env, timeoutMs: COMMAND_TIMEOUT_MS });
  return {
    killTree: async (pid) => void await command("taskkill", ["/PID", String(pid), "/T", "/F"]),
    isAlive: async (pid) => {
      const { stdout } = await command("tasklist", ["/FI", `PID eq ${pid}`, "/NH", "/FO", "CSV"]);
      return stdout.includes(`"${pid}"`);
    },
  };
}

async function startDirect(options: RunOptions, stop: RunHost["stop"]): Promise<HostedRun> {
  const { directory, run } = options;
  // Not above: they cost a tenth of the program's start, and systems with a shim never need them.
  const [{ spawn }, fs] = await Promise.all([import("node:child_process"), import("node:fs")]);
  if (await readStopReason(directory) !== null) return await neverStarted(options);
  const [program, ...args] = options.command;
  const child = withFiles({ directory, fs }, (files) =>
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
  await writeLine(directory, "process", `${run} ${Deno.pid} - ${pid} - - none`);
  const timer = setTimeout(() => void stop({ directory, reason: "timeout" }), options.limitMs);
  const ended = exit.then(async (status) => {
    clearTimeout(timer);
    await writeLine(directory, "exit", `${run} ${typeof status === "number" ? status : 1}`);
    await ring(options);
  });
  return { pid, ended, release: () => Promise.resolve() };
}

/** As in the shim: an agent that was stopped before it could start has no status of its own. */
async function neverStarted(options: RunOptions): Promise<HostedRun> {
  await writeLine(options.directory, "exit", `${options.run} -`);
  await ring(options);
  return { pid: Deno.pid, ended: Promise.resolve(), release: () => Promise.resolve() };
}

/** Opens a run's three files for as long as it takes to start it; the child has them for itself. */
function withFiles(
  { directory, fs }: {
    readonly directory: string;
    readonly fs: Pick<typeof import("node:fs"), "openSync" | "closeSync">;
  },
  start: (files: [number, number, number]) => ChildProcess,
): ChildProcess {
  const files: [number, number, number] = [
    fs.openSync(join(directory, "prompt.txt"), "r"),
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

/** The first reason stays. */
async function noteStop(directory: string, reason: string): Promise<void> {
  await Deno.writeTextFile(join(directory, "stop"), `${reason}\n`, { createNew: true, mode: 0o600 })
    .catch(() => undefined);
}

async function writeLine(directory: string, name: string, line: string): Promise<void> {
  await Deno.writeTextFile(join(directory, name), `${line}\n`, { mode: 0o600 });
}

async function ring({ bell, directory }: RunOptions): Promise<void> {
  await Deno.writeTextFile(join(bell, basename(directory)), "").catch(() => undefined);
}
