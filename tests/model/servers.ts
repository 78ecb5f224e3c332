/** The servers of a history: several on one state directory, started and ended again and again. */
import { join } from "node:path";
import { bundle } from "../../.github/scripts/bundle.ts";
import { RUN_FLAGS } from "../../.github/scripts/run_flags.ts";
import { type Answer, startSwarm, type Swarm } from "../helpers/swarm.ts";

/** Longer than any history. */
const CALL_MS = 3_600_000;

export interface ServersOptions {
  readonly directory: string;
  readonly cwd: string;
  readonly stateDir: string;
  readonly codex: { readonly path: string; readonly home: string };
  readonly places: number;
  readonly maxConcurrent: number;
  readonly orphanGraceMs: number;
}

/** A server that lives, as far as the test knows. */
export interface LiveServer {
  readonly place: number;
  readonly swarm: Swarm;
  /** It was killed or is ending: its calls may fail. */
  isGoing: boolean;
}

export class Servers implements AsyncDisposable {
  readonly #options: ServersOptions;
  readonly #places: (Promise<LiveServer> | undefined)[] = [];
  #program: string | undefined;
  started = 0;
  /** What ended servers have complained about: errors that are bugs, lines that are no messages, bad ends. */
  readonly complaints: string[] = [];

  constructor(options: ServersOptions) {
    this.#options = options;
  }

  /** The server in this place or, if there is none, in the next one that has any; one is started if none lives. */
  async at(place: number): Promise<LiveServer> {
    const { places } = this.#options;
    for (let next = place; next < place + places; next++) {
      const server = this.#places[next % places];
      if (server !== undefined) return await server;
    }
    return await this.start(place);
  }

  async all(): Promise<LiveServer[]> {
    return await Promise.all(this.#places.filter((server) => server !== undefined));
  }

  /** The server in this very place. */
  in(place: number): Promise<LiveServer> | undefined {
    return this.#places[place];
  }

  /** A place without a server; `undefined` when all have one. */
  free(): number | undefined {
    return Array.from({ length: this.#options.places }, (_, place) => place).find((place) =>
      this.#places[place] === undefined
    );
  }

  /** Starts a server, unless there is one in this place. */
  async start(place: number): Promise<LiveServer> {
    try {
      return await (this.#places[place] ??= this.#start(place));
    } catch (error) {
      this.#places[place] = undefined;
      throw error;
    }
  }

  async kill(place: number): Promise<void> {
    await this.#end(place, ({ process }) => process.kill("SIGKILL"));
  }

  /** Ends a server as a client does that leaves. */
  async end(place: number): Promise<void> {
    const server = await this.#end(place, ({ process }) => process.closeInput());
    if (server === undefined) return;
    const { code } = await server.swarm.process.ended;
    if (code !== 0) this.complaints.push(`a server that was left ended with ${code}`);
  }

  async call(
    { swarm }: LiveServer,
    name: string,
    { args, signal }: { readonly args: Readonly<Record<string, unknown>>; readonly signal: AbortSignal },
  ): Promise<Answer> {
    const result = await swarm.client.callTool({ name, arguments: { ...args } }, { timeout: CALL_MS, signal });
    const [block] = result.content;
    return {
      text: block?.type === "text" ? block.text : "",
      structured: result.structuredContent,
      isError: result.isError === true,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#places.map((_, place) => this.kill(place)));
  }

  async #start(place: number): Promise<LiveServer> {
    const { directory, cwd, stateDir, codex, maxConcurrent, orphanGraceMs } = this.#options;
    if (this.#program === undefined) {
      this.#program = join(directory, "codex_swarm.js");
      await bundle(this.#program);
    }
    const command = [
      Deno.execPath(),
      "run",
      "--quiet",
      "--no-config",
      "--no-lock",
      ...RUN_FLAGS,
      this.#program,
    ] as const;
    const args = ["--max-concurrent", String(maxConcurrent), "--orphan-grace", `${orphanGraceMs / 1000}s`];
    this.started++;
    return { place, swarm: await startSwarm({ codex, cwd, stateDir, command: [...command], args }), isGoing: false };
  }

  async #end(place: number, end: (swarm: Swarm) => unknown): Promise<LiveServer | undefined> {
    const server = await this.#places[place];
    if (server === undefined) return undefined;
    this.#places[place] = undefined;
    server.isGoing = true;
    const { swarm } = server;
    await end(swarm);
    await swarm[Symbol.asyncDispose]();
    const { process } = swarm;
    this.complaints.push(
      ...process.strayLines.map((line) => `a server wrote on its stdout: ${line}`),
      ...process.stderr.split("\n").filter((line) => / ERROR /.test(line)).map((line) => `a server logged ${line}`),
    );
    return server;
  }
}
