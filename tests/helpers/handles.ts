/** A client of the 2026 era that speaks plain JSON-RPC and may declare the extension Tasks, for which the SDK has no client. */
import assert from "node:assert/strict";
import type { HttpServerProcess } from "./http_server.ts";
import { ServerProcess } from "./server_process.ts";
import { baseEnvironment } from "./swarm.ts";
import type { ServersYard } from "./servers_yard.ts";
import { waitFor } from "./wait_for.ts";

export const EXTENSION = "io.modelcontextprotocol/tasks";
const META = "io.modelcontextprotocol";
const VERSION = "2026-07-28";

export interface HandleClientOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What the client calls itself; default `test`. */
  readonly clientName?: string;
}

/** An answer as it came over the wire. */
// deno-lint-ignore no-explicit-any
type Message = any;

/** A request of the 2026 era. */
function requestOf(
  id: number,
  { method, params, declares, clientName }: {
    readonly method: string;
    readonly params: Readonly<Record<string, unknown>>;
    readonly declares: boolean;
    readonly clientName: string;
  },
): Message {
  const _meta = {
    [`${META}/protocolVersion`]: VERSION,
    [`${META}/clientInfo`]: { name: clientName, version: "1" },
    [`${META}/clientCapabilities`]: declares ? { extensions: { [EXTENSION]: {} } } : {},
  };
  return { jsonrpc: "2.0", id, method, params: { ...params, _meta } };
}

/** Sends a request of a client that declares the extension, over HTTP, and gives the whole answer. */
export async function requestOverHttp(
  server: Pick<HttpServerProcess, "send">,
  method: string,
  params: Readonly<Record<string, unknown>>,
): Promise<Message> {
  const name = params["name"] ?? params["taskId"];
  const response = await server.send({
    method: "POST",
    headers: {
      "mcp-protocol-version": VERSION,
      "mcp-method": method,
      ...(typeof name === "string" ? { "mcp-name": name } : {}),
    },
    body: JSON.stringify(requestOf(1, { method, params, declares: true, clientName: "test" })),
  });
  const text = await response.text();
  const messages = text.startsWith("{") ? [text] : [...text.matchAll(/^data: (\{.*)$/gm)].map(([, data = ""]) => data);
  return JSON.parse(messages.at(-1) ?? "null");
}

/** A server of a yard, with its client. */
export class HandleClient implements AsyncDisposable {
  readonly process: ServerProcess;
  readonly #clientName: string;
  #id = 0;

  constructor(yard: ServersYard, { args = [], env = {}, clientName = "test" }: HandleClientOptions = {}) {
    this.#clientName = clientName;
    this.process = new ServerProcess({
      args: ["--state-dir", yard.stateDir, "--codex", yard.codex.path, ...args],
      env: { ...baseEnvironment(yard.codex.home), CODEX_AS_MCP_LOG_DIR: `${yard.stateDir}/agent_logs`, ...env },
      cwd: yard.cwd,
    });
  }

  /** Sends a request and gives the whole answer. */
  async request(
    method: string,
    params: Readonly<Record<string, unknown>>,
    { declares = true }: { readonly declares?: boolean } = {},
  ): Promise<Message> {
    const id = await this.send(method, params, { declares });
    return await this.answer(id);
  }

  /** Sends a request and gives its id. */
  async send(
    method: string,
    params: Readonly<Record<string, unknown>>,
    { declares = true }: { readonly declares?: boolean } = {},
  ): Promise<number> {
    const id = ++this.#id;
    await this.process.send(requestOf(id, { method, params, declares, clientName: this.#clientName }));
    return id;
  }

  async answer(id: number): Promise<Message> {
    return await waitFor(() => this.process.received.find((message) => message["id"] === id), {
      message: `answer ${id}`,
    });
  }

  /** Calls a tool and gives the result, be it a handle or an answer. */
  async call(
    name: string,
    args: Readonly<Record<string, unknown>>,
    options?: { readonly declares: boolean },
  ): Promise<Message> {
    const { result, error } = await this.request("tools/call", { name, arguments: args }, options);
    assert.equal(error, undefined);
    return result;
  }

  /** Calls a tool and gives the handle that it is answered with. */
  async handle(name: string, args: Readonly<Record<string, unknown>>): Promise<string> {
    const result = await this.call(name, args);
    assert.equal(result.resultType, "task", JSON.stringify(result));
    return result.taskId;
  }

  async get(taskId: string): Promise<Message> {
    const { result, error } = await this.request("tasks/get", { taskId });
    assert.equal(error, undefined);
    return result;
  }

  /** Asks until the call has ended. */
  async ended(taskId: string): Promise<Message> {
    return await waitFor(async () => {
      const view = await this.get(taskId);
      return view.status === "working" ? null : view;
    }, { message: `${taskId} to end` });
  }

  /** Ends the server as the system does that has no memory left. */
  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.close();
  }
}
