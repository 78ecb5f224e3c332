/** Subscriptions to resources in the ways of both protocol eras, and what comes of them. */
import type { ServerProcess } from "./server_process.ts";
import type { Swarm } from "./swarm.ts";
import { waitFor } from "./wait_for.ts";

export const TASKS = "codex-swarm:///tasks";

export interface Subscription {
  close(): Promise<unknown>;
}

/** Subscribes in the way of the client's era, to one after the other or to all at once. */
export async function subscribe(swarm: Swarm, era: "2025" | "2026", uris: readonly string[]): Promise<Subscription> {
  if (era === "2026") return await swarm.client.listen({ resourceSubscriptions: [...uris] });
  for (const uri of uris) await swarm.client.subscribeResource({ uri });
  return { close: () => Promise.all(uris.map((uri) => swarm.client.unsubscribeResource({ uri }))) };
}

/** Updates that a client was told of. */
export function updates(process: ServerProcess, uri?: string): string[] {
  return process.received.flatMap(({ method, params }) => {
    if (method !== "notifications/resources/updated") return [];
    const { uri: changed } = JSON.parse(JSON.stringify(params));
    return uri === undefined || uri === changed ? [changed] : [];
  });
}

export async function waitForUpdate({ process }: Swarm, uri: string, before: number): Promise<void> {
  await waitFor(() => updates(process, uri).length > before, { message: `an update of ${uri}` });
}
