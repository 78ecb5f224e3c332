/** A state directory and a repository on which any number of servers work, one after another or side by side. */
import { join } from "node:path";
import { endAgents } from "./end_agents.ts";
import { type FakeCodex, installFakeCodex, installQuickCodex } from "./fake_codex.ts";
import { startSwarm, type Swarm, type SwarmOptions } from "./swarm.ts";
import { tempDirectory } from "./temp_directory.ts";
import { type TempRepo, tempRepo } from "./temp_repo.ts";

export interface ServersYard extends AsyncDisposable {
  readonly codex: FakeCodex;
  readonly stateDir: string;
  readonly cwd: string;
  /** Starts another server; it ends with its scope or else with the yard. */
  start(options?: SwarmOptions): Promise<Swarm>;
  /** The directory of a task. */
  task(id: string): string;
}

export interface ServersYardOptions {
  /** The quick fake Codex instead of the one that follows directives. */
  readonly isQuick?: boolean;
  /** Default: a fresh directory. */
  readonly stateDir?: string;
  /** What the servers work in; default a fresh one. It outlives the yard. */
  readonly repo?: Pick<TempRepo, "path">;
}

/** What still runs when the yard is disposed is ended. */
export async function serversYard({ isQuick = false, ...options }: ServersYardOptions = {}): Promise<ServersYard> {
  const stack = new AsyncDisposableStack();
  const codex = stack.use(await (isQuick ? installQuickCodex() : installFakeCodex()));
  const cwd = (options.repo ?? stack.use(await tempRepo())).path;
  const stateDir = options.stateDir ?? stack.use(await tempDirectory()).path;
  stack.defer(() => endAgents(stateDir));
  return {
    codex,
    stateDir,
    cwd,
    start: (more) => startSwarm({ codex, stateDir, cwd, ...more }),
    task: (id) => join(stateDir, "tasks", id),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Ends a server as the system does that has no memory left: it learns nothing of it. */
export async function killServer(swarm: Swarm): Promise<void> {
  swarm.process.kill("SIGKILL");
  await swarm.process.ended;
}
