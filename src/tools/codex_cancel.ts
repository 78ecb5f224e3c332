import * as z from "zod";
import { findViews } from "./find_views.ts";
import { taskOutput } from "./outputs.ts";
import { taskData } from "./present_task.ts";
import { defineTool, type ToolAnswer } from "./tool.ts";
import { viewTask } from "./viewed_task.ts";

export const codexCancel = defineTool({
  name: "codex_cancel",
  title: "Stop a Codex task",
  description: "Stop a task's agent, gently first. What it has changed stays; its thread can be continued with " +
    "codex_reply.",
  effect: "destructive",
  input: z.object({ task_id: z.string().describe("Task id") }),
  output: taskOutput,
  async handle(input, _call, services): Promise<ToolAnswer> {
    const { missing: [missing] } = await findViews([input.task_id], services);
    if (missing !== undefined) {
      const lines = [`Task ${input.task_id}: ${missing.words}`, ...missing.wayOut];
      return { text: lines.join("\n"), structured: missing.data, isError: true };
    }
    const answer = await services.supervisor.stop(input.task_id, "cancelled");
    const view = await viewTask(input.task_id, services);
    const { status } = view.task.state;
    // codex-mcp-swarm's words.
    const words = answer === "stopped" && status === "cancelled" ? "Task cancelled" : `Task already ${status}`;
    return {
      text: `Task ${input.task_id}: ${words}`,
      structured: { ...taskData(view, new Date(), null), message: words },
    };
  },
});
