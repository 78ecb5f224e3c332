/** The MCP extension Tasks: calls of clients that declare it are answered at once with a handle, for which they come back. */
import {
  CLIENT_CAPABILITIES_META_KEY,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type Server,
  type ServerContext,
} from "@modelcontextprotocol/server";
import * as z from "zod";
import { reasonOf, TaskError } from "../task/errors.ts";
import type { ServerOptions } from "./create_server.ts";

export const TASKS_EXTENSION = "io.modelcontextprotocol/tasks";

/** Longest reason that is passed on, in characters. */
const MAX_REASON = 300;
const declaring = z.looseObject({ extensions: z.looseObject({ [TASKS_EXTENSION]: z.looseObject({}) }) });
/** Loose: what is sent beside it is for others to read. */
const taskParams = z.looseObject({ taskId: z.string() });

/** Tells whether the client of a request declares that it understands handles. */
export function declaresTasks({ mcpReq: { envelope } }: ServerContext): boolean {
  return declaring.safeParse(readCapabilities(envelope)).success;
}

/** Serves the questions about handles. */
export function serveHandles(server: Server, { kept, log }: ServerOptions): void {
  const serve = async (context: ServerContext, answer: () => Promise<Record<string, unknown>>): Promise<
    Record<string, unknown>
  > => {
    checkDeclared(context);
    try {
      return await answer();
    } catch (error) {
      if (error instanceof TaskError) throw new ProtocolError(codeOf(error), error.message);
      log.error("a question about a handle could not be answered", { method: context.mcpReq.method, error });
      const reason = `${reasonOf(error).slice(0, MAX_REASON)}. This is a fault of codex-swarm; its log file says more.`;
      throw new ProtocolError(ProtocolErrorCode.InternalError, `Cannot answer ${context.mcpReq.method}: ${reason}`);
    }
  };
  server.setRequestHandler(
    "tasks/get",
    { params: taskParams },
    ({ taskId }, context) => serve(context, () => kept.get(taskId)),
  );
  // Nothing of ours asks for input.
  server.setRequestHandler("tasks/update", { params: taskParams }, ({ taskId }, context) =>
    serve(context, async () => {
      await kept.check(taskId);
      return {};
    }));
  server.setRequestHandler("tasks/cancel", { params: taskParams }, ({ taskId }, context) =>
    serve(context, async () => {
      await kept.cancel(taskId);
      return {};
    }));
}

/** The 2025 era has other tasks, which are not served. */
function checkDeclared(context: ServerContext): void {
  if (context.mcpReq.envelope === undefined) {
    throw new ProtocolError(ProtocolErrorCode.MethodNotFound, "Method not found");
  }
  if (declaresTasks(context)) return;
  throw new MissingRequiredClientCapabilityError(
    { requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } } },
    `Declare the extension ${TASKS_EXTENSION} in the capabilities of the request, or call the tool without it and wait.`,
  );
}

function codeOf({ code }: TaskError): ProtocolErrorCode {
  return code === "unknown_task" ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError;
}

function readCapabilities(envelope: Readonly<Record<string, unknown>> = {}): unknown {
  return envelope[CLIENT_CAPABILITIES_META_KEY];
}
