/** The real shim around small shell scripts, as a server would start it around Codex. */
import { join } from "node:path";
import { readRunPids } from "../../src/process/run_files.ts";
import type { HostedRun } from "../../src/process/run_host.ts";
import { installShim, startShim, stopThroughShim } from "../../src/process/shim.ts";
import { listProcesses } from "./processes.ts";
import { tempDirectory } from "./temp_directory.ts";
import { waitFor } from "./wait_for.ts";

export interface ShimYard extends AsyncDisposable {
  /** Holds everything below; also the working directory of the scripts. */
  readonly path: string;
  /** The installed shim. */
  readonly script: string;
  readonly bell: string;
  /** Makes the directory of a task that nobody runs yet. */
  directory(): string;
  /** Runs `sh -c text` in the place of Codex. */
  start(text: string, options?: YardOptions): YardRun;
  /** Ends a run as any server can, and settles when its agent is gone. */
  stop(directory: string, reason: string): Promise<void>;
}

export interface YardOptions {
  /** Default a minute. */
  readonly limitMs?: number;
  /** Default `null`: the run is not bound to its server. */
  readonly graceMs?: number | null;
  /** Default a fresh one. */
  readonly directory?: string;
  /** Default that of this process. */
  readonly path?: string;
}

export interface YardRun extends HostedRun {
  readonly directory: string;
  /** Waits until the agent has noted itself. */
  pids(): Promise<{ readonly shim: number; readonly agent: number }>;
  /** What the agent has written so far. */
  output(): string;
}

/** Makes a yard. What still runs when it is disposed is killed. */
export async function shimYard(): Promise<ShimYard> {
  const temp = await tempDirectory();
  const bell = join(temp.path, "ended");
  await Deno.mkdir(bell);
  const script = await installShim(temp.path);
  const runs: HostedRun[] = [];
  const env = { PATH: Deno.env.get("PATH") ?? "" };
  const directory = (): string => {
    const path = Deno.makeTempDirSync({ dir: temp.path, prefix: "task_" });
    Deno.writeTextFileSync(join(path, "prompt.txt"), "a prompt\n");
    return path;
  };
  return {
    path: temp.path,
    script,
    bell,
    directory,
    start(text, { limitMs = 60_000, graceMs = null, path = env.PATH, ...options } = {}): YardRun {
      const place = options.directory ?? directory();
      const shim = startShim({
        script,
        directory: place,
        run: 1,
        limitMs,
        graceMs,
        bell,
        command: ["/bin/sh", "-c", text],
        cwd: temp.path,
        env: { PATH: path },
      });
      runs.push(shim);
      return {
        ...shim,
        directory: place,
        pids: () => waitFor(() => readRunPids(place), { message: "the agent to note itself" }),
        output: () => Deno.readTextFileSync(join(place, "events.jsonl")),
      };
    },
    stop: (place, reason) => stopThroughShim({ script, directory: place, reason, env }),
    [Symbol.asyncDispose]: async () => {
      const groups = new Set(runs.map(({ pid }) => pid));
      for (const { pid, group } of await listProcesses()) if (groups.has(group)) kill(pid);
      for (const run of runs) await run.release();
      await Promise.all(runs.map(({ ended }) => ended));
      await temp[Symbol.asyncDispose]();
    },
  };
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
