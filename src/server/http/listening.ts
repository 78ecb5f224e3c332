/** The 2026 era over HTTP: what clients listen to is watched as long as they do. */
import { isJSONRPCRequest, type McpHttpHandler } from "@modelcontextprotocol/server";
import type { Log } from "../../log.ts";
import type { ResourceUpdates } from "../resource_updates.ts";
import { Subscriptions } from "../subscriptions.ts";
import { trackedResponse } from "./tracked_response.ts";

/** Has the handler's clients told of updates; of a change that several listen to it tells them all when told once. */
export function withUpdates(
  { fetch, notify: { resourceUpdated } }: Pick<McpHttpHandler, "fetch" | "notify">,
  { updates, log }: { readonly updates: ResourceUpdates; readonly log: Log },
): Pick<McpHttpHandler, "fetch"> {
  return {
    async fetch(request, options): Promise<Response> {
      const message = options?.parsedBody;
      if (!isJSONRPCRequest(message) || message.method !== "subscriptions/listen") return await fetch(request, options);
      const subscriptions = new Subscriptions({ updates, notify: resourceUpdated, log });
      const heeded = subscriptions.listen(message);
      if (heeded.kind === "refused") return Response.json(heeded.answer);
      try {
        const response = await fetch(request, { ...options, parsedBody: heeded.message });
        return trackedResponse(response, () => subscriptions[Symbol.dispose]());
      } catch (error) {
        subscriptions[Symbol.dispose]();
        throw error;
      }
    },
  };
}
