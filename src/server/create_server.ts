/** MCP as a protocol: lists the tools and resources, and wraps every call so that a handler holds only its own logic. */
import {
  type CallToolResult,
  CLIENT_INFO_META_KEY,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  SdkError,
  SdkErrorCode,
  Server,
  type ServerContext,
  type Tool as ListedTool,
  type ToolAnnotations,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import type { Log } from "../log.ts";
import { reasonOf, TaskError } from "../task/errors.ts";
import type { Tool, ToolAnswer, ToolCall, ToolEffect, ToolServices } from "../tools/tool.ts";
import { cutBlock } from "../tools/bounded_text.ts";
import { clientLimits } from "./client.ts";
import type { Resource } from "./resources.ts";
import { readInput, shownInput } from "./tool_input.ts";

/** Who calls, in the 2026 era of the protocol, which says it with every request. */
const clientInfo = z.object({ name: z.string() });

/** What one connection's server is made from; all state lives outside it. */
export interface ServerOptions {
  readonly version: string;
  readonly tools: readonly Tool[];
  readonly resources: readonly Resource[];
  readonly services: ToolServices;
  /** The repository of the client. */
  readonly repository: () => Promise<string>;
  readonly instructions: string;
  readonly maxWaitMs: number | null;
  readonly log: Log;
}

/** Makes the server of one connection, of either protocol era. */
export function createServer(options: ServerOptions): Server {
  const server = new Server(
    { name: "codex-swarm", title: "codex-swarm", version: options.version },
    { capabilities: { tools: {}, resources: {} }, instructions: options.instructions },
  );
  server.setRequestHandler("tools/list", () => ({ tools: options.tools.map(listTool) }));
  server.setRequestHandler("tools/call", async ({ params }, context) => {
    const tool = options.tools.find(({ name }) => name === params.name);
    if (tool === undefined) {
      const names = options.tools.map(({ name }) => name).join(", ");
      throw new ProtocolError(
        ProtocolErrorCode.InvalidParams,
        `Unknown tool "${params.name}": the tools are ${names}.`,
      );
    }
    return await callTool(tool, params.arguments, toolCall(server, context, options), options);
  });
  server.setRequestHandler("resources/list", () => ({
    resources: options.resources.map(({ uri, name, description }) => ({
      uri,
      name,
      description,
      mimeType: "application/json",
    })),
  }));
  server.setRequestHandler("resources/templates/list", () => ({ resourceTemplates: [] }));
  server.setRequestHandler("resources/read", async ({ params: { uri } }) => {
    const resource = options.resources.find((known) => known.uri === uri);
    if (resource === undefined) throw new ResourceNotFoundError(uri, `Unknown resource: ${uri}`);
    const text = JSON.stringify(await resource.read(), null, 2);
    return { contents: [{ uri, mimeType: "application/json", text }] };
  });
  return server;
}

/** Runs one call. What the caller can act on becomes an `isError` result; anything else is a bug of ours and is logged. */
async function callTool(
  tool: Tool,
  given: unknown,
  call: ToolCall,
  { services, log }: ServerOptions,
): Promise<CallToolResult> {
  try {
    return callResult(await tool.handle(readInput(tool, given), call, services));
  } catch (error) {
    if (error instanceof TaskError) {
      return tool.refuse === undefined ? failedCall(error.message, call) : callResult(tool.refuse(error));
    }
    // Nobody hears this one.
    if (call.signal.aborted && error === call.signal.reason) return failedCall("Cancelled by client", call);
    log.error("a call failed for a reason of our own", { tool: tool.name, error });
    const reason = reasonOf(error);
    const text = `Cannot serve ${tool.name}: ${reason}. This is a fault of codex-swarm; its log file says more.`;
    return failedCall(text, call);
  }
}

function callResult({ text, blocks = [text], structured, isError }: ToolAnswer): CallToolResult {
  return {
    content: blocks.map((block) => ({ type: "text", text: block })),
    structuredContent: { ...structured },
    ...(isError === true ? { isError } : {}),
  };
}

/** Says why a call failed; what the caller sent may be in it, however long. */
function failedCall(text: string, { answerChars }: ToolCall): CallToolResult {
  return { content: [{ type: "text", text: cutBlock(text, answerChars) }], isError: true };
}

function toolCall(server: Server, { mcpReq }: ServerContext, options: ServerOptions): ToolCall {
  const envelope: Readonly<Record<string, unknown>> = mcpReq.envelope ?? {};
  const named = clientInfo.safeParse(envelope[CLIENT_INFO_META_KEY]);
  const clientName = named.success ? named.data.name : server.getClientVersion()?.name;
  const progressToken = mcpReq._meta?.progressToken;
  const threadId = mcpReq._meta?.["threadId"];
  let progress = 0;
  return {
    ...clientLimits(clientName, options.maxWaitMs),
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

/** A tool as clients see it. */
export function listTool(tool: Tool): ListedTool {
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: { type: "object", ...objectSchema(shownInput(tool), "input") },
    outputSchema: { type: "object", ...objectSchema(tool.output, "output") },
    annotations: { title: tool.title, ...annotations(tool.effect) },
  };
}

function objectSchema(schema: z.ZodObject, io: "input" | "output"): Record<string, JSONSchemaValue> {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}

type JSONSchemaValue = z.core.JSONSchema.BaseSchema[string];

/** An agent may change or delete files and reach the network if its sandbox lets it: nothing less would be honest. */
function annotations(effect: ToolEffect): ToolAnnotations {
  switch (effect) {
    case "read":
      return { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };
    case "destructive":
      return { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false };
    case "agent":
      return { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true };
  }
}
