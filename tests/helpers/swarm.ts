/** A server with a fake Codex, a repository, a state directory and a connected client, all gone when it is disposed. */
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { endAgents } from "./end_agents.ts";
import { type FakeCodex, installFakeCodex } from "./fake_codex.ts";
import { ServerProcess } from "./server_process.ts";
import { tempDirectory } from "./temp_directory.ts";
import { tempRepo } from "./temp_repo.ts";

export interface SwarmOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Default: a fresh repository with one commit. */
  readonly cwd?: string;
  /** Default: a fresh directory. Pass one to restart a server on it. */
  readonly stateDir?: string;
  /** Default: a fake Codex of its own. */
  readonly codex?: Pick<FakeCodex, "path" | "home">;
  /** Protocol era; default 2025. */
  readonly era?: "2025" | "2026";
  /** What the client calls itself; default `test`, a client of which nothing is known. */
  readonly clientName?: string;
  readonly command?: readonly [string, ...string[]];
}

/** What a tool answered. */
export interface Answer {
  readonly text: string;
  // deno-lint-ignore no-explicit-any
  readonly structured: any;
  readonly isError: boolean;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Asks for progress. */
  readonly onProgress?: (message: string) => void;
  readonly meta?: Readonly<Record<string, unknown>>;
}

export interface Swarm extends AsyncDisposable {
  readonly client: Client;
  readonly process: ServerProcess;
  readonly stateDir: string;
  readonly cwd: string;
  readonly codex: Pick<FakeCodex, "path" | "home">;
  call(name: string, args?: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<Answer>;
  /** Reads one of the server's own resources, by the last part of its name. */
  // deno-lint-ignore no-explicit-any
  resource(name: string): Promise<any>;
}

/** Starts the server and connects a client to it. */
export async function startSwarm(options: SwarmOptions = {}): Promise<Swarm> {
  const stack = new AsyncDisposableStack();
  try {
    const { codex, cwd, stateDir, args, env } = await placeServer(options, stack);
    const process = stack.use(
      new ServerProcess({
        args,
        env,
        cwd,
        ...(options.command === undefined ? {} : { command: options.command }),
      }),
    );
    const client = new Client(
      { name: options.clientName ?? "test", version: "1.0.0" },
      { versionNegotiation: { mode: options.era === "2026" ? "auto" : "legacy" } },
    );
    await client.connect(process);
    return {
      client,
      process,
      stateDir,
      cwd,
      codex,
      call(name, args, callOptions): Promise<Answer> {
        const answer = callTool(client, { name, args: args ?? {} }, callOptions ?? {});
        // A test that fails before it awaits this is to fail with its own reason.
        answer.catch(() => {});
        return answer;
      },
      async resource(name): Promise<unknown> {
        const { contents: [content] } = await client.readResource({ uri: `codex-swarm:///${name}` });
        return content !== undefined && "text" in content ? JSON.parse(content.text) : undefined;
      },
      [Symbol.asyncDispose]: async () => {
        await client.close();
        await stack.disposeAsync();
      },
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Where a server is started, and with what. */
export interface ServerPlace {
  readonly codex: Pick<FakeCodex, "path" | "home">;
  readonly cwd: string;
  readonly stateDir: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Makes a place for a server, of what is not given; `stack` takes it away again. */
export async function placeServer(
  options: Pick<SwarmOptions, "codex" | "cwd" | "stateDir" | "args" | "env">,
  stack: AsyncDisposableStack,
): Promise<ServerPlace> {
  const codex = options.codex ?? stack.use(await installFakeCodex());
  const cwd = options.cwd ?? stack.use(await tempRepo()).path;
  const stateDir = options.stateDir ?? stack.use(await tempDirectory()).path;
  // After the server, before the directories.
  if (options.stateDir === undefined) stack.defer(() => endAgents(stateDir));
  return {
    codex,
    cwd,
    stateDir,
    args: ["--state-dir", stateDir, "--codex", codex.path, ...(options.args ?? [])],
    // Not where a person's own logs are.
    env: { ...baseEnvironment(codex.home), CODEX_AS_MCP_LOG_DIR: join(stateDir, "agent_logs"), ...options.env },
  };
}

/** As little of this process's environment as a child needs: nothing of the person who runs the tests leaks in. */
export function baseEnvironment(codexHome: string): Record<string, string> {
  const kept = ["PATH", "HOME", "DENO_DIR", "TMPDIR", "LANG", "SystemRoot", "USERPROFILE", "LOCALAPPDATA"];
  const entries = kept.map((name) => [name, Deno.env.get(name)] as const);
  const env = Object.fromEntries(entries.flatMap(([name, value]) => value === undefined ? [] : [[name, value]]));
  return { ...env, CODEX_HOME: codexHome };
}

/** Calls a tool and takes its answer apart. */
export async function callTool(
  client: Client,
  { name, args }: { readonly name: string; readonly args: Readonly<Record<string, unknown>> },
  { signal, onProgress, meta }: CallOptions,
): Promise<Answer> {
  const result = await client.callTool(
    { name, arguments: { ...args }, ...(meta === undefined ? {} : { _meta: { ...meta } }) },
    {
      timeout: 120_000,
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onprogress: ({ message }): void => onProgress(message ?? "") }),
    },
  );
  const [block] = result.content;
  return {
    text: block?.type === "text" ? block.text : "",
    structured: result.structuredContent,
    isError: result.isError === true,
  };
}
