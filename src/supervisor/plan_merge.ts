import { readBranch } from "../git/branch_facts.ts";
import type { Git } from "../git/git.ts";
import { TaskError } from "../task/errors.ts";
import type { WorktreeSpec } from "../task/spec.ts";
import type { StartRequest } from "./start_request.ts";

/** Full name of the branch that is to be merged into a thread's worktree. Throws {@linkcode TaskError} when there is none. */
export async function planMerge(
  { mergeFirst }: Pick<StartRequest, "mergeFirst">,
  standing: WorktreeSpec | undefined,
  { git }: { readonly git: Git },
): Promise<string | undefined> {
  if (mergeFirst === undefined) return undefined;
  if (standing === undefined) {
    throw new TaskError("invalid_argument", "Cannot merge into the thread's worktree: it has none of its own.");
  }
  const ref = mergeFirst.startsWith("refs/") ? mergeFirst : `refs/heads/${mergeFirst}`;
  if (await readBranch(git, standing.commonDir, ref) !== null) return ref;
  throw new TaskError(
    "invalid_argument",
    `Cannot merge into the thread's worktree: there is no branch "${mergeFirst}".`,
  );
}
