import * as z from "zod";
import { AgentError, agentErrorOutput } from "./agent_error.ts";
import { defineStagedAgentTool } from "./agent_tool.ts";
import { awaitBatch, batchIds, type KeptBatch, keptBatch, keptBatchOf, startBatch } from "./agent_batch.ts";
import { presentEnded, presentStarted } from "./present_batch.ts";
import { joinedOutput } from "./outputs.ts";
import { requestKey } from "./request_key.ts";
import { cancelAgents } from "./run_agent.ts";
import { spawnParameters } from "./start_spawned.ts";
import type { Begun, ToolAnswer } from "./tool.ts";

/** What clients see of a spec, made when one asks; each is checked by itself, so that a bad one fails alone. */
const shownSpec: Record<string, unknown> = {
  type: "object",
  get properties() {
    return z.toJSONSchema(z.object(spawnParameters), { io: "input" }).properties;
  },
  required: ["prompt"],
};

export const spawnAgentsParallel = defineStagedAgentTool({
  name: "spawn_agents_parallel",
  title: "Run several agents (codex-as-mcp)",
  prefer: "codex_async",
  description: "Run one agent per spec, wait, return all results in order; a failing one fails alone.",
  effect: "agent",
  input: z.object({
    agents: z.array(z.unknown().meta(shownSpec))
      .describe("As for spawn_agent"),
    max_parallel: z.int().min(1).optional().describe("How many at once, default all"),
    wait: z.boolean().optional().describe("false: return ids at once"),
    ...requestKey,
  }),
  output: z.looseObject({
    result: z.array(z.looseObject({ index: z.string().describe("Place of the spec, from 0"), joined: joinedOutput }))
      .optional()
      .describe("One object per spec: output or error, or without waiting its task_id"),
    error: agentErrorOutput,
  }),
  kept: keptBatch,
  async begin(input, call, services): Promise<Begun<KeptBatch>> {
    if (input.agents.length === 0) {
      throw new AgentError({
        code: "agents_empty",
        kind: "validation_error",
        message: "There are no agents to start.",
      });
    }
    const isWaiting = input.wait ?? true;
    const maxParallel = input.max_parallel ?? input.agents.length;
    // Who does not wait needs no handle.
    const caller = { call: isWaiting ? call : { ...call, handle: null }, services };
    const batch = await startBatch(input.agents, { input, isWaiting, maxParallel, ...caller });
    const kept = keptBatchOf(batch);
    const taskIds = batchIds(kept);
    // Nobody would learn the ids of a cancelled call.
    if (!isWaiting && !call.signal.aborted) return { answer: presentStarted(batch, { maxParallel, call }) };
    if (taskIds.length > 0) return { kept, taskIds };
    return { answer: await presentEnded(await awaitBatch(kept, caller), call) };
  },
  finish: async (kept, call, services): Promise<ToolAnswer> =>
    await presentEnded(await awaitBatch(kept, { call, services }), call),
  cancel: (kept, services) => cancelAgents(batchIds(kept), services),
});
