/** What one connection has asked to be told of. */
import {
  type JSONRPCMessage,
  type JSONRPCRequest,
  ProtocolError,
  ProtocolErrorCode,
  type RequestId,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import type { Log } from "../log.ts";
import { unknownResource } from "./serve_resources.ts";
import type { ResourceUpdates, UpdateListener } from "./resource_updates.ts";

/** Most resources that one connection watches. */
const MAX_WATCHED = 1_000;

const BROKEN =
  "Cannot listen: nothing of what was asked for is watched. This is a fault of codex-swarm; its log says more. " +
  "Read the resources, or call codex_wait, to hear of changes meanwhile.";

const listenParams = z.looseObject({
  notifications: z.looseObject({ resourceSubscriptions: z.array(z.string()) }),
});

/** What becomes of a `subscriptions/listen`: it is passed on, or refused. */
export type HeededListen =
  | { readonly kind: "passed_on"; readonly message: JSONRPCRequest }
  | { readonly kind: "refused"; readonly answer: JSONRPCMessage };

/**
 * Watches what one connection has subscribed to, in the way of either era: one resource at a time, or in the 2026 era
 * those of a `subscriptions/listen`, as long as that is open. Several that share a `notify` are told once of each change.
 */
export class Subscriptions implements Disposable {
  readonly #updates: ResourceUpdates;
  readonly #notify: UpdateListener;
  readonly #log: Log;
  readonly #single = new Map<string, Disposable>();
  readonly #listening = new Map<RequestId, readonly Disposable[]>();

  constructor(
    { updates, notify, log }: {
      readonly updates: ResourceUpdates;
      readonly notify: UpdateListener;
      readonly log: Log;
    },
  ) {
    this.#updates = updates;
    this.#notify = notify;
    this.#log = log;
  }

  /** Watches a resource; one that is watched already stays so. Throws a {@linkcode ProtocolError}. */
  subscribe(uri: string): void {
    if (this.#single.has(uri)) return;
    if (!this.#updates.canWatch(uri)) throw unknownResource(uri);
    if (this.#count + 1 > MAX_WATCHED) throw new ProtocolError(ProtocolErrorCode.InvalidParams, tooMany());
    this.#single.set(uri, this.#updates.watch(uri, this.#notify));
  }

  unsubscribe(uri: string): void {
    this.#single.get(uri)?.[Symbol.dispose]();
    this.#single.delete(uri);
  }

  /**
   * Watches what a `subscriptions/listen` asks for, until {@linkcode end}. The message is to be passed on without those
   * resources that there are not, so that its acknowledgement names what the client will hear of.
   */
  listen(message: JSONRPCRequest): HeededListen {
    this.end(message.id);
    const parsed = listenParams.safeParse(message.params);
    // One that is none is refused by who acknowledges it, and one that asks for no resources is none of ours.
    if (!parsed.success) return { kind: "passed_on", message };
    const { notifications } = parsed.data;
    const asked = [...new Set(notifications.resourceSubscriptions)];
    if (this.#count + asked.length > MAX_WATCHED) {
      return refusedListen(message, ProtocolErrorCode.InvalidParams, tooMany());
    }
    const known = asked.filter((uri) => this.#updates.canWatch(uri));
    try {
      this.#listening.set(message.id, this.#watchAll(known));
    } catch (error) {
      this.#log.error("a client cannot listen for a reason of our own", { error });
      return refusedListen(message, ProtocolErrorCode.InternalError, BROKEN);
    }
    const params = { ...message.params, notifications: { ...notifications, resourceSubscriptions: known } };
    return { kind: "passed_on", message: { ...message, params } };
  }

  /** All of them or, where one cannot be watched, none. */
  #watchAll(uris: readonly string[]): Disposable[] {
    using begun = new DisposableStack();
    const watches = uris.map((uri) => begun.use(this.#updates.watch(uri, this.#notify)));
    begun.move();
    return watches;
  }

  /** Watches no longer what this `subscriptions/listen` has asked for; does nothing for any other request. */
  end(id: RequestId): void {
    for (const watch of this.#listening.get(id) ?? []) watch[Symbol.dispose]();
    this.#listening.delete(id);
  }

  [Symbol.dispose](): void {
    for (const uri of [...this.#single.keys()]) this.unsubscribe(uri);
    for (const id of [...this.#listening.keys()]) this.end(id);
  }

  get #count(): number {
    return [...this.#listening.values()].reduce((sum, { length }) => sum + length, this.#single.size);
  }
}

function refusedListen({ id }: JSONRPCRequest, code: ProtocolErrorCode, message: string): HeededListen {
  return { kind: "refused", answer: { jsonrpc: "2.0", id, error: { code, message } } };
}

function tooMany(): string {
  return `Cannot subscribe: one connection can watch ${MAX_WATCHED} resources. End subscriptions that are not needed, or ` +
    "watch codex-swarm:///tasks, which tells of all tasks.";
}
