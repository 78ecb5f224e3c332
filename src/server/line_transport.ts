/** One JSON-RPC message per line, and an answer even to lines that are none. */
import { Buffer } from "node:buffer";
import type { Readable, Writable } from "node:stream";
import {
  type JSONRPCMessage,
  parseJSONRPCMessage,
  ProtocolErrorCode,
  type Transport,
} from "@modelcontextprotocol/server";
import { cancelledIdOf, idOf } from "./json_rpc.ts";
import { mendMessage } from "./mend_message.ts";

/** Longest line that is read; a longer one is refused and passed over. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const NEWLINE = 10;
/** How long answers may still take once the server ends. */
const LAST_WORDS_MS = 300;

/** Reads lines from one stream and writes lines to another. */
export class LineTransport implements Transport {
  onmessage?: Transport["onmessage"];
  onerror?: Transport["onerror"];
  onclose?: Transport["onclose"];
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #left = Promise.withResolvers<void>();
  #parts: Uint8Array[] = [];
  #length = 0;
  #isOpen = true;
  #drained: (() => void) | undefined;
  /** Requests that have not been answered yet. */
  readonly #pending = new Set<string | number>();

  constructor(input: Readable, output: Writable) {
    this.#input = input;
    this.#output = output;
  }

  get left(): Promise<void> {
    return this.#left.promise;
  }

  /** Settles when all requests have been answered, or a moment later all the same. */
  drained(): Promise<void> {
    if (this.#pending.size === 0 || !this.#isOpen) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LAST_WORDS_MS);
      this.#drained = (): void => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  start(): Promise<void> {
    this.#input.on("data", (chunk: Uint8Array) => this.#take(chunk));
    // What the client has asked before may still be answered, in a last line without its end too.
    this.#input.on("end", () => {
      this.#finishLine();
      this.#left.resolve();
    });
    this.#input.on("close", () => this.#left.resolve());
    this.#input.on("error", () => this.#end());
    // A client that is gone shows as EPIPE here.
    this.#output.on("error", () => this.#end());
    return Promise.resolve();
  }

  send(message: JSONRPCMessage): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#isOpen) return resolve();
      try {
        this.#output.write(`${JSON.stringify(message)}\n`, () => {
          resolve();
          if (!("method" in message)) this.#settle(message.id);
        });
      } catch {
        this.#end();
        resolve();
      }
    });
  }

  close(): Promise<void> {
    this.#end();
    return Promise.resolve();
  }

  #end(): void {
    this.#left.resolve();
    this.#drained?.();
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#input.pause();
    this.onclose?.();
  }

  #take(chunk: Uint8Array): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end));
      this.#finishLine();
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
  }

  #keep(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#length += part.length;
    if (this.#length <= MAX_LINE_BYTES) this.#parts.push(part);
    else this.#parts = [];
  }

  #finishLine(): void {
    const length = this.#length;
    const line = new TextDecoder().decode(Buffer.concat(this.#parts)).trim();
    this.#parts = [];
    this.#length = 0;
    if (length > MAX_LINE_BYTES) {
      this.#refuse(null, ProtocolErrorCode.InvalidRequest, `Invalid request: a line of ${length} bytes is too long.`);
    } else if (line !== "") this.#receive(line);
  }

  #receive(line: string): void {
    let json: unknown;
    try {
      json = JSON.parse(line);
    } catch {
      return this.#refuse(null, ProtocolErrorCode.ParseError, "Parse error: the line is not JSON.");
    }
    let message: JSONRPCMessage;
    try {
      message = parseJSONRPCMessage(mendMessage(json));
    } catch {
      const reason = Array.isArray(json)
        ? "Invalid request: batches are not served, send one message per line."
        : "Invalid request: not a JSON-RPC 2.0 message.";
      return this.#refuse(idOf(json), ProtocolErrorCode.InvalidRequest, reason);
    }
    // The one who listens is answered when all is over, and is not to be waited for.
    if ("method" in message && "id" in message && message.method !== "subscriptions/listen") {
      this.#pending.add(message.id);
    }
    this.onmessage?.(message);
    // A cancelled request is never answered.
    this.#settle(cancelledIdOf(message));
  }

  #settle(id: string | number | null | undefined): void {
    if (id === null || id === undefined) return;
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#drained?.();
  }

  /** Answers what is no message; JSON-RPC has the id `null` for that, which the SDK's types do not. */
  #refuse(id: string | number | null, code: number, message: string): void {
    if (!this.#isOpen) return;
    this.#output.write(`${JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } })}\n`);
  }
}
