import { ProtocolError, ProtocolErrorCode, type Server } from "@modelcontextprotocol/server";
import { callTool } from "./call_tool.ts";
import type { ServerOptions } from "./create_server.ts";
import { listTool } from "./list_tool.ts";
import { declaresTasks } from "./serve_handles.ts";
import { toolCall } from "./tool_call.ts";
import { isGiven } from "./tool_input.ts";

/** Lists the tools and lets clients call them. */
export function serveTools(server: Server, options: ServerOptions): void {
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
    using _open = options.calls.begin();
    const call = toolCall(server, context, { ...options, isNamed: isGiven("request-key", params.arguments) });
    const { stages } = tool;
    if (stages !== undefined && declaresTasks(context) && await options.kept.isWritable()) {
      return await options.kept.begin({ ...tool, stages }, params.arguments, call);
    }
    return await callTool(tool, params.arguments, call, options);
  });
}
