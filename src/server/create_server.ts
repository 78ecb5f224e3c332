/** MCP as a protocol: what a connection's server offers, of either protocol era. */
import { Server } from "@modelcontextprotocol/server";
import type { Log } from "../log.ts";
import type { Tool, ToolServices } from "../tools/tool.ts";
import type { OpenCalls } from "./open_calls.ts";
import type { Resource } from "./resources.ts";
import { serveResources } from "./serve_resources.ts";
import { serveTools } from "./serve_tools.ts";

/** What one connection's server is made from; all state lives outside it. */
export interface ServerOptions {
  readonly version: string;
  readonly tools: readonly Tool[];
  readonly resources: readonly Resource[];
  readonly services: ToolServices;
  /** The repository of the client. */
  readonly repository: () => Promise<string>;
  readonly instructions: string;
  /** How the client is connected: some bear less over HTTP. */
  readonly transport: "stdio" | "http";
  /** Aborted when the server ends, before its connections are closed. */
  readonly ending: AbortSignal;
  readonly maxWaitMs: number | null;
  /** All calls of all connections. */
  readonly calls: OpenCalls;
  readonly log: Log;
}

/** Makes the server of one connection, or in the 2026 era over HTTP of one request. */
export function createServer(options: ServerOptions): Server {
  const server = new Server(
    { name: "codex-swarm", title: "codex-swarm", version: options.version },
    { capabilities: { tools: {}, resources: {} }, instructions: options.instructions },
  );
  serveTools(server, options);
  serveResources(server, options);
  return server;
}
