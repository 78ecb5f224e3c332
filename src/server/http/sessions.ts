/** The 2025 era over HTTP: a session for each client, with a server of its own. */
import {
  isInitializeRequest,
  type Server,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import type { Log } from "../../log.ts";
import type { MakeServer } from "../create_server.ts";
import { cancelledIdOf, isObject, requestIdOf } from "../json_rpc.ts";
import { CLIENT_LEFT } from "../tool_call.ts";
import { refusalResponse } from "./refusal.ts";
import { trackedResponse } from "./tracked_response.ts";

/** Sessions at once: beyond it the one that was silent for longest gives way. */
const MAX_SESSIONS = 256;
/** One that nobody has used for so long is over, and so is at most one that gives way to another. */
const IDLE_MS = 45 * 60_000;
const GIVES_WAY_MS = 10_000;
const SWEEP_EVERY_MS = 60_000;

export interface SessionsOptions {
  readonly makeServer: MakeServer;
  readonly log: Log;
  /** In milliseconds, from any beginning. */
  readonly now: () => number;
  /** How often those are looked for that nobody uses any more. Default 60,000. */
  readonly sweepEveryMs?: number;
}

interface Session {
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly server: Server;
  /** Requests that are being answered, an open stream for notifications among them. */
  open: number;
  /** Ids of those among them that are to be answered. */
  readonly openIds: Set<string | number>;
  lastUsedMs: number;
}

/** All sessions of a server. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, Session>();
  /** Those that are being made have their place already. */
  #made = 0;
  readonly #sweeping: ReturnType<typeof setInterval>;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#sweeping = setInterval(() => this.#sweep(), options.sweepEveryMs ?? SWEEP_EVERY_MS);
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** Answers a request; `json` is its body. */
  async handle(request: Request, json: unknown): Promise<Response> {
    const id = request.headers.get("mcp-session-id");
    if (id === null) return isInitializeRequest(json) ? await this.#begin(request, json) : this.#refuse(request, json);
    const session = this.#sessions.get(id);
    if (session === undefined) {
      return refusalResponse(
        { status: 404, message: "Session not found: begin another one with initialize." },
        -32_001,
      );
    }
    return await this.#answer(session, request, json);
  }

  /** Ends all. */
  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    await Promise.all([...this.#sessions.values()].map((session) => this.#end(session)));
  }

  #refuse({ method }: Request, json: unknown): Response {
    const message = method === "POST" && isObject(json) && json["method"] === "initialize"
      ? "The parameters of initialize are not those of the protocol."
      : "The header Mcp-Session-Id is missing: a session begins with initialize.";
    return refusalResponse({ status: 400, message });
  }

  async #begin(request: Request, json: unknown): Promise<Response> {
    if (!this.#makeRoom()) {
      const headers = { "retry-after": String(GIVES_WAY_MS / 1_000) };
      return refusalResponse({
        status: 503,
        message: `All ${MAX_SESSIONS} sessions are in use: end some clients, or try again soon.`,
        headers,
      });
    }
    this.#made++;
    try {
      const server = await this.#options.makeServer({ era: "legacy" });
      const transport = new WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: () => crypto.randomUUID(),
        onsessioninitialized: (id): void => void this.#sessions.set(id, session),
        onsessionclosed: (id): void => void this.#sessions.delete(id),
      });
      const session: Session = { transport, server, open: 0, openIds: new Set(), lastUsedMs: this.#options.now() };
      await server.connect(transport);
      const response = await this.#answer(session, request, json);
      // Refused by the transport: nobody knows of it.
      if (transport.sessionId === undefined) await server.close();
      return response;
    } finally {
      this.#made--;
    }
  }

  async #answer(session: Session, request: Request, json: unknown): Promise<Response> {
    const { transport, openIds } = session;
    const requestId = requestIdOf(json);
    if (requestId !== null && openIds.has(requestId)) return refuseUsedId(requestId);
    if (requestId !== null) openIds.add(requestId);
    session.open++;
    session.lastUsedMs = this.#options.now();
    const response = await transport.handleRequest(request, json === undefined ? {} : { parsedBody: json });
    // A cancelled request is never answered: its stream would stay open.
    const cancelled = cancelledIdOf(json);
    if (cancelled !== null) transport.closeSSEStream(cancelled);
    return trackedResponse(response, (isWhole) => {
      session.open--;
      session.lastUsedMs = this.#options.now();
      if (requestId === null) return;
      openIds.delete(requestId);
      if (isWhole) return;
      // Nobody can hear the answer any more: whoever waits for it is not to wait on.
      transport.onmessage?.({
        jsonrpc: "2.0",
        method: "notifications/cancelled",
        params: { requestId, reason: CLIENT_LEFT },
      });
    });
  }

  /** Tells whether one more finds room, for which one that is silent may have to go. */
  #makeRoom(): boolean {
    if (this.#sessions.size + this.#made < MAX_SESSIONS) return true;
    const before = this.#options.now() - GIVES_WAY_MS;
    const [oldest] = [...this.#sessions.values()].filter(({ open, lastUsedMs }) => open === 0 && lastUsedMs <= before)
      .sort((a, b) => a.lastUsedMs - b.lastUsedMs);
    if (oldest === undefined) return false;
    void this.#end(oldest);
    return true;
  }

  #sweep(): void {
    const before = this.#options.now() - IDLE_MS;
    for (const session of this.#sessions.values()) {
      if (session.open === 0 && session.lastUsedMs <= before) void this.#end(session);
    }
  }

  async #end({ transport, server }: Session): Promise<void> {
    if (transport.sessionId !== undefined) this.#sessions.delete(transport.sessionId);
    try {
      await server.close();
    } catch (error) {
      this.#options.log.warning("a session did not end well", { error });
    }
  }
}

/** The transport would send both answers to the later one, and the other would wait for ever. */
function refuseUsedId(id: string | number): Response {
  const message = `The id ${JSON.stringify(id).slice(0, 100)} is that of a request of this session which is not ` +
    "answered yet: give each request an id of its own.";
  return refusalResponse({ status: 400, message }, -32_600);
}
