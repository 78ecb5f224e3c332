import type { Server } from "@modelcontextprotocol/server";
import type { Log } from "../log.ts";
import type { ResourceUpdates, UpdateListener } from "./resource_updates.ts";
import { Subscriptions } from "./subscriptions.ts";

/** Lets clients of the 2025 era subscribe to resources, until their server is closed. */
export function serveSubscriptions(
  server: Server,
  { updates, log }: { readonly updates: ResourceUpdates; readonly log: Log },
): void {
  const subscriptions = new Subscriptions({ updates, notify: updateSender(server, log), log });
  server.setRequestHandler("resources/subscribe", ({ params: { uri } }) => {
    subscriptions.subscribe(uri);
    return {};
  });
  server.setRequestHandler("resources/unsubscribe", ({ params: { uri } }) => {
    subscriptions.unsubscribe(uri);
    return {};
  });
  const { onclose } = server;
  server.onclose = (): void => {
    subscriptions[Symbol.dispose]();
    onclose?.();
  };
}

/** Tells the client of a server that a resource has changed. */
export function updateSender(server: Server, log: Log): UpdateListener {
  return (uri) => {
    server.sendResourceUpdated({ uri }).catch((error) => {
      log.debug("a client could not be told of a change", { uri, error });
    });
  };
}
