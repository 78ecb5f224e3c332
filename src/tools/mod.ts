/** The tools, in the order in which clients see them. */
import { cleanupOldLogs } from "./cleanup_old_logs.ts";
import { codex } from "./codex.ts";
import { codexAsync } from "./codex_async.ts";
import { codexCancel } from "./codex_cancel.ts";
import { codexDiff } from "./codex_diff.ts";
import { codexMerge } from "./codex_merge.ts";
import { codexCleanup } from "./codex_cleanup.ts";
import { codexRestore } from "./codex_restore.ts";
import { codexReply, codexReplyAlias } from "./codex_reply.ts";
import { codexStatus } from "./codex_status.ts";
import { codexWait } from "./codex_wait.ts";
import { getAgentStatus } from "./get_agent_status.ts";
import { killAgent } from "./kill_agent.ts";
import { listAgentLogs } from "./list_agent_logs.ts";
import { listAgentTasks } from "./list_agent_tasks.ts";
import { listRunningAgents } from "./list_running_agents.ts";
import { spawnAgent } from "./spawn_agent.ts";
import { spawnAgentAsync } from "./spawn_agent_async.ts";
import { spawnAgentsParallel } from "./spawn_agents_parallel.ts";
import type { Tool } from "./tool.ts";

export const tools: readonly Tool[] = [
  codex,
  codexAsync,
  codexWait,
  codexStatus,
  codexCancel,
  codexReply,
  codexReplyAlias,
  codexDiff,
  codexMerge,
  codexRestore,
  codexCleanup,
  spawnAgent,
  spawnAgentAsync,
  getAgentStatus,
  killAgent,
  listRunningAgents,
  listAgentTasks,
  spawnAgentsParallel,
  listAgentLogs,
  cleanupOldLogs,
];
