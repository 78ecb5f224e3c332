/** The real server over HTTP as a process of its own, with a fake Codex, and clients of both protocol eras. */
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { RUN_FLAGS } from "../../.github/scripts/run_flags.ts";
import type { FakeCodex } from "./fake_codex.ts";
import { MAIN } from "./server_process.ts";
import { type Answer, type CallOptions, callTool, placeServer, type ServerPlace } from "./swarm.ts";
import { waitFor } from "./wait_for.ts";

export interface HttpServerOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Default: a fresh directory. Pass one to restart a server on it. */
  readonly stateDir?: string;
  /** Default: a fresh repository with one commit. */
  readonly cwd?: string;
  /** Default: a fake Codex of its own. */
  readonly codex?: Pick<FakeCodex, "path" | "home">;
  /** Default `--port 0`. */
  readonly listen?: readonly string[];
  /** Instead of `deno run … main.ts`. */
  readonly command?: readonly [string, ...string[]];
}

export interface HttpClientOptions {
  readonly era?: "2025" | "2026";
  readonly name?: string;
  /** Default: one that waits as long as it takes, and can be broken off. */
  readonly fetch?: typeof fetch;
}

/** A client as tests use it. */
export interface HttpClient extends AsyncDisposable {
  readonly client: Client;
  /** Ends the session of a client of the 2025 era, as one does that leaves politely. */
  endSession(): Promise<void>;
  call(name: string, args?: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<Answer>;
}

export interface HttpServerProcess extends AsyncDisposable {
  readonly pid: number;
  /** Of the MCP endpoint. */
  readonly url: string;
  /** `null` where the server's own file holds none. */
  readonly token: string | null;
  readonly stateDir: string;
  readonly cwd: string;
  readonly codex: Pick<FakeCodex, "path" | "home">;
  stderr(): string;
  readonly ended: Promise<Deno.CommandStatus>;
  kill(signal: Deno.Signal): void;
  connect(options?: HttpClientOptions): Promise<HttpClient>;
  /** Sends what is given with the token, unless `headers` say otherwise, and `application/json`. */
  send(init: RequestInit, path?: string): Promise<Response>;
  /** Sends bytes as they are, and gives all that comes until the server ends the connection. */
  sendRaw(text: string): Promise<string>;
}

/** Starts the server and waits until it listens. */
export async function startHttpServer(options: HttpServerOptions = {}): Promise<HttpServerProcess> {
  const stack = new AsyncDisposableStack();
  try {
    const place = await placeServer(options, stack);
    const { codex, cwd, stateDir } = place;
    const process = stack.use(startProcess(place, options));
    const urlOf = (): string | undefined => / serving MCP at (\S+)/.exec(process.stderr())?.[1];
    await waitFor(() => process.hasEnded() || urlOf() !== undefined, { message: "the server to listen" });
    const url = urlOf();
    if (url === undefined) throw new Error(`the server ended: ${process.stderr()}`);
    const token = await Deno.readTextFile(join(stateDir, "token")).then((text) => text.trim(), () => null);
    const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
    const clients = stack.use(new AsyncDisposableStack());
    return {
      ...process,
      url,
      token,
      stateDir,
      cwd,
      codex,
      async connect({ era = "2025", name = "test", fetch = steadyFetch } = {}): Promise<HttpClient> {
        const client = new Client(
          { name, version: "1.0.0" },
          { versionNegotiation: { mode: era === "2026" ? "auto" : "legacy" } },
        );
        const headers = { ...authorization };
        const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers }, fetch });
        await client.connect(transport);
        const close = async (): Promise<void> => await client.close();
        clients.defer(close);
        return {
          client,
          endSession: () => transport.terminateSession(),
          call: (tool, args, callOptions) => callTool(client, { name: tool, args: args ?? {} }, callOptions ?? {}),
          [Symbol.asyncDispose]: close,
        };
      },
      send: (init, path = "/mcp") =>
        fetch(new URL(path, url), {
          ...init,
          headers: {
            ...authorization,
            "content-type": "application/json",
            accept: "application/json, text/event-stream",
            ...Object.fromEntries(new Headers(init.headers)),
          },
        }),
      async sendRaw(text): Promise<string> {
        const { hostname, port } = new URL(url);
        using connection = await Deno.connect({ hostname, port: Number(port) });
        await connection.write(new TextEncoder().encode(text));
        let answer = "";
        for await (const part of connection.readable.pipeThrough(new TextDecoderStream())) answer += part;
        return answer;
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Signals of requests that are under way. */
const held = new Set<AbortSignal>();

/** A fetch whose request can be broken off to its end: Deno's own forgets its signal when that is collected as garbage. */
async function steadyFetch(input: URL | RequestInfo, init?: RequestInit): Promise<Response> {
  const signal = init?.signal ?? null;
  if (signal === null) return await fetch(input, init);
  held.add(signal);
  const response = await fetch(input, init).catch((error) => {
    held.delete(signal);
    throw error;
  });
  const reader = response.body?.getReader();
  if (reader === undefined) {
    held.delete(signal);
    return response;
  }
  const stop = (): void => void reader.cancel(signal.reason).catch(() => undefined);
  const end = (): void => {
    held.delete(signal);
    signal.removeEventListener("abort", stop);
  };
  signal.addEventListener("abort", stop, { once: true });
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller): Promise<void> {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        end();
        if (signal.aborted) controller.error(signal.reason);
        else controller.close();
      } catch (error) {
        end();
        controller.error(error);
      }
    },
    async cancel(reason): Promise<void> {
      end();
      await reader.cancel(reason);
    },
  });
  return new Response(body, response);
}

/** A fetch that gives up where the first byte of an answer takes longer; an event stream for notifications may be silent. */
export function impatientFetch(firstByteMs: number): typeof fetch {
  return async (input, init) => {
    const given = new AbortController();
    const timer = setTimeout(() => given.abort(new Error(`no byte came in ${firstByteMs} ms`)), firstByteMs);
    const signals = [given.signal, ...(init?.signal === undefined || init.signal === null ? [] : [init.signal])];
    const response = await steadyFetch(input, { ...init, signal: AbortSignal.any(signals) });
    if (response.body === null || init?.method === "GET") {
      clearTimeout(timer);
      return response;
    }
    const seen = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(part, controller): void {
        clearTimeout(timer);
        controller.enqueue(part);
      },
    });
    return new Response(response.body.pipeThrough(seen), response);
  };
}

interface RunningProcess extends AsyncDisposable {
  readonly pid: number;
  readonly ended: Promise<Deno.CommandStatus>;
  hasEnded(): boolean;
  stderr(): string;
  kill(signal: Deno.Signal): void;
}

function startProcess(
  { cwd, args, env }: ServerPlace,
  { listen = ["--port", "0"], command }: Pick<HttpServerOptions, "listen" | "command">,
): RunningProcess {
  const [program, ...first] = command ?? [Deno.execPath(), "run", "--quiet", ...RUN_FLAGS, MAIN];
  const child = new Deno.Command(program, {
    args: [...first, "--http", ...listen, ...args],
    clearEnv: true,
    env: { ...env },
    cwd,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let text = "";
  let isOver = false;
  const read = (async (): Promise<void> => {
    for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) text += part;
  })();
  const ended = read.then(() => child.status).finally(() => isOver = true);
  const kill = (signal: Deno.Signal): void => {
    if (!isOver) child.kill(signal);
  };
  return {
    pid: child.pid,
    ended,
    hasEnded: () => isOver,
    stderr: () => text,
    kill,
    [Symbol.asyncDispose]: async () => {
      kill("SIGTERM");
      await ended;
    },
  };
}
