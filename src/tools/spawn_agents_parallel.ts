import * as z from "zod";
import { AgentError, agentErrorOutput } from "./agent_error.ts";
import { defineAgentTool } from "./agent_tool.ts";
import { awaitBatch, startBatch } from "./agent_batch.ts";
import { presentEnded, presentStarted } from "./present_batch.ts";
import { spawnParameters } from "./start_spawned.ts";
import type { ToolAnswer } from "./tool.ts";

/** What clients see of a spec; each is checked by itself, so that a bad one fails alone. */
const shownSpec = z.toJSONSchema(z.object(spawnParameters), { io: "input" });

export const spawnAgentsParallel = defineAgentTool({
  name: "spawn_agents_parallel",
  title: "Run several agents (codex-as-mcp)",
  prefer: "codex_async",
  description: "Run one agent per spec, wait, return all results in order; a failing one fails alone.",
  effect: "agent",
  input: z.object({
    agents: z.array(z.unknown().meta({ type: "object", properties: shownSpec.properties, required: ["prompt"] }))
      .describe("As for spawn_agent"),
    max_parallel: z.int().min(1).optional().describe("How many at once, default all"),
    wait: z.boolean().optional().describe("false: return ids at once"),
  }),
  output: z.looseObject({
    result: z.array(z.looseObject({ index: z.string().describe("Place of the spec, from 0") })).optional()
      .describe("One object per spec: output or error, or without waiting its task_id"),
    error: agentErrorOutput,
  }),
  async handle(input, call, services): Promise<ToolAnswer> {
    if (input.agents.length === 0) {
      throw new AgentError({
        code: "agents_empty",
        kind: "validation_error",
        message: "There are no agents to start.",
      });
    }
    const isWaiting = input.wait ?? true;
    const maxParallel = input.max_parallel ?? input.agents.length;
    const batch = await startBatch(input.agents, { isWaiting, maxParallel, call, services });
    // Nobody would learn the ids of a cancelled call.
    if (!isWaiting && !call.signal.aborted) return presentStarted(batch, { maxParallel, call });
    return await presentEnded(await awaitBatch(batch, { call, services }), call);
  },
});
