import * as z from "zod";
import { isFinished, type Task } from "../task/task.ts";
import { agentErrorOutput } from "./agent_error.ts";
import { agentFields, agentSeconds, agentStatus, isAsync, LIST_SHARE } from "./agent_facts.ts";
import { defineAgentTool, jsonAnswer } from "./agent_tool.ts";
import { takeFitting } from "./bounded_text.ts";
import { listAgents } from "./find_agent.ts";
import { labelOf } from "./task_facts.ts";
import type { ToolAnswer } from "./tool.ts";

export const listAgentTasks = defineAgentTool({
  name: "list_agent_tasks",
  title: "List background agents (codex-as-mcp)",
  prefer: "codex_status",
  description: "Agents of spawn_agent_async, running or ended.",
  effect: "read",
  input: z.object({}),
  output: z.looseObject({
    total: z.int().optional().describe("How many there are, among the newest 500 tasks that ended and all others"),
    running: z.int().optional().describe("How many of them run or are queued"),
    completed: z.int().optional().describe("How many of them completed"),
    failed: z.int().optional().describe("How many of them failed"),
    killed: z.int().optional().describe("How many of them were killed"),
    tasks: z.array(z.looseObject({
      task_id: z.string().describe("Id for get_agent_status"),
      status: z.string().describe("running, completed, failed or killed"),
    })).optional().describe("Oldest first"),
    error: agentErrorOutput,
  }),
  async handle(_input, call, services): Promise<ToolAnswer> {
    const now = new Date();
    const tasks = (await listAgents(services)).filter(isAsync);
    const count = (status: string): number => tasks.filter((task) => agentStatus(task) === status).length;
    // Where not all fit, the newest are told.
    const entries = tasks.toReversed().map((task) => entryOf(task, now));
    const { shown, rest } = takeFitting(entries, call.answerChars * LIST_SHARE);
    return jsonAnswer({
      total: tasks.length,
      running: count("running"),
      completed: count("completed"),
      failed: count("failed"),
      killed: count("killed"),
      tasks: shown.toReversed(),
    }, rest === 0 ? {} : { tasks_not_shown: rest });
  },
});

function entryOf(task: Task, now: Date): Record<string, unknown> {
  const label = labelOf(task);
  return {
    ...agentFields(task),
    ...(isFinished(task) ? { completed_at: task.state.endedAt.toISOString() } : {}),
    elapsed_seconds: agentSeconds(task, now),
    ...(label === undefined ? {} : { label }),
  };
}
