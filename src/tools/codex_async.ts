import * as z from "zod";
import { isFinished, type Task } from "../task/task.ts";
import { startedOutput } from "./outputs.ts";
import { runParameters, startDirectories, startRequest } from "./run_parameters.ts";
import { boundedTask, startedData } from "./present_task.ts";
import { type Agent, joinedField, startAgent } from "./start_agent.ts";
import { notesOf } from "./task_facts.ts";
import { defineTool, type ToolAnswer, type ToolCall, type ToolServices } from "./tool.ts";
import { viewTask } from "./viewed_task.ts";

/** Room of the words about what to call next, in characters. */
const DATA_AROUND = 170;

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
    const agent = await startAgent(request, { tool: "codex_async", input, directories }, { call, services });
    const { task, data } = await lookAt(agent.task, call, services);
    const { id } = task;
    const { effectiveSandbox: sandbox, worktree } = task.spec;
    const wait = `codex_wait(task_ids=["${id}"])`;
    // Of one that was just started the layout is codex-mcp-swarm's.
    const hasEnded = agent.isEarlier === true && isFinished(task);
    const text = [
      agent.isEarlier === true
        ? `Codex task ${id} was started by an earlier call with this request-key, and is ${data["status"]} now; ` +
          "this call started nothing."
        : `Codex task ${id} started.`,
      `Task ID: ${id}`,
      ...(worktree === undefined ? [] : [`Worktree Path: ${worktree.path}`, `Worktree Branch: ${worktree.branch}`]),
      ...(hasEnded ? [] : [`Lifetime: ${lifetimeWords(agent)}`]),
      `Sandbox: ${sandbox.mode} (${sandbox.source})`,
      ...notesOf(task).map((note) => `Note: ${note}`),
      "",
      hasEnded
        ? `It has ended: call ${wait} for the result.`
        : "NOT TRACKED BY YOUR CLIENT: nothing will tell you when it ends. You MUST call " +
          `${wait} for the result, or codex_status(task_ids=["${id}"]) to check progress.`,
    ];
    const next = hasEnded ? `It has ended: call ${wait}.` : `Nothing will tell you when it ends: call ${wait}.`;
    return { text: text.join("\n"), structured: { ...data, ...joinedField(agent.isEarlier), next } };
  },
});

function lifetimeWords({ task: { spec: { lifetime } }, isEarlier }: Agent): string {
  // That of an earlier call may be another one.
  const server = isEarlier === true ? "its server" : "this server";
  return lifetime === "detached"
    ? `detached (it runs on when ${server} ends)`
    : `server-bound (it is stopped when ${server} ends, as --on-exit says)`;
}

/** Whatever befalls this look at the task, its id must reach the caller: the agent runs. */
async function lookAt(
  task: Task,
  call: ToolCall,
  services: ToolServices,
): Promise<{ readonly task: Task; readonly data: Record<string, unknown> }> {
  try {
    const view = await viewTask(task.id, services);
    return { task: view.task, data: boundedTask(view, { now: new Date(), maxLength: call.answerChars - DATA_AROUND }) };
  } catch (error) {
    services.log.warning("a task could not be looked at after its start", { id: task.id, error });
    return { task, data: startedData(task) };
  }
}
