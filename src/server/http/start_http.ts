import { createMcpHandler } from "@modelcontextprotocol/server";
import type { Log } from "../../log.ts";
import type { Address } from "../../storage/endpoint_url.ts";
import type { MakeServer } from "../create_server.ts";
import type { ResourceUpdates } from "../resource_updates.ts";
import { type GateOptions, withOwnName } from "./gate.ts";
import { listen, type Listener } from "./listen.ts";
import { withUpdates } from "./listening.ts";
import { RateLimit } from "./rate_limit.ts";
import { serveRequest } from "./serve_http.ts";
import { Sessions } from "./sessions.ts";

/** How often a stream says that it lives. */
const KEEP_ALIVE_MS = 15_000;
/** How long answers may still take once the server ends. */
const LAST_WORDS_MS = 300;
/** Streams on which clients listen for changes, at once. */
const MAX_LISTENING = 1_024;

/** What a server over HTTP is made from. */
export interface HttpOptions {
  readonly address: Address;
  readonly gate: GateOptions;
  /** Makes the server of a session, or of one request in the 2026 era. */
  readonly makeServer: MakeServer;
  /** What anybody on this machine may know; the number of sessions is added. */
  readonly health: () => Readonly<Record<string, unknown>>;
  readonly updates: ResourceUpdates;
  readonly log: Log;
}

/** A server that listens. */
export interface HttpServer {
  /** Of its MCP endpoint. */
  readonly url: string;
  /** Takes no more connections. */
  stop(): void;
  /** Lets answers that are due get out, and ends all connections. */
  close(): Promise<void>;
}

/** Serves any number of clients of both protocol eras. Throws what {@linkcode listen} does. */
export async function startHttp(
  { address, gate, makeServer, health, updates, log }: HttpOptions,
): Promise<HttpServer> {
  const now = (): number => performance.now();
  const sessions = new Sessions({ makeServer, log, now });
  const modern = createMcpHandler(makeServer, {
    legacy: "reject",
    // At once, whatever the call takes: some clients give up a minute after their request.
    responseMode: "sse",
    keepAliveMs: KEEP_ALIVE_MS,
    maxSubscriptions: MAX_LISTENING,
    onerror: (error) => log.debug("a request had a fault", { error }),
  });
  const services = {
    gate: address.kind === "tcp" ? withOwnName(gate, address.host) : gate,
    rateLimit: new RateLimit(now()),
    sessions,
    modern: withUpdates(modern, { updates, log }),
    health: () => ({ ...health(), sessions: sessions.count }),
    log,
    now,
  };
  /** What is being answered. */
  const open = new Set<Promise<void>>();
  let listener: Listener;
  try {
    listener = await listen(address, async (message, outgoing) => {
      const served = serveRequest(message, outgoing, services);
      open.add(served);
      await served;
      open.delete(served);
    });
  } catch (error) {
    await sessions.close();
    throw error;
  }
  return {
    url: listener.url,
    stop: () => listener.stop(),
    async close(): Promise<void> {
      await within(Promise.all(open), LAST_WORDS_MS);
      // Streams on which clients listen have an end of their own, which tells them so.
      await Promise.all([modern.close(), sessions.close()]);
      await within(Promise.all(open), LAST_WORDS_MS);
      await listener.close();
    },
  };
}

async function within(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([work, new Promise((resolve) => timer = setTimeout(resolve, ms))]);
  clearTimeout(timer);
}
