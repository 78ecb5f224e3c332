/** A place for tasks whose runs are no processes and end with code 3: what is asked of their host is only noted. */
import { join } from "node:path";
import type { RunEnd, RunHost, RunSighting, StopReport } from "../../src/process/run_host.ts";
import { Bell } from "../../src/storage/bell.ts";
import { SlotFiles } from "../../src/storage/slot_files.ts";
import { TaskIndex } from "../../src/storage/task_index.ts";
import { UsageLimitFiles } from "../../src/storage/usage_limit_file.ts";
import { TaskDirectory } from "../../src/storage/task_directory.ts";
import { Git } from "../../src/git/git.ts";
import { ColdStart } from "../../src/supervisor/cold_start.ts";
import { FollowedTask } from "../../src/supervisor/followed_task.ts";
import type { RunTaskServices } from "../../src/supervisor/services.ts";
import { RepositoryContent } from "../../src/work/repository_content.ts";
import { Slots } from "../../src/supervisor/slots.ts";
import { WorkDirectories } from "../../src/storage/work_directory.ts";
import { Worktrees } from "../../src/work/worktrees.ts";
import { UsageLimits } from "../../src/supervisor/usage_limits.ts";
import { startRun } from "../../src/task/transitions.ts";
import { tempDirectory } from "./temp_directory.ts";
import { PLANNED, TASK } from "./tool_calls.ts";

const STOPPED: StopReport = { signals: ["INT"], isGone: true, swept: 0 };

export interface HostYard extends AsyncDisposable {
  readonly path: string;
  readonly host: RunHost;
  readonly services: RunTaskServices;
  /** What the host was asked for, in words, in its order. */
  readonly asked: string[];
  /** Writes {@linkcode TASK} down and follows it; `startedAt` makes it run. */
  follow(startedAt?: Date): Promise<FollowedTask>;
}

export interface HostYardOptions {
  /** Default: the real time. */
  readonly now?: () => Date;
  /** What a look at a run finds; default `lost`. */
  readonly sighting?: RunSighting;
  /** When a run ends; default as soon as it was started. */
  readonly ended?: Promise<unknown>;
}

export async function hostYard(options: HostYardOptions = {}): Promise<HostYard> {
  const temp = await tempDirectory();
  const [tasksDir, bellDir, codexHome] = [join(temp.path, "tasks"), join(temp.path, "ended"), join(temp.path, "home")];
  for (const path of [tasksDir, bellDir, join(codexHome, "sessions")]) await Deno.mkdir(path, { recursive: true });
  const asked: string[] = [];
  const note = (what: string): Promise<void> => {
    asked.push(what);
    return Promise.resolve();
  };
  const host: RunHost = {
    prepare: () => Promise.resolve(),
    start: async ({ run, directory }) => {
      await Deno.writeTextFile(join(directory, "exit"), `${run} 3\n`);
      await note(`start ${run}`);
      const ended = (options.ended ?? Promise.resolve()).then((): RunEnd => "ended");
      return { ended, release: () => note(`release ${run}`) };
    },
    locks: () => Promise.resolve("flock"),
    stop: async ({ reason }) => {
      await note(`stop: ${reason}`);
      return STOPPED;
    },
    interrupt: async ({ run }) => {
      await note(`interrupt ${run}`);
      return STOPPED;
    },
    adopt: () => Promise.resolve(),
    observe: () => Promise.resolve(new Map()),
    remember: (directories) => note(`remember ${directories.length}`),
    countLeftBehind: () => Promise.resolve(0),
    trimEvents: () => Promise.resolve(),
    sight: () => Promise.resolve(options.sighting ?? { state: "lost" }),
  };
  const closing = new AbortController();
  const log = { debug: (): void => {}, info: (): void => {}, warning: (): void => {}, error: (): void => {} };
  const now = options.now ?? ((): Date => new Date());
  const bell = new Bell(bellDir);
  const slotFiles = new SlotFiles({
    directory: join(temp.path, "slots"),
    limit: 1,
    isHandedOver: () => Promise.resolve(true),
  });
  const usageLimitFiles = new UsageLimitFiles(join(temp.path, "limits"));
  const git = new Git({ PATH: Deno.env.get("PATH") ?? "" });
  const services: RunTaskServices = {
    runner: { host, bell: bellDir, orphanGraceMs: 0, maxEventBytes: 1_000_000 },
    env: {},
    givenEnvNames: new Set(),
    codexHome,
    coldStart: new ColdStart(codexHome),
    slots: new Slots({ files: slotFiles, bell, closing: closing.signal }),
    usageLimits: new UsageLimits({ files: usageLimitFiles, now, log }),
    onUsageLimit: "wait",
    probe: () => Promise.resolve(PLANNED.probe),
    ended: () => Promise.resolve(null),
    index: new TaskIndex(tasksDir),
    bell,
    worktrees: new Worktrees({
      git,
      content: new RepositoryContent(git, join(temp.path, "git")),
      directories: new WorkDirectories(join(temp.path, "work")),
      env: {},
      log,
      now,
    }),
    closing: closing.signal,
    log,
    now,
  };
  return {
    path: temp.path,
    host,
    services,
    asked,
    async follow(startedAt): Promise<FollowedTask> {
      const task = startedAt === undefined
        ? TASK
        : startRun(TASK, { at: startedAt, run: 1, input: "prompt.txt", prompts: 0 });
      const directory = new TaskDirectory(tasksDir, task.id);
      using _lock = await directory.create(task, PLANNED.files);
      return new FollowedTask(task, directory);
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      bell.close();
      usageLimitFiles.close();
      await temp[Symbol.asyncDispose]();
    },
  };
}
