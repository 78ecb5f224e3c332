/** What becomes of one HTTP request. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { isLegacyRequest, type McpHttpHandler } from "@modelcontextprotocol/server";
import type { Log } from "../../log.ts";
import { mendMessage } from "../mend_message.ts";
import { withErrorStatus } from "./error_status.ts";
import { corsHeaders, type GateOptions, HEALTH_PATH, isAllowedOrigin, refuse, type RequestHead } from "./gate.ts";
import type { RateLimit } from "./rate_limit.ts";
import { readBody } from "./read_body.ts";
import { type Refusal, refusalResponse } from "./refusal.ts";
import type { Sessions } from "./sessions.ts";
import { sendResponse, toRequest } from "./web_exchange.ts";

/** How long a body that was refused may still take to arrive. */
const PASS_OVER_MS = 1_000;

export interface HttpServices {
  readonly gate: GateOptions;
  readonly rateLimit: RateLimit;
  /** The 2025 era. */
  readonly sessions: Sessions;
  /** The 2026 era. */
  readonly modern: Pick<McpHttpHandler, "fetch">;
  readonly health: () => Readonly<Record<string, unknown>>;
  readonly log: Log;
  /** In milliseconds, from any beginning. */
  readonly now: () => number;
}

/** Answers a request. Never rejects. */
export async function serveRequest(
  message: IncomingMessage,
  outgoing: ServerResponse,
  services: HttpServices,
): Promise<void> {
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  // Who breaks off hears nothing; without a listener it would end the process.
  for (const stream of [message, outgoing]) stream.on("error", () => gone.abort());
  const head = headOf(message);
  let answer: Answer;
  try {
    answer = await answerTo(message, head, gone.signal, services);
  } catch (error) {
    services.log.error("a request failed for a reason of our own", { error });
    answer = refused({ status: 500, message: "This is a fault of codex-swarm; its log file says more." });
  }
  const { response, isLast } = answer;
  const { allowedOrigins } = services.gate;
  const isKnown = head.origin !== undefined && isAllowedOrigin(head.origin, allowedOrigins);
  const headers = {
    vary: "Origin",
    ...(isKnown ? corsHeaders(head.origin, head.method === "OPTIONS") : {}),
    // Strangers have no connection to keep.
    ...(isLast ? { connection: "close" } : {}),
  };
  await sendResponse(response, outgoing, { headers, beforeEnd: () => isLast ? passOver(message) : undefined });
}

/** Lets a client that is still sending come to read its answer, but not for long. */
async function passOver(message: IncomingMessage): Promise<void> {
  if (message.complete || message.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, PASS_OVER_MS);
  for (const event of ["end", "close"]) message.once(event, resolve);
  message.resume();
  await promise;
  clearTimeout(timer);
}

interface Answer {
  readonly response: Response;
  /** Of its connection. */
  readonly isLast: boolean;
}

function refused(refusal: Refusal, code?: number): Answer {
  return { response: refusalResponse(refusal, code), isLast: true };
}

async function answerTo(
  message: IncomingMessage,
  head: RequestHead,
  signal: AbortSignal,
  { gate, rateLimit, sessions, modern, health, now }: HttpServices,
): Promise<Answer> {
  const refusal = refuseTwoHosts(message) ?? refuse(head, gate);
  if (refusal !== null) return refused(refusal);
  // Asked without the token, too: there is no connection to keep for who asks.
  if (head.method === "OPTIONS") return { response: new Response(null, { status: 204 }), isLast: true };
  if (head.path === HEALTH_PATH) return { response: Response.json(health()), isLast: true };
  // Behind the token: strangers must not use up what clients may ask.
  if (!rateLimit.take(now())) {
    return refused({
      status: 429,
      message: "Too many requests: try again in a second.",
      headers: { "retry-after": "1" },
    });
  }
  const request = toRequest(message, signal);
  if (head.method !== "POST") return { response: await sessions.handle(request, undefined), isLast: false };
  const body = await readBody(message);
  if ("refusal" in body) return refused(body.refusal, body.code);
  const json = mendMessage(body.json);
  if (Array.isArray(json)) {
    const batch = { status: 400, message: "Invalid request: batches are not served, send each message by itself." };
    return { response: refusalResponse(batch, -32_600), isLast: false };
  }
  const response = await isLegacyRequest(request, json)
    ? await sessions.handle(request, json)
    : await withErrorStatus(await modern.fetch(request, { parsedBody: json }));
  return { response, isLast: false };
}

/** Which of them a proxy before this server went by cannot be known (RFC 9112, 3.2). */
function refuseTwoHosts({ rawHeaders }: IncomingMessage): Refusal | null {
  const count = rawHeaders.filter((text, at) => at % 2 === 0 && text.toLowerCase() === "host").length;
  return count > 1 ? { status: 400, message: "The request has more than one Host header: send exactly one." } : null;
}

function headOf({ method = "", url = "", headers }: IncomingMessage): RequestHead {
  return {
    method,
    path: url.split("?", 1)[0] ?? "",
    host: headers.host,
    origin: headers.origin,
    authorization: headers.authorization,
    contentType: headers["content-type"],
  };
}
