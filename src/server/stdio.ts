/** MCP over standard input and output. */
import process from "node:process";
import type { McpRequestContext, Server } from "@modelcontextprotocol/server";
import { serveStdio as serveTransport } from "@modelcontextprotocol/server/stdio";
import type { Log } from "../log.ts";
import type { MakeServer } from "./create_server.ts";
import { LineTransport } from "./line_transport.ts";
import { ListenTransport } from "./listen_transport.ts";
import type { ResourceUpdates } from "./resource_updates.ts";
import { updateSender } from "./serve_subscriptions.ts";
import { Subscriptions } from "./subscriptions.ts";

/** A connection that is being served. */
export interface StdioConnection {
  /** Settles when the client has said its last word: it has ended our input, or reads no more. */
  readonly left: Promise<void>;
  /** Answers what can be answered at once, then closes. */
  close(): Promise<void>;
}

/** Serves one client on standard input and output, of either protocol era. */
export function serveStdio(
  makeServer: MakeServer,
  { updates, log }: { readonly updates: ResourceUpdates; readonly log: Log },
): StdioConnection {
  const transport = new LineTransport(process.stdin, process.stdout);
  // In the 2026 era the SDK passes what the server tells on to those who listen.
  let notify = (_uri: string): void => undefined;
  const subscriptions = new Subscriptions({ updates, notify: (uri) => notify(uri), log });
  const factory = async ({ era }: McpRequestContext): Promise<Server> => {
    const server = await makeServer({ era });
    if (era === "modern") notify = updateSender(server, log);
    return server;
  };
  const connection = serveTransport(factory, {
    transport: new ListenTransport(transport, subscriptions),
    onerror: (error) => log.warning("the connection had a fault", { error }),
  });
  return {
    left: transport.left,
    async close(): Promise<void> {
      await transport.drained();
      await connection.close();
    },
  };
}
