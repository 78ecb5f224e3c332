import * as z from "zod";
import { listLogs, type LogFile } from "../storage/agent_log_files.ts";
import { reasonOf } from "../task/errors.ts";
import { AgentError, agentErrorOutput } from "./agent_error.ts";
import { LIST_SHARE, sizeWords } from "./agent_facts.ts";
import { defineAgentTool, jsonAnswer } from "./agent_tool.ts";
import { takeFitting } from "./bounded_text.ts";
import type { ToolAnswer } from "./tool.ts";

/** codex-as-mcp's default. */
const DEFAULT_COUNT = 20;

export const listAgentLogs = defineAgentTool({
  name: "list_agent_logs",
  title: "List agent logs (codex-as-mcp)",
  prefer: "codex_status",
  description: "Log files of agents, newest first.",
  effect: "read",
  input: z.object({ max_count: z.int().min(0).optional().describe("Default 20") }),
  output: z.looseObject({
    total: z.int().optional().describe("How many logs there are"),
    showing: z.int().optional().describe("How many of them are listed"),
    log_dir: z.string().optional().describe("Where they lie"),
    logs: z.array(z.looseObject({
      path: z.string().describe("Path of the log"),
      size_bytes: z.int().describe("Size in bytes"),
      size_human: z.string().describe("Size for people"),
      modified: z.string().describe("When it was last written to"),
    })).optional().describe("Newest first, without rotated ones"),
    error: agentErrorOutput,
  }),
  async handle({ max_count: count = DEFAULT_COUNT }, call, { agents: { logDir } }): Promise<ToolAnswer> {
    const logs = await readLogs(logDir);
    const { shown } = takeFitting(logs.slice(0, count).map(entryOf), call.answerChars * LIST_SHARE);
    return jsonAnswer({ total: logs.length, showing: shown.length, log_dir: logDir, logs: shown });
  },
});

async function readLogs(directory: string): Promise<LogFile[]> {
  try {
    return await listLogs(directory);
  } catch (error) {
    const message = `Cannot list the logs in ${directory}: ${reasonOf(error)}.`;
    throw new AgentError({ code: "list_logs_failed", kind: "io_error", message }, { cause: error });
  }
}

function entryOf({ path, size, modified }: LogFile): Record<string, unknown> {
  return { path, size_bytes: size, size_human: sizeWords(size), modified: modified.toISOString() };
}
