import * as z from "zod";
import { agentErrorOutput } from "./agent_error.ts";
import { agentFields, agentSeconds, ownFields, roomBeside, wordsRoom } from "./agent_facts.ts";
import { failurePayload, hasEnded } from "./agent_failure.ts";
import { agentOutput } from "./agent_output.ts";
import { defineAgentTool, jsonAnswer } from "./agent_tool.ts";
import { findAgent } from "./find_agent.ts";
import type { ToolAnswer } from "./tool.ts";

/** codex-as-mcp asked its callers not to poll before. */
const YOUNG_SECONDS = 15;

export const getAgentStatus = defineAgentTool({
  name: "get_agent_status",
  title: "Look at an agent (codex-as-mcp)",
  prefer: "codex_wait",
  description: "An agent's state: running, completed (with output), failed (with error) or killed.",
  effect: "read",
  input: z.object({ task_id: z.string().describe("Agent's id") }),
  output: z.looseObject({
    task_id: z.string().optional().describe("Agent's id"),
    status: z.string().optional().describe("running, completed, failed or killed"),
    log_file: z.string().nullable().optional().describe("Path of the readable log"),
    started_at: z.string().optional().describe("When it was started"),
    elapsed_seconds: z.number().optional().describe("Seconds since then, up to its end"),
    warning: z.string().optional().describe("Whether it is too early to ask"),
    completed_at: z.string().optional().describe("When it ended"),
    output: z.string().optional().describe("The answer of a completed agent, and its log file"),
    error: agentErrorOutput,
  }),
  async handle(input, call, services): Promise<ToolAnswer> {
    const view = await findAgent(input.task_id, services, "task_not_found");
    const { task } = view;
    const elapsed = agentSeconds(task, new Date());
    const fields = { ...agentFields(task), task_id: input.task_id, elapsed_seconds: elapsed };
    const room = wordsRoom(call, fields);
    const told: Record<string, unknown> = { ...fields };
    if (!hasEnded(view)) {
      if (elapsed < YOUNG_SECONDS) told["warning"] = "The agent has just started: ask again in 30 seconds or later.";
    } else {
      // Its log is whole then.
      await services.supervisor.ended(task.id, call.signal);
      told["completed_at"] = view.task.state.endedAt.toISOString();
      if (told["status"] === "completed") told["output"] = await agentOutput(view, room);
      if (told["status"] === "failed") told["error"] = await failurePayload(view, room);
      if (!call.signal.aborted) await services.supervisor.markRead(task.id);
    }
    return jsonAnswer(told, ownFields(view, { maxLength: roomBeside(call, told), without: told }));
  },
});
