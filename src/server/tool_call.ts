import {
  CLIENT_INFO_META_KEY,
  SdkError,
  SdkErrorCode,
  type Server,
  type ServerContext,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import type { ToolCall } from "../tools/tool.ts";
import { clientLimits } from "./client.ts";
import type { ServerOptions } from "./create_server.ts";

/** Who calls, in the 2026 era of the protocol, which says it with every request. */
const clientInfo = z.object({ name: z.string() });

/** What a tool needs to know of the request that calls it. */
export function toolCall(server: Server, { mcpReq }: ServerContext, options: ServerOptions): ToolCall {
  const envelope: Readonly<Record<string, unknown>> = mcpReq.envelope ?? {};
  const named = clientInfo.safeParse(envelope[CLIENT_INFO_META_KEY]);
  const clientName = named.success ? named.data.name : server.getClientVersion()?.name;
  const progressToken = mcpReq._meta?.progressToken;
  const threadId = mcpReq._meta?.["threadId"];
  let progress = 0;
  return {
    ...clientLimits(clientName, options),
    signal: mcpReq.signal,
    hasLeft: () =>
      mcpReq.signal.reason instanceof SdkError && mcpReq.signal.reason.code === SdkErrorCode.ConnectionClosed,
    repository: options.repository,
    callerThreadId: typeof threadId === "string" ? threadId : null,
    async report(message): Promise<void> {
      if (progressToken === undefined || mcpReq.signal.aborted) return;
      progress++;
      await mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress, message } });
    },
  };
}
