import { taskIdOf } from "../task/agent_id.ts";
import { TaskError } from "../task/errors.ts";
import type { ToolServices } from "./tool.ts";

/** The id of the worktree that a task worked in, also when the task itself is no longer known. Throws {@linkcode TaskError}. */
export async function findWork(text: string, { supervisor, work }: ToolServices): Promise<string> {
  const id = taskIdOf(text);
  const known = await work.find(id);
  if (known !== null) return known;
  // Its words name those that there are.
  const { task: { spec } } = await supervisor.view(id);
  if (spec.worktree !== undefined) return spec.worktree.id;
  throw new TaskError(
    "invalid_argument",
    `Task ${id} worked in no worktree of its own: what it has done is in ${spec.cwd}.`,
  );
}
