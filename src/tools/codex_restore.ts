import * as z from "zod";
import { findWork } from "./find_work.ts";
import { defineTool, type ToolAnswer } from "./tool.ts";

export const codexRestore = defineTool({
  name: "codex_restore",
  title: "Restore what a Codex agent made",
  description:
    "Bring back the last state of a task's worktree, removed or not, on a new branch in a new worktree. Touches nothing else.",
  toolset: "codex",
  effect: "agent",
  input: z.object({
    task_id: z.string().describe("Task id"),
    snapshot: z.int().min(1).optional().describe(
      "Number of an earlier snapshot; ignored files come as last kept",
    ),
  }),
  output: z.looseObject({
    task_id: z.string().describe("Task id"),
    worktree_path: z.string().describe("The new worktree"),
    worktree_branch: z.string().describe("The new branch"),
    snapshot: z.string().describe("Ref of what was restored"),
  }),
  async handle(input, _call, services): Promise<ToolAnswer> {
    const id = await findWork(input.task_id, services);
    const { spec, snapshot, notes } = await services.work.restore({
      id,
      ...(input.snapshot === undefined ? {} : { number: input.snapshot }),
    });
    const cwd = JSON.stringify(spec.path);
    const next = `Go on there with codex(cwd=${cwd}, sandbox="workspace-write", prompt=...), then merge that task.`;
    return {
      text: [
        `Restored task ${input.task_id} from ${snapshot}.`,
        `Worktree: ${spec.path}`,
        `Branch: ${spec.branch}`,
        ...notes,
        next,
      ].join("\n"),
      structured: {
        task_id: input.task_id,
        worktree_path: spec.path,
        worktree_branch: spec.branch,
        snapshot,
        ...(notes.length === 0 ? {} : { notes }),
        next,
      },
    };
  },
});
