import * as z from "zod";
import type { Ladder, StopReport } from "../process/run_host.ts";
import { reasonOf, TaskError } from "../task/errors.ts";
import { isFinished } from "../task/task.ts";
import { AgentError, agentErrorOutput } from "./agent_error.ts";
import { agentStatus } from "./agent_facts.ts";
import { defineAgentTool, jsonAnswer } from "./agent_tool.ts";
import { findAgent } from "./find_agent.ts";
import { unnotedWords } from "./task_facts.ts";
import type { ToolAnswer, ToolServices } from "./tool.ts";
import { viewTask } from "./viewed_task.ts";

/** codex-as-mcp's default, in seconds. */
const DEFAULT_TIMEOUT = 5;
/** Time that the system has to end a process that was killed. */
const KILL_MS = 2_000;
/** Longer than any call is waited for; codex-as-mcp knew no longest. */
const MAX_TIMEOUT = 86_400;

export const killAgent = defineAgentTool({
  name: "kill_agent",
  title: "Kill an agent (codex-as-mcp)",
  prefer: "codex_cancel",
  description: "End an agent and all its processes: SIGTERM, after timeout SIGKILL. What it has changed stays.",
  effect: "destructive",
  input: z.object({
    task_id: z.string().describe("Agent's id"),
    force: z.boolean().optional().describe("SIGKILL at once"),
    timeout: z.number().min(0).optional().describe("Seconds, default 5"),
  }),
  output: z.looseObject({
    task_id: z.string().optional().describe("Agent's id"),
    killed: z.boolean().optional().describe("Whether this call ended it"),
    pid: z.number().nullable().optional().describe("Its process; null when it was still queued"),
    signal_used: z.string().nullable().optional().describe("SIGTERM, SIGKILL or SIGTERM->SIGKILL, as sent"),
    message: z.string().optional().describe("What happened"),
    log_file: z.string().nullable().optional().describe("Path of the readable log"),
    error: agentErrorOutput,
  }),
  async handle({ task_id: asked, force = false, timeout = DEFAULT_TIMEOUT }, _call, services): Promise<ToolAnswer> {
    const { task, agentPid: pid } = await findAgent(asked, services, "agent_not_found");
    if (isFinished(task)) return notRunning(asked, agentStatus(task), {});
    const timeoutMs = Math.min(timeout, MAX_TIMEOUT) * 1_000;
    const { answer, report } = await stop(task.id, ladderOf({ isForced: force, timeoutMs }), services);
    const signal = signalWords(report);
    const swept = report?.swept ?? 0;
    const own = swept === 0 ? {} : { other_processes_killed: swept };
    const log_file = task.spec.agentLog ?? null;
    if (answer === "still_running") {
      const message = `Agent ${asked} does not end: try again with force=true.`;
      return jsonAnswer({ task_id: asked, killed: false, signal_used: signal, message, log_file });
    }
    const view = await viewTask(task.id, services);
    const status = agentStatus(view.task);
    if (answer === "unnoted") {
      const message = `Agent ${asked} ${unnotedWords(view)}.`;
      return jsonAnswer({ task_id: asked, killed: signal !== null, pid, signal_used: signal, message, log_file }, own);
    }
    // A process that took no signal had just ended, by itself or by another call.
    const hasEndedBefore = signal === null && pid !== null;
    if (answer === "already_ended" || status !== "killed" || hasEndedBefore) return notRunning(asked, status, own);
    const how = signal === null ? " while it had no process" : ` with ${signal}`;
    const message = `Successfully killed agent ${asked}${how}.`;
    return jsonAnswer({ task_id: asked, killed: true, pid, signal_used: signal, message, log_file }, own);
  },
});

function ladderOf({ isForced, timeoutMs }: { readonly isForced: boolean; readonly timeoutMs: number }): Ladder {
  if (isForced) return [{ signal: "KILL", waitMs: timeoutMs }];
  return [{ signal: "TERM", waitMs: timeoutMs }, { signal: "KILL", waitMs: KILL_MS }];
}

async function stop(id: string, ladder: Ladder, { supervisor }: ToolServices): ReturnType<typeof supervisor.stop> {
  try {
    return await supervisor.stop(id, "cancelled", { ladder });
  } catch (error) {
    if (error instanceof TaskError) throw error;
    const message = `Cannot kill the agent: ${reasonOf(error)}. Try again.`;
    throw new AgentError({ code: "kill_failed", kind: "runtime_error", message }, { cause: error });
  }
}

function signalWords(report: StopReport | null): string | null {
  if (report === null || report.signals.length === 0) return null;
  return report.signals.map((signal) => `SIG${signal}`).join("->");
}

function notRunning(asked: string, status: string, own: Readonly<Record<string, unknown>>): ToolAnswer {
  return jsonAnswer({ task_id: asked, killed: false, message: `Agent ${asked} is not running: it is ${status}.` }, own);
}
