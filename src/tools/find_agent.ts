/** Agents by codex-as-mcp's ids, and all of its agents. */
import { isTaskId } from "../storage/task_directory.ts";
import { taskIdOf } from "../task/agent_id.ts";
import { TaskError } from "../task/errors.ts";
import { isFinished, type Task } from "../task/task.ts";
import { AgentError } from "./agent_error.ts";
import { cutEnd } from "./bounded_text.ts";
import type { ToolServices } from "./tool.ts";
import { type ViewedTask, viewTask } from "./viewed_task.ts";

/** Ended tasks that are looked through for agents, the newest. */
const MAX_ENDED = 500;
const MAX_ID = 80;

/**
 * Looks at an agent by `codex_…`, by the bare id of its task, or, while it runs, by `sync_<pid>`. Throws an error with
 * `code` when there is none.
 */
export async function findAgent(
  asked: string,
  services: ToolServices,
  code: "task_not_found" | "agent_not_found",
): Promise<ViewedTask> {
  const id = isTaskId(taskIdOf(asked)) ? taskIdOf(asked) : (await findByPid(asked, services))?.task.id;
  try {
    if (id !== undefined) return await viewTask(id, services);
  } catch (error) {
    if (!(error instanceof TaskError) || error.code !== "unknown_task") throw error;
  }
  const message = `There is no agent "${cutEnd(asked, MAX_ID)}": list_running_agents and list_agent_tasks name them.`;
  throw new AgentError({ code, kind: "validation_error", message });
}

async function findByPid(asked: string, services: ToolServices): Promise<ViewedTask | undefined> {
  const pid = /^sync_(\d+)$/.exec(asked)?.[1];
  if (pid === undefined) return undefined;
  return (await runningAgents(services)).find(({ agentPid }) => agentPid === Number(pid));
}

/** The agents of this server and of earlier ones in its working directory, oldest first. */
export async function listAgents({ supervisor, cwd }: ToolServices): Promise<Task[]> {
  const tasks = await supervisor.list({ limit: MAX_ENDED });
  return tasks.filter(({ spec }) => spec.startedBy !== undefined && spec.server.cwd === cwd);
}

/** Looks at all agents that have not ended. */
export async function runningAgents(services: ToolServices): Promise<ViewedTask[]> {
  const running = (await listAgents(services)).filter((task) => !isFinished(task));
  const views = await Promise.all(running.map(({ id }) => viewTask(id, services).catch(() => null)));
  return views.filter((view) => view !== null).filter(({ task }) => !isFinished(task));
}
