import type { Tool as ListedTool, ToolAnnotations } from "@modelcontextprotocol/server";
import * as z from "zod";
import type { Tool, ToolEffect } from "../tools/tool.ts";
import { shownInput } from "./tool_input.ts";

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
