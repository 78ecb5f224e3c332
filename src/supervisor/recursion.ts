/** Keeps agents from starting agents without end. */
import { ancestorCommands } from "../process/ancestor_commands.ts";
import { helperEnv } from "../process/helper_env.ts";
import { TaskError } from "../task/errors.ts";

/** Throws `recursion` when an agent at `depth` may not start another one. */
export function checkDepth(depth: number, maxDepth: number): void {
  if (depth < maxDepth) return;
  throw new TaskError(
    "recursion",
    `Cannot start an agent from inside an agent: this call comes from depth ${depth} and --max-depth is ${maxDepth}. ` +
      "Do the work yourself, or have the server started with a larger --max-depth.",
  );
}

/**
 * How many agents stand above this server: what its environment says, or more if one of its ancestor processes is the
 * run of a task. Codex gives the MCP servers it starts a bare environment, so the marker alone is not enough.
 */
export async function serverDepth(
  markedDepth: number,
  options: { readonly pid: number; readonly env: Readonly<Record<string, string>> },
): Promise<number> {
  const commands = await ancestorCommands(options.pid, helperEnv(options.env));
  return Math.max(markedDepth, ...commands.map(depthBelow));
}

/** The depth that a run's command line gives to what it starts, as `codexArgs` wrote it; 0 for any other command. */
function depthBelow(command: string): number {
  return Number(/shell_environment_policy\.set\.CODEX_SWARM_DEPTH="(\d+)"/.exec(command)?.[1] ?? 0);
}
