/** Who gets in: looked at before anything of a request is read but its head. Pure, but for the hash of the token. */
import { MCP_PATH } from "../../storage/endpoint_url.ts";
import { hostName, isLoopback, nameOfHost } from "../../task/host_name.ts";
import type { Refusal } from "./refusal.ts";

// Not in a static import: a bundle has all of those at its top, and every start would load it.
const { createHash, timingSafeEqual } = await import("node:crypto");

export const HEALTH_PATH = "/healthz";

/** Whom the gate lets in. */
export interface GateOptions {
  /** As `hostName()` gives them; `null`: all, for a Unix socket has no name that a web page could take. */
  readonly allowedHosts: ReadonlySet<string> | null;
  /** In lower case. */
  readonly allowedOrigins: ReadonlySet<string>;
  /** `null`: none is asked for. */
  readonly token: string | null;
}

/** As much of a request as the gate looks at. */
export interface RequestHead {
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
}

/** Says why a request is refused; `null` for one that may go on. */
export function refuse(head: RequestHead, options: GateOptions): Refusal | null {
  return refuseStranger(head, options) ?? refusePath(head) ?? refuseWithoutToken(head, options) ?? refuseMethod(head);
}

/** Lets in, too, whoever calls the server by the address on which it listens. */
export function withOwnName(options: GateOptions, host: string): GateOptions {
  const name = nameOfHost(host);
  const { allowedHosts } = options;
  if (name === null || allowedHosts === null) return options;
  return { ...options, allowedHosts: new Set([...allowedHosts, name]) };
}

/** What a web page anywhere could send through a browser of this machine. */
function refuseStranger({ host, origin }: RequestHead, { allowedHosts, allowedOrigins }: GateOptions): Refusal | null {
  if (allowedHosts !== null) {
    const name = hostName(host ?? "");
    if (name === null || !(isLoopback(name) || allowedHosts.has(name))) {
      return {
        status: 403,
        message: `This server is not known as ${
          JSON.stringify(host ?? "")
        }: start it with --allowed-host NAME to allow it.`,
      };
    }
  }
  if (origin === undefined || isAllowedOrigin(origin, allowedOrigins)) return null;
  return {
    status: 403,
    message: `Web pages of ${
      JSON.stringify(origin)
    } may not call this server: start it with --allowed-origin to allow them.`,
  };
}

/** Tells whether web pages of an origin may call the server. */
export function isAllowedOrigin(origin: string, allowed: ReadonlySet<string>): boolean {
  if (allowed.has(origin.toLowerCase())) return true;
  if (!/^https?:\/\/[^/]+$/i.test(origin) || !URL.canParse(origin)) return false;
  return isLoopback(new URL(origin).hostname);
}

function refusePath({ path }: RequestHead): Refusal | null {
  if (path === MCP_PATH || path === HEALTH_PATH) return null;
  return { status: 404, message: `There is nothing at ${path.slice(0, 200)}: MCP is served at ${MCP_PATH}.` };
}

function refuseWithoutToken({ method, path, authorization }: RequestHead, { token }: GateOptions): Refusal | null {
  // A browser asks without it whether it may ask.
  if (token === null || path === HEALTH_PATH || method === "OPTIONS") return null;
  const [, given] = /^Bearer +(\S+) *$/i.exec(authorization ?? "") ?? [];
  if (given !== undefined && isSame(given, token)) return null;
  return {
    status: 401,
    message: given === undefined
      ? "A token is missing: send it as Authorization: Bearer TOKEN. The server says at its start where it stands."
      : "The token is not the server's. The server says at its start where that stands.",
    headers: {
      "www-authenticate": `Bearer realm="codex-swarm"${given === undefined ? "" : ', error="invalid_token"'}`,
    },
  };
}

/** How long it takes tells nothing of the token. */
function isSame(given: string, token: string): boolean {
  const [a, b] = [given, token].map((text) => createHash("sha256").update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}

function refuseMethod({ method, path, contentType }: RequestHead): Refusal | null {
  const methods = path === HEALTH_PATH ? ["GET", "HEAD", "OPTIONS"] : ["GET", "POST", "DELETE", "OPTIONS"];
  if (!methods.includes(method)) {
    return {
      status: 405,
      message: `${method.slice(0, 20)} is not served at ${path}: only ${methods.join(", ")} are.`,
      headers: { allow: methods.join(", ") },
    };
  }
  if (method !== "POST" || /^application\/json\s*(;|$)/i.test(contentType ?? "")) return null;
  return { status: 415, message: "The body's Content-Type must be application/json." };
}

/** What a browser is told that asks for a web page of an allowed origin. */
export function corsHeaders(origin: string | undefined, isPreflight: boolean): Record<string, string> {
  if (origin === undefined) return {};
  return {
    "access-control-allow-origin": origin,
    "access-control-expose-headers": "Mcp-Session-Id, Retry-After, WWW-Authenticate",
    ...(isPreflight
      ? {
        "access-control-allow-methods": "GET, POST, DELETE",
        "access-control-allow-headers": "Authorization, Content-Type, Accept, Mcp-Session-Id, MCP-Protocol-Version, " +
          "Mcp-Method, Mcp-Name, Last-Event-ID",
        "access-control-max-age": "600",
      }
      : {}),
  };
}
