import * as z from "zod";

/** A worktree as tasks and records of worktrees hold it. */
export const worktreeShape = z.looseObject({
  id: z.string(),
  path: z.string(),
  branch: z.string(),
  base: z.string(),
  baseBranch: z.string().exactOptional(),
  commonDir: z.string(),
  checkout: z.string(),
  setup: z.string().exactOptional(),
});
