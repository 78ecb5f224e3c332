import * as z from "zod";
import { defined } from "../task/defined.ts";
import { agentErrorOutput, errorAnswer } from "./agent_error.ts";
import { failurePayload, hasEnded } from "./agent_failure.ts";
import { agentFields, ownFields, roomBeside, wordsRoom } from "./agent_facts.ts";
import { agentOutput } from "./agent_output.ts";
import { defineStagedAgentTool } from "./agent_tool.ts";
import { joinedOutput } from "./outputs.ts";
import { requestKey } from "./request_key.ts";
import { awaitAgent, cancelAgents } from "./run_agent.ts";
import { joinedField, type KeptAgent, keptAgent, keptOf } from "./start_agent.ts";
import { spawnParameters, startSpawned } from "./start_spawned.ts";
import type { Begun, ToolAnswer } from "./tool.ts";

/** codex-as-mcp showed these to its callers, although they were its own. */
export const indexParameters = {
  agent_index: z.number().optional().describe("Place among several agents"),
  agent_count: z.number().optional().describe("How many these are"),
};

export const spawnAgent = defineStagedAgentTool({
  name: "spawn_agent",
  title: "Run a Codex agent (codex-as-mcp)",
  prefer: "codex",
  description: "Run an agent, wait for its end, return its answer and log path. If your client gives up after a " +
    "minute, use spawn_agent_async. Cancelling the call stops the agent.",
  effect: "agent",
  input: z.object({ ...spawnParameters, ...requestKey, ...indexParameters }),
  hidden: Object.keys(indexParameters),
  output: z.looseObject({
    result: z.string().optional().describe("The agent's final message and its log file"),
    joined: joinedOutput,
    error: agentErrorOutput,
  }),
  kept: keptAgent,
  async begin({ agent_index: index, agent_count: count, ...input }, call, services): Promise<Begun<KeptAgent>> {
    const origin = { startedBy: "spawn_agent" as const, ...defined({ index, count }) };
    const agent = await startSpawned(input, origin, { call, services });
    return { kept: keptOf(agent), taskIds: [agent.task.id] };
  },
  async finish(kept, call, services): Promise<ToolAnswer> {
    const { view } = await awaitAgent(kept, call, services);
    if (!hasEnded(view)) throw new Error(`task ${kept.id} has not ended`);
    const fields = { ...agentFields(view.task), ...joinedField(kept.joined) };
    const room = wordsRoom(call, fields);
    if (view.task.state.status !== "completed") {
      const error = await failurePayload(view, room);
      const told = { error, ...fields };
      const own = ownFields(view, { maxLength: roomBeside(call, told), without: told });
      return errorAnswer(error, { ...fields, ...own });
    }
    const text = await agentOutput(view, room);
    const told = { result: text, ...fields };
    const own = ownFields(view, { maxLength: roomBeside(call, told), without: told });
    return { text, structured: { ...told, ...own } };
  },
  cancel: ({ id }, services) => cancelAgents([id], services),
});
