/**
 * Listens on a port or a Unix socket. With node:http, because Deno.serve bounds no connection: one that never says what it
 * wants is kept for ever there, and running short of open files ends the whole listener.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type Address, endpointUrl } from "../../storage/endpoint_url.ts";
import { reasonOf, TaskError } from "../../task/errors.ts";

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

/** Listens. Throws `invalid_argument` with the way out where that is not possible. */
export async function listen(address: Address, handle: Handle): Promise<Listener> {
  const server = createServer({
    headersTimeout: HEAD_MS,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: IDLE_MS,
    connectionsCheckingInterval: CHECK_EVERY_MS,
    maxHeaderSize: MAX_HEAD_BYTES,
  }, (message, outgoing) => void handle(message, outgoing));
  server.maxConnections = MAX_CONNECTIONS;
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    if (sockets.size >= MAX_CONNECTIONS) return void socket.destroy();
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
  const umask = address.kind === "socket" ? Deno.umask(0o177) : null;
  try {
    if (address.kind === "socket") await removeDeadSocket(address.path);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(
        address.kind === "socket" ? { path: address.path } : { host: address.host, port: address.port },
        resolve,
      );
    });
  } catch (error) {
    throw explain(address, error);
  } finally {
    if (umask !== null) Deno.umask(umask);
  }
  const closed = new Promise<void>((resolve) => server.once("close", () => resolve()));
  return {
    url: endpointUrl(boundAt(address, server.address())),
    stop: () => void server.close(),
    async close(): Promise<void> {
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
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

/** Removes what a server has left that was killed: a socket that nobody listens on. */
async function removeDeadSocket(path: string): Promise<void> {
  const found = await Deno.lstat(path).catch(() => null);
  if (found === null) return;
  if (found.isSocket !== true) throw new Error("something else stands there");
  try {
    const connection = await Deno.connect({ transport: "unix", path });
    connection.close();
  } catch {
    return await Deno.remove(path);
  }
  throw Object.assign(new Error("another server listens there"), { code: "EADDRINUSE" });
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
