import { join } from "node:path";
import { type FakeCodex, installQuickCodex } from "../helpers/fake_codex.ts";
import { listProcesses, type ProcessEntry } from "../helpers/processes.ts";
import { baseEnvironment } from "../helpers/swarm.ts";
import { tempRepo } from "../helpers/temp_repo.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { reasonOf, taskIdOf } from "./answers.ts";
import { Connection, type Launch } from "./connection.ts";
import type { Bench, Contestant } from "./contestants.ts";
import { waitForAll } from "./crowd.ts";

/** How long the processes of a server that has ended may take to end. */
const END_MS = 10_000;

/** A contestant in a world of its own: home with state directory, repository and Codex; nothing of it runs any more when it is disposed. */
export class Yard implements AsyncDisposable {
  readonly contestant: Contestant;
  readonly codex: FakeCodex;
  readonly stateDir: string;
  readonly launch: Launch;
  readonly #places: AsyncDisposableStack;
  #server: Connection | null = null;

  private constructor(contestant: Contestant, codex: FakeCodex, launch: Launch, places: AsyncDisposableStack) {
    this.contestant = contestant;
    this.codex = codex;
    this.launch = launch;
    this.stateDir = launch.env["CODEX_SWARM_STATE_DIR"] ?? "";
    this.#places = places;
  }

  static async prepare(contestant: Contestant): Promise<Yard> {
    await using stack = new AsyncDisposableStack();
    const codex = stack.use(await installQuickCodex());
    const { path: cwd } = stack.use(await tempRepo());
    const home = await Deno.makeTempDir({ dir: contestant.homes, prefix: "home_" });
    const env = {
      ...baseEnvironment(codex.home),
      // Everybody finds the fake as its Codex, and what a program caches is not to be made anew in each home.
      PATH: `${codex.directory}:${Deno.env.get("PATH") ?? ""}`,
      DENO_DIR: await denoDirectory(),
      HOME: home,
      CODEX_SWARM_CODEX: codex.path,
      CODEX_SWARM_STATE_DIR: join(home, "state"),
      CODEX_SWARM_MAX_CONCURRENT: "1000",
      CODEX_SWARM_MAX_WAIT: "10m",
      CODEX_SWARM_TASK_TIMEOUT: "20m",
    };
    return new Yard(contestant, codex, { command: contestant.command, env, cwd }, stack.move());
  }

  /** Prepares everything and starts the server, which has run one agent when this returns. */
  static async open(contestant: Contestant): Promise<Yard> {
    await using stack = new AsyncDisposableStack();
    const yard = stack.use(await Yard.prepare(contestant));
    const server = await yard.start();
    // The first agent on a fresh home goes alone, and Codex is probed for.
    await waitForAll(server, [taskIdOf(await server.call("codex_async", { prompt: "quick:" }))]);
    stack.move();
    return yard;
  }

  /** The server that runs. */
  get server(): Connection {
    if (this.#server === null) throw new Error("Cannot use a server that was not started");
    return this.#server;
  }

  /** Starts a server, in place of one that has ended. */
  async start(): Promise<Connection> {
    this.#server = await Connection.open(this.launch);
    return this.#server;
  }

  /** Ends the server as a client does that leaves. */
  async leave(): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    this.#server = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.leave();
    await this.#endProcesses();
    await this.#places.disposeAsync();
  }

  /** What still runs for this yard is ended, shims and helpers by themselves. */
  async #endProcesses(): Promise<void> {
    const rest = async (): Promise<ProcessEntry[]> =>
      (await listProcesses()).filter(({ command, isZombie }) =>
        !isZombie && [this.stateDir, this.codex.path].some((path) => command.includes(path))
      );
    const end = async (isMeant: (pid: number) => boolean): Promise<boolean> => {
      const pids = (await rest()).map(({ pid }) => pid);
      for (const pid of pids.filter(isMeant)) tryToKill(pid);
      return pids.length === 0;
    };
    const agents = new Set(this.codex.ledger().flatMap(({ pid, exitCode }) => exitCode === null ? [pid] : []));
    await waitFor(() => end((pid) => agents.has(pid)), { message: "agents to end", timeoutMs: END_MS })
      .catch(() => waitFor(() => end(() => true), { message: "all processes to end", timeoutMs: END_MS }));
  }
}

function tryToKill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

/** The yards of all who can do a row, ours first. */
export class Yards implements AsyncDisposable {
  readonly #places: AsyncDisposableStack;
  readonly #dropped: string[] = [];
  #all: Yard[] = [];

  private constructor(places: AsyncDisposableStack) {
    this.#places = places;
  }

  /** Opens a yard for us and for each peer that has the tools. */
  static async open(bench: Bench, tools: readonly string[]): Promise<Yards> {
    await using stack = new AsyncDisposableStack();
    const places = stack.use(new AsyncDisposableStack());
    const yards = new Yards(places);
    for (const contestant of [bench.ours, ...bench.peers]) {
      try {
        const yard = places.use(await Yard.open(contestant));
        const missing = tools.filter((tool) => !yard.server.has(tool));
        if (missing.length > 0) throw new Error(`has no ${missing.join(", ")}`);
        yards.#all.push(yard);
      } catch (error) {
        yards.#drop(contestant, error);
      }
    }
    // They are the caller's from here on.
    stack.move();
    return yards;
  }

  get ours(): Yard {
    const [ours] = this.#all;
    if (ours === undefined) throw new Error("Cannot measure without us");
    return ours;
  }

  get all(): readonly Yard[] {
    return this.#all;
  }

  /** Which peers are left out, and why. */
  get dropped(): readonly string[] {
    return this.#dropped;
  }

  /** Does something with each yard, one after the other. A peer with which it fails is left out from then on. */
  async each<T>(work: (yard: Yard) => Promise<T>): Promise<{ readonly yard: Yard; readonly result: T }[]> {
    const results = [];
    for (const yard of this.all) {
      try {
        results.push({ yard, result: await work(yard) });
      } catch (error) {
        this.#drop(yard.contestant, error);
      }
    }
    this.#all = results.map(({ yard }) => yard);
    return results;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#places.disposeAsync();
  }

  #drop({ name, isOurs }: Contestant, error: unknown): void {
    if (isOurs) throw error;
    this.#dropped.push(`${name}: ${reasonOf(error)}`);
  }
}

let denoDir: Promise<string> | undefined;

function denoDirectory(): Promise<string> {
  return denoDir ??= new Deno.Command(Deno.execPath(), { args: ["info", "--json"], stdin: "null" }).output()
    .then(({ stdout }) => String(JSON.parse(new TextDecoder().decode(stdout)).denoDir));
}
