import type { CodexProbe } from "../codex/probe.ts";
import type { Config } from "../config.ts";
import type { Log } from "../log.ts";
import { listEndpoints } from "../storage/endpoint_files.ts";
import { planTask } from "../supervisor/plan_task.ts";
import type { WorktreePlanner } from "../supervisor/plan_worktree.ts";
import { serverDepth } from "../supervisor/recursion.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import type { ToolServices } from "../tools/tool.ts";
import type { Program } from "./program.ts";
import { remember } from "./remember.ts";
import { endpointsDirectory } from "./state_places.ts";

/** Makes what turns a request for an agent into a task, within the limits of the configuration. */
export function makePlan(
  config: Config,
  { program, supervisor, probe, worktrees, log }: {
    readonly program: Program;
    readonly supervisor: Supervisor;
    readonly probe: () => Promise<CodexProbe>;
    readonly worktrees: WorktreePlanner;
    readonly log: Log;
  },
): ToolServices["plan"] {
  const depth = remember(() => serverDepth(config.depth, { pid: Deno.pid, env: config.env }));
  const options = {
    cwd: config.cwd,
    codexHome: config.codexHome,
    server: config.codex,
    limits: config.limits,
    taskTimeoutMs: config.taskTimeoutMs,
    onExit: config.onExit,
    maxDepth: config.maxDepth,
    env: { ...config.env, ...config.agentEnv },
    givenEnvNames: new Set(Object.keys(config.agentEnv)),
    ownScript: Deno.build.standalone ? Deno.execPath() : program.script ?? "",
    ownEndpoints: async () => {
      try {
        return (await listEndpoints(endpointsDirectory(config))).map(({ url }) => url);
      } catch (error) {
        log.warning("where servers listen cannot be seen", { error });
        return [];
      }
    },
    probe,
    depth,
    findByThread: (threadId: string) => supervisor.findByThread(threadId),
    worktrees,
    worktreesDir: config.worktreesDir,
  };
  return (request) => planTask(request, options);
}
