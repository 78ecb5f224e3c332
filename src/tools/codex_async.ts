import * as z from "zod";
import type { Task } from "../task/task.ts";
import { startedOutput } from "./outputs.ts";
import { runParameters, startDirectories, startRequest } from "./run_parameters.ts";
import { boundedTask, startedData } from "./present_task.ts";
import { startAgent } from "./run_agent.ts";
import { notesOf } from "./task_facts.ts";
import { defineTool, type ToolAnswer, type ToolCall, type ToolServices } from "./tool.ts";
import { viewTask } from "./viewed_task.ts";

/** Room of the words about what to call next, in characters. */
const DATA_AROUND = 150;

export const codexAsync = defineTool({
  name: "codex_async",
  title: "Start a Codex agent",
  description: "Start a Codex agent in the background and return its task id at once. By default it runs on when " +
    "this server ends. Start all agents first, then call codex_wait once with all ids. Parameters as in codex.",
  toolset: "codex",
  effect: "agent",
  input: z.object(runParameters),
  output: startedOutput,
  async handle(input, call, services): Promise<ToolAnswer> {
    const request = startRequest(input, call, "detached");
    const directories = startDirectories(input, services);
    const { task } = await startAgent(request, { tool: "codex_async", input, directories }, { call, services });
    const { id } = task;
    const { effectiveSandbox: sandbox, worktree } = task.spec;
    const next = `codex_wait(task_ids=["${id}"])`;
    const text = [
      `Codex task ${id} started.`,
      `Task ID: ${id}`,
      ...(worktree === undefined ? [] : [`Worktree Path: ${worktree.path}`, `Worktree Branch: ${worktree.branch}`]),
      `Lifetime: ${lifetimeWords(task)}`,
      `Sandbox: ${sandbox.mode} (${sandbox.source})`,
      ...notesOf(task).map((note) => `Note: ${note}`),
      "",
      "NOT TRACKED BY YOUR CLIENT: nothing will tell you when it ends. You MUST call " +
      `${next} for the result, or codex_status(task_ids=["${id}"]) to check progress.`,
    ];
    return {
      text: text.join("\n"),
      structured: { ...await dataOf(task, call, services), next: `Nothing will tell you when it ends: call ${next}.` },
    };
  },
});

function lifetimeWords({ spec: { lifetime } }: Task): string {
  return lifetime === "detached"
    ? "detached (it runs on when this server ends)"
    : "server-bound (it is stopped when this server ends, as --on-exit says)";
}

/** Whatever befalls this look at the task, its id must reach the caller: the agent runs. */
async function dataOf(task: Task, call: ToolCall, services: ToolServices): Promise<Record<string, unknown>> {
  try {
    const view = await viewTask(task.id, services);
    return boundedTask(view, { now: new Date(), maxLength: call.answerChars - DATA_AROUND });
  } catch (error) {
    services.log.warning("a task could not be looked at after its start", { id: task.id, error });
    return startedData(task);
  }
}
