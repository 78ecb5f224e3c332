/** The real shim around small shell scripts, as a server would start it around Codex. */
import assert from "node:assert/strict";
import { basename, dirname, join } from "node:path";
import type { Keeper } from "../../src/process/keeper.ts";
import { type NotedRun, readNotedRun } from "../../src/process/run_files.ts";
import type { HostedRun, Ladder, StopReport } from "../../src/process/run_host.ts";
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
  stop(directory: string, reason: string, options?: YardStopOptions): Promise<StopReport>;
  /** What keeper.ts and the functions beside {@linkcode stopThroughShim} want to know. */
  readonly keeper: Keeper;
  /** A PATH on which there are only these of the system's commands. */
  pathOf(...commands: readonly string[]): string;
  /** Installs a shim, and its keeper, in whose texts each key is replaced. */
  changedScript(changes: Readonly<Record<string, string>>): string;
  /** A shell command that notes its pid under `name`, and then waits for ever. */
  idle(name: string): string;
  /** The pid that {@linkcode idle} has noted. */
  pidOf(name: string): Promise<number>;
}

export interface YardOptions {
  /** Default 1. */
  readonly run?: number;
  /** Default none. */
  readonly slot?: string;
  /** Default none. */
  readonly mountRoots?: readonly string[];
  /** Default more than any test writes. */
  readonly maxEventBytes?: number;
  /** Default a minute. */
  readonly limitMs?: number;
  /** Default `null`: the run is not bound to its server. */
  readonly graceMs?: number | null;
  /** Default a fresh one. */
  readonly directory?: string;
  /** Default this process's PATH and the mark of a task, its directory's name. */
  readonly env?: Readonly<Record<string, string>>;
  /** Environment of the shim itself; default just this process's PATH. */
  readonly helpers?: Readonly<Record<string, string>>;
  /** Default the installed one. */
  readonly script?: string;
}

export interface YardStopOptions extends Pick<YardOptions, "helpers" | "script"> {
  readonly ladder?: Ladder;
}

export interface YardRun extends HostedRun {
  readonly directory: string;
  /** Waits until the agent has noted itself and become its command: one that is stopped before that never starts. */
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
  // It waits without a child of its own: nobody ever writes into that pipe.
  await Deno.writeTextFile(join(temp.path, "idle"), `cd "\${0%/*}"; echo $$ >"$1.pid"; read -r _ <never\n`);
  await new Deno.Command("mkfifo", { args: [join(temp.path, "never")] }).output();
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
    keeper: { script, env },
    directory,
    start(text, { limitMs = 60_000, graceMs = null, helpers = env, ...options } = {}): YardRun {
      const place = options.directory ?? directory();
      const shim = startShim({
        script: options.script ?? script,
        helpers,
        directory: place,
        run: options.run ?? 1,
        input: "prompt.txt",
        slot: options.slot ?? null,
        mountRoots: options.mountRoots ?? [],
        maxEventBytes: options.maxEventBytes ?? 2 ** 30,
        limitMs,
        graceMs,
        bell,
        command: ["/bin/sh", "-c", text],
        cwd: temp.path,
        env: options.env ?? { ...env, CODEX_SWARM_TASK_ID: basename(place) },
      });
      const run: YardRun = {
        ...shim,
        directory: place,
        async pids(): ReturnType<YardRun["pids"]> {
          const isNoted = async (): Promise<NotedRun | false> => {
            const noted = await readNotedRun(place);
            return noted?.run === (options.run ?? 1) && noted;
          };
          const noted = await waitFor(isNoted, { message: "the agent to note itself" });
          const isStillShim = async (): Promise<boolean> =>
            (await listProcesses()).some(({ pid, command }) =>
              pid === noted.agent.pid && command.includes(` agent ${place} `)
            );
          await waitFor(async () => !await isStillShim(), { message: "the agent to become its command" });
          return { shim: noted.shim.pid, agent: noted.agent.pid };
        },
        output: () => Deno.readTextFileSync(join(place, "events.jsonl")),
      };
      runs.push(run);
      return run;
    },
    stop: (place, reason, { helpers = env, ...options } = {}) =>
      stopThroughShim({ script, ...options, directory: place, reason, env: helpers }),
    pathOf(...commands): string {
      const path = Deno.makeTempDirSync({ dir: temp.path, prefix: "bin_" });
      for (const name of commands) {
        const found = env.PATH.split(":").map((folder) => join(folder, name)).find(exists);
        if (found !== undefined) Deno.symlinkSync(found, join(path, name));
      }
      return path;
    },
    changedScript(changes): string {
      const version = crypto.randomUUID();
      const texts = ["shim", "keeper"].map((name) => ({
        name,
        text: Deno.readTextFileSync(join(dirname(script), basename(script).replace("shim", name))),
      }));
      for (const from of Object.keys(changes)) {
        assert.ok(texts.some(({ text }) => text.includes(from)), `the shim holds no ${from}`);
      }
      for (const { name, text } of texts) {
        const changed = Object.entries(changes).reduce((all, [from, to]) => all.replaceAll(from, to), text);
        Deno.writeTextFileSync(join(temp.path, `${name}-${version}.sh`), changed);
      }
      return join(temp.path, `shim-${version}.sh`);
    },
    idle: (name) => `/bin/sh ${temp.path}/idle ${name}`,
    pidOf: (name) =>
      waitFor(async () => {
        const text = await Deno.readTextFile(join(temp.path, `${name}.pid`));
        return text.endsWith("\n") && Number(text);
      }, { message: `${name} to note itself` }),
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
