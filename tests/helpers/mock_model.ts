/** A model for the real Codex CLI that needs no network and no account: the OpenAI Responses API on loopback, following scripts. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import { json } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { type AccountLimit, AccountLimits, type LimitRefusal } from "./mock_model/account_limits.ts";
import { chooseStep, compact } from "./mock_model/choose_step.ts";
import { eventStream } from "./mock_model/event_stream.ts";
import { ModelRequest, offeredTools } from "./mock_model/model_request.ts";
import { outputItems } from "./mock_model/output_items.ts";
import type { Step } from "./mock_model/step.ts";

export { scripted, type StepInput } from "./mock_model/step.ts";

/** One request to the model. */
export interface RecordedRequest {
  readonly model: string;
  /** The reasoning effort; absent when the request names none. */
  readonly effort?: string;
  /** The newest prompt of the conversation, without the context that Codex adds. */
  readonly prompt: string;
  readonly body: ModelRequest;
  /** By lower-case name. */
  readonly headers: IncomingMessage["headers"];
  readonly startedAt: Date;
}

/** A running mock; disposing of it breaks off what is still open. */
export interface MockModel extends AsyncDisposable {
  readonly port: number;
  /** What Codex calls `openai_base_url`. */
  readonly baseUrl: string;
  /** In the order of arrival. */
  readonly requests: readonly RecordedRequest[];
  /** The most requests that were being answered at the same time. */
  readonly maxInFlight: number;
  /** Breaks off all responses that hang. */
  releaseHanging(): void;
  /** Limits the account of a key from now on; gives the instant at which that lifts. */
  limitAccount(key: string, limit: AccountLimit): Date;
}

/** Starts a mock on a free port of loopback. With `requireKey` it answers 401 to any other bearer key. */
export async function startMockModel(options: { requireKey?: string } = {}): Promise<MockModel> {
  const model = new Model(options.requireKey);
  const answers = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const answer = model.answer(request, response).finally(() => answers.delete(answer));
    answers.add(answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = z.object({ port: z.int() }).parse(server.address());
  return {
    port,
    baseUrl: `http://127.0.0.1:${port}/v1`,
    requests: model.requests,
    get maxInFlight(): number {
      return model.maxInFlight;
    },
    releaseHanging: () => model.releaseHanging(),
    limitAccount: (key, limit) => model.limits.set(`Bearer ${key}`, limit),
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await Promise.all([closed, ...answers]);
    },
  };
}

const TurnMetadata = z.looseObject({ request_kind: z.string().optional() }).catch({});

class Model {
  readonly requests: RecordedRequest[] = [];
  readonly limits = new AccountLimits();
  maxInFlight = 0;
  readonly #requireKey: string | undefined;
  #inFlight = 0;
  readonly #attempts = new Map<string, number>();
  #released = Promise.withResolvers<void>();
  readonly #gathering: { count: number; resolve: () => void }[] = [];

  constructor(requireKey: string | undefined) {
    this.#requireKey = requireKey;
  }

  releaseHanging(): void {
    this.#released.resolve();
    this.#released = Promise.withResolvers();
  }

