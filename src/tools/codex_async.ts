import * as z from "zod";
import { startedOutput } from "./outputs.ts";
import { runParameters, startRequest } from "./run_parameters.ts";
import { taskData } from "./present_task.ts";
import { defineTool, type ToolAnswer } from "./tool.ts";

export const codexAsync = defineTool({
  name: "codex_async",
  title: "Start a Codex agent",
  description: "Start a Codex agent in the background and return its task id at once. It runs on when this server " +
    "ends. Start all agents first, then call codex_wait once with all ids. Parameters as in codex.",
  effect: "agent",
  input: z.object(runParameters),
  output: startedOutput,
  async handle(input, call, services): Promise<ToolAnswer> {
    const { id } = await services.supervisor.start(await services.plan(startRequest(input, call, "detached")));
    const view = await services.supervisor.view(id);
    const { effectiveSandbox: sandbox, notes } = view.task.spec;
    const next = `codex_wait(task_ids=["${id}"])`;
    const text = [
      `Codex task ${id} started.`,
      `Task ID: ${id}`,
      `Lifetime: detached (it runs on when this server ends)`,
      `Sandbox: ${sandbox.mode} (${sandbox.source})`,
      ...notes.map((note) => `Note: ${note}`),
      "",
      "NOT TRACKED BY YOUR CLIENT: nothing will tell you when it ends. You MUST call " +
      `${next} for the result, or codex_status(task_ids=["${id}"]) to check progress.`,
    ];
    return {
      text: text.join("\n"),
      structured: { ...taskData(view, new Date(), null), next: `Nothing will tell you when it ends: call ${next}.` },
    };
  },
});
