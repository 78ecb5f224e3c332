import * as z from "zod";
import { agentIdOf } from "../task/agent_id.ts";
import { isFinished } from "../task/task.ts";
import { agentErrorOutput } from "./agent_error.ts";
import { agentFields, roomBeside } from "./agent_facts.ts";
import { defineAgentTool, jsonAnswer } from "./agent_tool.ts";
import { takeFitting } from "./bounded_text.ts";
import { startedData } from "./present_task.ts";
import { joinedOutput } from "./outputs.ts";
import { requestKey } from "./request_key.ts";
import { type Agent, joinedField } from "./start_agent.ts";
import { spawnParameters, startSpawned } from "./start_spawned.ts";
import type { ToolAnswer } from "./tool.ts";

/** codex-as-mcp's words: nobody is there to answer an agent that asks. */
const PROMPT_END = "\n\nIMPORTANT: After completing the task, provide a final summary and terminate immediately.\n" +
  "Do NOT ask for further instructions or wait for user input.";

export const spawnAgentAsync = defineAgentTool({
  name: "spawn_agent_async",
  title: "Start a Codex agent (codex-as-mcp)",
  prefer: "codex_async",
  description: "Start an agent, return its task_id at once; then get_agent_status or codex_wait. By default it " +
    "ends with this server.",
  effect: "agent",
  input: z.object({ ...spawnParameters, ...requestKey }),
  output: z.looseObject({
    task_id: z.string().optional().describe("Id for get_agent_status, kill_agent and codex_wait"),
    status: z.string().optional().describe("running; joined also completed, failed or killed"),
    joined: joinedOutput,
    log_file: z.string().nullable().optional().describe("Path of the readable log"),
    started_at: z.string().optional().describe("When it was started"),
    note: z.string().optional().describe("What to do next"),
    error: agentErrorOutput,
  }),
  async handle(input, call, services): Promise<ToolAnswer> {
    const origin = { startedBy: "spawn_agent_async" as const, promptEnd: PROMPT_END };
    const { task, isEarlier = false } = await startSpawned(input, origin, { call, services });
    const fields = { ...agentFields(task), ...joinedField(isEarlier) };
    const note = noteOf({ task, isEarlier }, agentIdOf(task));
    const { task_id: _id, status: _status, ...own } = startedData(task);
    const told = { ...fields, note };
    const { shown } = takeFitting(Object.entries(own), roomBeside(call, told));
    return jsonAnswer(told, Object.fromEntries(shown));
  },
});

function noteOf({ task, isEarlier }: Agent, agentId: string): string {
  const starter = "An earlier call with this request-key started the agent, and this one nothing.";
  if (isFinished(task)) return `${starter} It has ended: get_agent_status("${agentId}") tells its answer.`;
  return `${
    isEarlier === true ? `${starter} It` : "The agent"
  } works in the background: get_agent_status("${agentId}") ` +
    `tells its state and at its end its answer; codex_wait(task_ids=["${task.id}"]) waits for it. Its log can be ` +
    "followed with tail -f.";
}
