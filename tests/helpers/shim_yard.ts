/** The real shim around small shell scripts, as a server would start it around Codex. */
import assert from "node:assert/strict";
import { basename, dirname, join } from "node:path";
import { readNotedRun } from "../../src/process/run_files.ts";
import type { HostedRun, StopReport } from "../../src/process/run_host.ts";
import { startShim, stopThroughShim } from "../../src/process/shim.ts";
import { installShim } from "../../src/storage/install_shim.ts";
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
  stop(directory: string, reason: string, options?: Pick<YardOptions, "helpers" | "script">): Promise<StopReport>;
  /** A PATH on which there are only these of the system's commands. */
  pathOf(...commands: readonly string[]): string;
  /** Installs a shim, and its keeper, in whose text `from` is replaced. */
  changedScript(from: string, to: string): string;
}

export interface YardOptions {
  /** Default a minute. */
  readonly limitMs?: number;
  /** Default `null`: the run is not bound to its server. */
  readonly graceMs?: number | null;
  /** Default a fresh one. */
  readonly directory?: string;
  /** Default just this process's PATH. */
  readonly env?: Readonly<Record<string, string>>;
  /** Environment of the shim itself; default just this process's PATH. */
  readonly helpers?: Readonly<Record<string, string>>;
  /** Default the installed one. */
  readonly script?: string;
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
  const runs: YardRun[] = [];
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
    start(text, { limitMs = 60_000, graceMs = null, helpers = env, ...options } = {}): YardRun {
      const place = options.directory ?? directory();
      const shim = startShim({
        script: options.script ?? script,
        helpers,
        directory: place,
        run: 1,
        input: "prompt.txt",
        slot: null,
        mountRoots: [],
        maxEventBytes: 2 ** 30,
        limitMs,
        graceMs,
        bell,
        command: ["/bin/sh", "-c", text],
        cwd: temp.path,
        env: options.env ?? env,
      });
      const run: YardRun = {
        ...shim,
        directory: place,
        async pids(): ReturnType<YardRun["pids"]> {
          const noted = await waitFor(() => readNotedRun(place), { message: "the agent to note itself" });
          return { shim: noted.shim.pid, agent: noted.agent.pid };
        },
        output: () => Deno.readTextFileSync(join(place, "events.jsonl")),
      };
      runs.push(run);
      return run;
    },
    stop: (place, reason, { helpers = env, ...options } = {}) =>
      stopThroughShim({ script: options.script ?? script, directory: place, reason, env: helpers }),
    pathOf(...commands): string {
      const path = Deno.makeTempDirSync({ dir: temp.path, prefix: "bin_" });
      for (const name of commands) {
        const found = env.PATH.split(":").map((folder) => join(folder, name)).find(exists);
        if (found !== undefined) Deno.symlinkSync(found, join(path, name));
      }
      return path;
    },
    changedScript(from, to): string {
      const version = crypto.randomUUID();
      const changed = ["keeper", "shim"].map((name) => {
        const text = Deno.readTextFileSync(join(dirname(script), basename(script).replace("shim", name)));
        Deno.writeTextFileSync(join(temp.path, `${name}-${version}.sh`), text.replaceAll(from, to));
        return text;
      });
      assert.ok(changed.some((text) => text.includes(from)), `the shim holds no ${from}`);
      return join(temp.path, `shim-${version}.sh`);
    },
    [Symbol.asyncDispose]: async () => {
      // A shim leads the group of its run; its file may name it when it itself is gone.
      const noted = await Promise.all(runs.map(({ directory }) => readNotedRun(directory)));
      const groups = new Set(noted.flatMap((run) => run === null ? [] : [run.shim.pid]));
      for (const { group, command } of await listProcesses()) if (command.includes(`${temp.path}/`)) groups.add(group);
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

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
