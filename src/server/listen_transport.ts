import { isJSONRPCRequest, type JSONRPCMessage, type Transport } from "@modelcontextprotocol/server";
import { cancelledIdOf } from "./json_rpc.ts";
import type { Subscriptions } from "./subscriptions.ts";

/**
 * Takes note of each `subscriptions/listen` and of its end on its way between a client and the SDK, which serves it but
 * tells nobody which resources are listened to.
 */
export class ListenTransport implements Transport {
  onmessage?: Transport["onmessage"];
  onerror?: Transport["onerror"];
  onclose?: Transport["onclose"];
  readonly #transport: Transport;
  readonly #subscriptions: Subscriptions;

  constructor(transport: Transport, subscriptions: Subscriptions) {
    this.#transport = transport;
    this.#subscriptions = subscriptions;
  }

  async start(): Promise<void> {
    this.#transport.onmessage = (message): void => this.#receive(message);
    this.#transport.onerror = (error): void => this.onerror?.(error);
    this.#transport.onclose = (): void => {
      this.#subscriptions[Symbol.dispose]();
      this.onclose?.();
    };
    await this.#transport.start();
  }

  async send(message: JSONRPCMessage): Promise<void> {
    // An answer to it, be it a refusal, is its end.
    if (!("method" in message) && message.id !== undefined) this.#subscriptions.end(message.id);
    await this.#transport.send(message);
  }

  async close(): Promise<void> {
    await this.#transport.close();
  }

  #receive(message: JSONRPCMessage): void {
    if (isJSONRPCRequest(message) && message.method === "subscriptions/listen") {
      const heeded = this.#subscriptions.listen(message);
      if (heeded.kind === "passed_on") this.onmessage?.(heeded.message);
      else void this.#transport.send(heeded.answer);
      return;
    }
    const ended = cancelledIdOf(message);
    if (ended !== null) this.#subscriptions.end(ended);
    this.onmessage?.(message);
  }
}
