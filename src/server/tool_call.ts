import {
  CLIENT_INFO_META_KEY,
  SdkError,
  SdkErrorCode,
  type Server,
  type ServerContext,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import type { Interruption, ToolCall } from "../tools/tool.ts";
import { clientLimits } from "./client.ts";
import type { ServerOptions } from "./create_server.ts";

/** Who calls, in the 2026 era of the protocol, which says it with every request. */
const clientInfo = z.object({ name: z.string() });

/** Reason of a cancellation that the server itself gives a request of the 2025 era over HTTP whose client is gone. */
export const CLIENT_LEFT = "codex-swarm: the client has left";

/** What a tool needs to know of the request that calls it; `isNamed`: its client can make it again and join it. */
export function toolCall(
  server: Server,
  { mcpReq }: ServerContext,
  { isNamed, ...options }: ServerOptions & { readonly isNamed: boolean },
): ToolCall {
  const envelope: Readonly<Record<string, unknown>> = mcpReq.envelope ?? {};
  const named = clientInfo.safeParse(envelope[CLIENT_INFO_META_KEY]);
  const clientName = named.success ? named.data.name : server.getClientVersion()?.name;
  const progressToken = mcpReq._meta?.progressToken;
  const threadId = mcpReq._meta?.["threadId"];
  let progress = 0;
  return {
    ...clientLimits(clientName, options),
    signal: mcpReq.signal,
    ending: options.ending,
    interruption: () => interruptionOf(mcpReq.signal.reason, { ...options, isNamed }),
    repository: options.repository,
    handle: null,
    callerThreadId: typeof threadId === "string" ? threadId : null,
    async report(message): Promise<void> {
      if (progressToken === undefined || mcpReq.signal.aborted) return;
      progress++;
      await mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, message } });
    },
  };
}

/**
 * In the 2026 era over HTTP to close the connection is to cancel the request, which nobody can tell from a connection
 * that broke: who has named the call is taken to come back for it. In the 2025 era a session is over.
 */
function interruptionOf(
  reason: unknown,
  { transport, era, ending, isNamed }: ServerOptions & { readonly isNamed: boolean },
): Interruption {
  if (reason === CLIENT_LEFT) return "client_left";
  if (!(reason instanceof SdkError && reason.code === SdkErrorCode.ConnectionClosed)) return "cancelled";
  if (transport === "stdio" || ending.aborted) return "server_ends";
  return era === "modern" && !isNamed ? "cancelled" : "client_left";
}
