/**
 * Listens on a port or a Unix socket. With node:http, because Deno.serve bounds no connection: one that never says what it
 * wants is kept for ever there, and running short of open files ends the whole listener.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type Address, endpointUrl } from "../../storage/endpoint_url.ts";
import { reasonOf, TaskError } from "../../task/errors.ts";
import { claimSocket } from "./claim_socket.ts";

// Not in a static import: a bundle has all of those at its top, and every start would load it.
const { createServer } = await import("node:http");

/** How long a request may take to tell its head, and to be there whole. */
const HEAD_MS = 10_000;
const REQUEST_MS = 30_000;
/** How long a connection is kept on which nothing is asked. */
const IDLE_MS = 65_000;
const CHECK_EVERY_MS = 1_000;
/** Connections at once. */
const MAX_CONNECTIONS = 1_024;
const MAX_HEAD_BYTES = 32 * 1024;
/** How long a peer may be gone without a word. */
const KEEP_ALIVE_MS = 30_000;

/** Somebody is listening. */
export interface Listener {
  /** Of the MCP endpoint; `unix:///PATH#/mcp` for a socket. */
  readonly url: string;
  /** Takes no more connections. */
  stop(): void;
  /** Ends those that there are. */
  close(): Promise<void>;
}

type Handle = (message: IncomingMessage, outgoing: ServerResponse) => Promise<void>;

export interface ListenOptions {
  /** Connections at once: one beyond them is ended unheard. Default 1,024. */
  readonly maxConnections?: number;
}

/** Listens. Throws `invalid_argument` with the way out where that is not possible. */
export async function listen(
  address: Address,
  handle: Handle,
  { maxConnections = MAX_CONNECTIONS }: ListenOptions = {},
): Promise<Listener> {
  const server = createServer({
    headersTimeout: HEAD_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: IDLE_MS,
    connectionsCheckingInterval: CHECK_EVERY_MS,
    maxHeaderSize: MAX_HEAD_BYTES,
  }, (message, outgoing) => void handle(message, outgoing));
  server.maxConnections = maxConnections;
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    if (sockets.size >= maxConnections) return void socket.destroy();
    sockets.add(socket);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  });
  server.on("clientError", (error: Error & { readonly code?: string }, socket: Socket) => {
    if (socket.writable) {
      socket.write(`HTTP/1.1 ${statusOf(error.code)}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    }
    // Until it is gone the same is told again and again.
    socket.destroySoon();
    sockets.delete(socket);
  });
  using begun = new DisposableStack();
  try {
    if (address.kind === "socket") begun.use(await claimSocket(address.path));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      if (address.kind === "socket") listenForOwner(server, address.path, resolve);
      else server.listen({ host: address.host, port: address.port }, resolve);
    });
  } catch (error) {
    throw explain(address, error);
  }
  const claims = begun.move();
  const closed = new Promise<void>((resolve) => server.once("close", () => resolve()));
  const stop = (): void => {
    // Removes a socket at once, which only who has the claim to its path may do.
    server.close();
    claims.dispose();
  };
  return {
    url: endpointUrl(boundAt(address, server.address())),
    stop,
    async close(): Promise<void> {
      stop();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** The socket is made before this returns, and nothing else meanwhile. */
function listenForOwner(server: Server, path: string, listening: () => void): void {
  const umask = Deno.umask(0o177);
  try {
    server.listen({ path }, listening);
  } finally {
    Deno.umask(umask);
  }
}

function statusOf(code: string | undefined): string {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return "431 Request Header Fields Too Large";
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return "408 Request Timeout";
    default:
      return "400 Bad Request";
  }
}

/** As it was bound: port 0 is any free one. */
function boundAt(address: Address, bound: ReturnType<ReturnType<typeof createServer>["address"]>): Address {
  if (address.kind === "socket") return address;
  return { ...address, port: typeof bound === "object" && bound !== null ? bound.port : address.port };
}

function explain(address: Address, error: unknown): TaskError {
  const where = address.kind === "socket" ? address.path : `${address.host}:${address.port}`;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return new TaskError(
    "invalid_argument",
    `Cannot listen on ${where}: ${wordsOf(code, address) ?? `${reasonOf(error)}.`}`,
    {
      cause: error,
    },
  );
}

const NO_ADDRESS = "this machine has no such address. Use 127.0.0.1, or one that it has.";

function wordsOf(code: unknown, { kind }: Address): string | null {
  const other = kind === "socket" ? "another --socket" : "another --port, or --port 0 for a free one";
  switch (code) {
    case "EADDRINUSE":
      return `it is in use, maybe by another codex-swarm, which clients can share. Use that one, or name ${other}.`;
    case "EACCES":
      return `the system does not allow it. Name ${other}.`;
    case "ENOENT":
      return "there is no such directory. Make it first.";
    case "EINVAL":
    case "ENAMETOOLONG":
      if (kind === "socket") {
        return "the path is too long for a socket: some 100 bytes are the most. Name a shorter one.";
      }
      return NO_ADDRESS;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return NO_ADDRESS;
    default:
      return null;
  }
}
