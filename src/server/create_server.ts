/** MCP as a protocol: what a connection's server offers, of either protocol era. */
import { type McpRequestContext, Server, type ServerCapabilities } from "@modelcontextprotocol/server";
import type { Log } from "../log.ts";
import type { Tool, ToolCall, ToolServices } from "../tools/tool.ts";
import type { KeptCalls } from "./kept_calls.ts";
import type { OpenCalls } from "./open_calls.ts";
import type { ResourceTemplate } from "./resource_templates.ts";
import type { ResourceUpdates } from "./resource_updates.ts";
import type { Resource } from "./resources.ts";
import { type CompleteIds, serveCompletion } from "./serve_completion.ts";
import { servePrompts } from "./serve_prompts.ts";
import { serveHandles, TASKS_EXTENSION } from "./serve_handles.ts";
import { serveResources } from "./serve_resources.ts";
import { serveSubscriptions } from "./serve_subscriptions.ts";
import { serveTools } from "./serve_tools.ts";

/** What one connection's server is made from; all state lives outside it. */
export interface ServerOptions {
  readonly version: string;
  readonly tools: readonly Tool[];
  readonly resources: readonly Resource[];
  readonly templates: readonly ResourceTemplate[];
  readonly updates: ResourceUpdates;
  readonly completeIds: CompleteIds;
  readonly services: ToolServices;
  /** The calls that were answered with handles. */
  readonly kept: KeptCalls;
  /** Of the protocol. */
  readonly era: McpRequestContext["era"];
  /** Finds a repository for {@linkcode ToolCall}. */
  readonly repository: ToolCall["repository"];
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

/** Makes a server for clients that speak one era of the protocol. */
export type MakeServer = (context: Pick<McpRequestContext, "era">) => Promise<Server>;

/** Makes the server of one connection, or in the 2026 era over HTTP of one request. */
export function createServer(options: ServerOptions): Server {
  const server = new Server(
    { name: "codex-swarm", title: "codex-swarm", version: options.version },
    { capabilities: capabilities(options), instructions: options.instructions },
  );
  serveAll(server, options);
  return server;
}

/** What a server declares that serves all that there is. */
export function capabilities({ era }: Pick<ServerOptions, "era">): ServerCapabilities {
  return {
    tools: {},
    resources: { subscribe: true },
    prompts: {},
    completions: {},
    ...(era === "modern" ? { extensions: { [TASKS_EXTENSION]: {} } } : {}),
  };
}

/** Lets a server serve all that there is. */
export function serveAll(server: Server, options: ServerOptions): void {
  serveTools(server, options);
  serveHandles(server, options);
  serveResources(server, options);
  serveSubscriptions(server, options);
  servePrompts(server, options);
  serveCompletion(server, options);
}
