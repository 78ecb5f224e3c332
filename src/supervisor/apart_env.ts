import type { Task } from "../task/task.ts";

/** Below those that systems give out by themselves. */
const FIRST_PORT = 20_000;
const PORTS_EACH = 10;

/**
 * Variables by which what agents in worktrees start stays apart from what others start at the same time: ten ports that
 * no other agent of the state directory is told of, and a name for containers. `slot` is the file of the agent's slot; those
 * that a person has `given` stay.
 */
export function apartEnv(
  { spec, id }: Pick<Task, "spec" | "id">,
  { slot, given }: { readonly slot: string | null; readonly given: ReadonlySet<string> },
): Record<string, string> {
  if (spec.worktree === undefined) return {};
  const number = /slot_(\d+)$/.exec(slot ?? "")?.[1];
  const own = {
    COMPOSE_PROJECT_NAME: `codex-swarm-${id}`,
    ...(number === undefined ? {} : { CODEX_SWARM_PORT_BASE: String(FIRST_PORT + PORTS_EACH * Number(number)) }),
  };
  return Object.fromEntries(Object.entries(own).filter(([name]) => !given.has(name)));
}
