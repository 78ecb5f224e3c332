import { basename } from "node:path";
import * as z from "zod";
import { listAgentFiles, type LogFile, logNameOf, removeLogFiles } from "../storage/agent_log_files.ts";
import { reasonOf } from "../task/errors.ts";
import { isFinished } from "../task/task.ts";
import { AgentError, agentErrorOutput } from "./agent_error.ts";
import { sizeWords } from "./agent_facts.ts";
import { defineAgentTool, jsonAnswer } from "./agent_tool.ts";
import { takeFitting } from "./bounded_text.ts";
import type { ToolAnswer, ToolServices } from "./tool.ts";

/** codex-as-mcp's default. */
const DEFAULT_DAYS = 7;
const DAY_MS = 86_400_000;
/** Parts of an answer that the two lists may take; indented, as text, they are longer than as data. */
const FILES_SHARE = 0.6;
const FAILURES_SHARE = 0.15;

export const cleanupOldLogs = defineAgentTool({
  name: "cleanup_old_logs",
  title: "Delete old agent logs (codex-as-mcp)",
  prefer: "codex_status",
  description: "Delete old agent logs; those of running agents stay.",
  effect: "destructive",
  input: z.object({
    days: z.int().min(1).optional().describe("Least age, default 7"),
    dry_run: z.boolean().optional().describe("Only say what would go, default true"),
  }),
  output: z.looseObject({
    deleted_count: z.int().optional().describe("How many files were, or would be, deleted"),
    freed_bytes: z.int().optional().describe("Their size in bytes"),
    freed_human: z.string().optional().describe("Their size for people"),
    files: z.array(z.string()).optional().describe("Their paths"),
    dry_run: z.boolean().optional().describe("Whether nothing was deleted"),
    message: z.string().optional().describe("What happened"),
    error: agentErrorOutput,
  }),
  async handle({ days = DEFAULT_DAYS, dry_run: isDry = true }, call, services): Promise<ToolAnswer> {
    const old = await oldFiles(Date.now() - days * DAY_MS, services);
    const { gone, failures } = isDry ? { gone: old, failures: [] } : await removeLogFiles(old);
    const freed = gone.reduce((sum, { size }) => sum + size, 0);
    const { shown } = takeFitting(gone.map(({ path }) => path), call.answerChars * FILES_SHARE);
    const failed = takeFitting(failures, call.answerChars * FAILURES_SHARE).shown;
    const words = isDry
      ? `Would delete ${gone.length} files older than ${days} days, freeing ${sizeWords(freed)}; dry_run=false does it.`
      : `Deleted ${gone.length} files older than ${days} days, freeing ${sizeWords(freed)}.`;
    return jsonAnswer({
      deleted_count: gone.length,
      freed_bytes: freed,
      freed_human: sizeWords(freed),
      files: shown,
      dry_run: isDry,
      message: failures.length === 0 ? words : `${words} ${failures.length} could not be deleted.`,
    }, {
      ...(shown.length < gone.length ? { files_not_shown: gone.length - shown.length } : {}),
      ...(failed.length === 0 ? {} : { failures: failed }),
    });
  },
});

async function oldFiles(
  before: number,
  { agents: { logDir }, supervisor }: ToolServices,
): Promise<LogFile[]> {
  try {
    const files = await listAgentFiles(logDir);
    // A silent agent may not have written for days.
    const running = (await supervisor.list({ limit: 0 })).filter((task) => !isFinished(task));
    // No two logs have the same name, but several paths may lead to one.
    const kept = new Set(running.flatMap(({ spec }) => spec.agentLog === undefined ? [] : [basename(spec.agentLog)]));
    return files.filter(({ path, modified }) => modified.getTime() < before && !kept.has(logNameOf(path)));
  } catch (error) {
    const message = `Cannot look through the logs in ${logDir}: ${reasonOf(error)}.`;
    throw new AgentError({ code: "cleanup_failed", kind: "io_error", message }, { cause: error });
  }
}