  /** Answers one request; a failure of any kind breaks its connection, which is what a client can see of it. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const closing = new AbortController();
    response.once("close", () => closing.abort());
    response.once("error", () => closing.abort());
    try {
      await this.#route(request, response, closing.signal);
    } catch (error) {
      response.destroy(error instanceof Error ? error : undefined);
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const path = new URL(request.url ?? "/", "http://mock").pathname;
    // Codex first asks for a WebSocket; this status makes it fall back to HTTP at once.
    if (request.headers.upgrade !== undefined) {
      return sendJson(response, { status: 426, headers: { connection: "close" } });
    }
    if (path.endsWith("/models")) {
      return sendJson(response, { status: 200, body: { object: "list", data: [], models: [] } });
    }
    if (request.method !== "POST" || !/\/responses(\/compact)?$/.test(path)) {
      return refuse(response, { status: 404, error: { message: `no route ${request.method} ${path}` } });
    }
    const body = ModelRequest.safeParse(await json(request));
    if (!body.success) return refuse(response, { status: 400, error: { message: body.error.message } });
    if (path.endsWith("/compact")) return sendJson(response, { status: 200, body: { output: compact(body.data) } });
    this.maxInFlight = Math.max(this.maxInFlight, ++this.#inFlight);
    for (const { count, resolve } of this.#gathering) if (count <= this.#inFlight) resolve();
    try {
      await this.#respond(body.data, { headers: request.headers, response, signal });
    } finally {
      this.#inFlight--;
    }
  }

  async #respond(body: ModelRequest, { headers, response, signal }: Exchange): Promise<void> {
    const metadata = TurnMetadata.parse(parseJson(headers["x-codex-turn-metadata"]));
    const chosen = chooseStep(body, { isCompaction: metadata.request_kind === "compaction" });
    const { step } = chosen;
    const effort = body.reasoning?.effort ?? undefined;
    const number = this.requests.push({
      model: body.model,
      ...(effort === undefined ? {} : { effort }),
      prompt: chosen.prompt,
      body,
      headers,
      startedAt: new Date(),
    });
    if (this.#requireKey !== undefined && headers.authorization !== `Bearer ${this.#requireKey}`) {
      const error = { message: "Incorrect API key provided", code: "invalid_api_key" };
      return refuse(response, { status: 401, error });
    }
    const account = headers.authorization ?? "";
    const limited = this.limits.refusal(account);
    if (limited !== undefined) return refuse(response, limited);
    const thread = headers["session-id"] ?? headers["session_id"] ?? body.prompt_cache_key;
    const attempt = this.#countAttempt(`${thread} ${chosen.script} ${chosen.number}`);
    const isFaulty = attempt <= (step.failTimes ?? Infinity);
    if (attempt === 1 && step.limit_account !== undefined) {
      this.limits.set(account, step.limit_account);
      const limited = this.limits.refusal(account);
      if (limited !== undefined) return refuse(response, limited);
    }

    if (step.delayMs !== undefined) await delay(step.delayMs, undefined, { signal });
    if (step.gather !== undefined) await this.#untilGathered(step.gather, signal);
    if (isFaulty && step.hang === "headers") return await this.#untilReleased(signal);
    const refusal = isFaulty ? refusalOf(step) : undefined;
    if (refusal !== undefined) return refuse(response, { ...refusal, headers: step.headers });

    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache", ...step.headers });
    const events = eventStream(step, {
      id: `resp_mock_${number}`,
      model: body.model,
      items: outputItems(chosen, offeredTools(body)),
      isFaulty,
      signal,
      released: () => this.#untilReleased(signal),
    });
    for await (const event of events) await write(response, event);
    response.end();
  }

  #countAttempt(key: string): number {
    const count = (this.#attempts.get(key) ?? 0) + 1;
    this.#attempts.set(key, count);
    return count;
  }

  async #untilGathered(count: number, signal: AbortSignal): Promise<void> {
    if (this.maxInFlight >= count) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gathering.push({ count, resolve });
    await settledOrAborted(promise, signal);
  }

  /** Waits for the release of what hangs and throws then, as the connection is to be broken off. */
  async #untilReleased(signal: AbortSignal): Promise<never> {
    await settledOrAborted(this.#released.promise, signal);
    throw new Error("Broken off by the release");
  }
}

interface Exchange {
  readonly headers: IncomingMessage["headers"];
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
}

function refusalOf(step: Step): Omit<LimitRefusal, "headers"> | undefined {
  if (step.usage_limit !== undefined) {
    const error = { type: "usage_limit_reached", message: "The usage limit has been reached", ...step.usage_limit };
    return { status: 429, error };
  }
  if (step.status === undefined) return undefined;
  return { status: step.status, error: { message: `mock HTTP ${step.status}`, ...step.error } };
}

function refuse(
  response: ServerResponse,
  { status, error, headers }: Omit<LimitRefusal, "headers"> & {
    readonly headers?: Readonly<Record<string, string>> | undefined;
  },
): void {
  sendJson(response, { status, headers, body: { error: { type: "mock_error", code: null, ...error } } });
}

function sendJson(
  response: ServerResponse,
  answer: { status: number; headers?: Readonly<Record<string, string>> | undefined; body?: object },
): void {
  response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
  response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
}

/** Waits until the text has left the process: what breaks the connection afterwards must not take it back. */
async function write(response: ServerResponse, text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  response.write(text, (error) => error ? reject(error) : resolve());
  await promise;
}

async function settledOrAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function parseJson(text: string | string[] | undefined): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}
