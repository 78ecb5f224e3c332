/** The long form of a task's id, as codex-as-mcp gave them out. */
import type { Task } from "./task.ts";

const LONG_FORM = /^codex_\d{8}_\d{6}_([0-9a-f]{8})$/;

/** `codex_YYYYmmdd_HHMMSS_<id>`, by when it was asked for, in UTC. */
export function agentIdOf({ id, createdAt }: Pick<Task, "id" | "createdAt">): string {
  const [date = "", time = ""] = createdAt.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").split("T");
  return `codex_${date}_${time}_${id}`;
}

/** The task's id in a long one; any other text as it is. */
export function taskIdOf(text: string): string {
  return LONG_FORM.exec(text)?.[1] ?? text;
}
