import { type CallToolResult, ProtocolError } from "@modelcontextprotocol/server";
import type { Log } from "../log.ts";
import { reasonOf, TaskError } from "../task/errors.ts";
import { cutBlock } from "../tools/bounded_text.ts";
import type { Tool, ToolAnswer, ToolCall, ToolServices } from "../tools/tool.ts";
import { readInput } from "./tool_input.ts";

/** What calls are served with. */
export interface CallServices {
  readonly services: ToolServices;
  readonly log: Log;
}

/** Runs one call. What the caller can act on becomes an `isError` result; anything else is a bug of ours and is logged. */
export async function callTool(
  tool: Tool,
  given: unknown,
  call: ToolCall,
  { services, log }: CallServices,
): Promise<CallToolResult> {
  const answer = (): Promise<ToolAnswer> => tool.handle(readInput(tool, given), call, services);
  return await served(async () => callResult(await answer()), { tool, call, log });
}

/** Gives what serves a call, or tells why it cannot be served. Throws only what is an error of the protocol. */
export async function served<T>(
  serve: () => Promise<T>,
  { tool, call, log }: { readonly tool: Tool; readonly call: ToolCall; readonly log: Log },
): Promise<T | CallToolResult> {
  try {
    return await serve();
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    if (error instanceof TaskError) return refusedCall(error, { tool, call });
    // Nobody hears this one.
    if (call.signal.aborted && error === call.signal.reason) return failedCall("Cancelled by client", call);
    log.error("a call failed for a reason of our own", { tool: tool.name, error });
    const reason = reasonOf(error);
    const text = `Cannot serve ${tool.name}: ${reason}. This is a fault of codex-swarm; its log file says more.`;
    return failedCall(text, call);
  }
}

/** Tells what the caller can act on. */
export function refusedCall(
  error: TaskError,
  { tool, call }: { readonly tool: Tool; readonly call: ToolCall },
): CallToolResult {
  return tool.refuse === undefined ? failedCall(error.message, call) : callResult(tool.refuse(error));
}

/** An answer as MCP has it. */
export function callResult({ text, blocks = [text], structured, isError }: ToolAnswer): CallToolResult {
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
