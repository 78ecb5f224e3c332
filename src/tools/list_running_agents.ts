import * as z from "zod";
import { agentIdOf } from "../task/agent_id.ts";
import { agentErrorOutput } from "./agent_error.ts";
import { agentSeconds, isAsync, LIST_SHARE } from "./agent_facts.ts";
import { defineAgentTool, jsonAnswer } from "./agent_tool.ts";
import { takeFitting } from "./bounded_text.ts";
import { runningAgents } from "./find_agent.ts";
import { labelOf, phaseOf, threadIdOf } from "./task_facts.ts";
import type { ToolAnswer } from "./tool.ts";
import type { ViewedTask } from "./viewed_task.ts";

export const listRunningAgents = defineAgentTool({
  name: "list_running_agents",
  title: "List running agents (codex-as-mcp)",
  prefer: "codex_status",
  description: "Running agents with ids, pids and logs.",
  effect: "read",
  input: z.object({}),
  output: z.looseObject({
    count: z.int().optional().describe("How many run or are queued"),
    agents: z.array(z.looseObject({
      task_id: z.string().describe("Id for kill_agent and get_agent_status"),
      pid: z.number().nullable().describe("Its process; null while it is queued"),
      status: z.string().describe("running"),
    })).optional().describe("Oldest first"),
    error: agentErrorOutput,
  }),
  async handle(_input, call, services): Promise<ToolAnswer> {
    const now = new Date();
    const views = await runningAgents(services);
    const { shown, rest } = takeFitting(views.map((view) => entryOf(view, now)), call.answerChars * LIST_SHARE);
    return jsonAnswer({ count: views.length, agents: shown }, rest === 0 ? {} : { agents_not_shown: rest });
  },
});

function entryOf(view: ViewedTask, now: Date): Record<string, unknown> {
  const { task, agentPid: pid, queuePosition } = view;
  const label = labelOf(task);
  return {
    task_id: isAsync(task) || pid === null ? agentIdOf(task) : `sync_${pid}`,
    pid,
    status: "running",
    started_at: task.createdAt.toISOString(),
    elapsed_seconds: agentSeconds(task, now),
    log_file: task.spec.agentLog ?? null,
    phase: phaseOf(view),
    ...(queuePosition === null ? {} : { queue_position: queuePosition }),
    ...(label === undefined ? {} : { label }),
    thread_id: threadIdOf(view),
  };
}
