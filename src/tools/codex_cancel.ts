import * as z from "zod";
import { findViews } from "./find_views.ts";
import { taskOutput } from "./outputs.ts";
import { boundedTask } from "./present_task.ts";
import { defineTool, type ToolAnswer } from "./tool.ts";
import { viewTask } from "./viewed_task.ts";

/** Room of the words about what was done, in characters. */
const DATA_AROUND = 100;

export const codexCancel = defineTool({
  name: "codex_cancel",
  title: "Stop a Codex task",
  description: "Stop a task's agent, gently first. What it has changed stays; its thread can be continued with " +
    "codex_reply.",
  effect: "destructive",
  input: z.object({ task_id: z.string().describe("Task id") }),
  output: taskOutput,
  async handle(input, call, services): Promise<ToolAnswer> {
    const { missing: [missing] } = await findViews([input.task_id], services);
    if (missing !== undefined) {
      const lines = [`Task ${missing.id}: ${missing.words}`, ...missing.wayOut];
      return { text: lines.join("\n"), structured: missing.data, isError: true };
    }
    const answer = await services.supervisor.stop(input.task_id, "cancelled");
    const view = await viewTask(input.task_id, services);
    const { status } = view.task.state;
    // codex-mcp-swarm's words.
    const words = answer === "stopped" && status === "cancelled" ? "Task cancelled" : `Task already ${status}`;
    return {
      text: `Task ${input.task_id}: ${words}`,
      structured: {
        ...boundedTask(view, { now: new Date(), maxLength: call.answerChars - DATA_AROUND }),
        message: words,
      },
    };
  },
});
