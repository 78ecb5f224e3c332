import { readBranch } from "../git/branch_facts.ts";
import type { Git } from "../git/git.ts";
import { readHead, readHeadHistory } from "../git/head_history.ts";
import { isIntegrated } from "../git/integrated.ts";
import { writeStagedTree } from "../git/staged_tree.ts";
import { isThere } from "../storage/files.ts";
import { reasonOf } from "../task/errors.ts";
import type { WorkDirectory, WorkRecord } from "../storage/work_directory.ts";
import { currentTree } from "./current_tree.ts";
import type { RepositoryContent } from "./repository_content.ts";
import { doneRef } from "./work_refs.ts";

/** Where the work in a worktree is besides. */
export interface WorkFacts {
  /** End of its branch; `null` where that is gone. */
  readonly tip: string | null;
  /** The branch has all that is in the worktree but what git ignores, and all that was ever committed there. */
  readonly isAllOnBranch: boolean;
  /** Something that git ignores is archived. */
  readonly hasIgnored: boolean;
  /** Why none of this could be found out. */
  readonly unknown?: string;
  /** The branch that it began on has all of its own. */
  readonly isMerged: boolean;
}

/** Finds out what would be lost with a worktree. What cannot be found out counts as not being elsewhere. Throws nothing. */
export async function workFacts(
  directory: WorkDirectory,
  { spec, ready, removed }: WorkRecord,
  { git, content }: { readonly git: Git; readonly content: RepositoryContent },
): Promise<WorkFacts> {
  const { commonDir, branch, baseBranch, id, path } = spec;
  try {
    const text = (await content.of(commonDir))("text");
    const tip = await readBranch(git, commonDir, `refs/heads/${branch}`);
    const end = tip ?? await readBranch(git, commonDir, doneRef(id));
    const into = baseBranch === undefined ? null : await readBranch(git, commonDir, baseBranch);
    const isMerged = end !== null && into !== null && await isIntegrated(git, { content: text, oid: end, into });
    const isAllOnBranch = removed !== undefined
      ? removed.isAllOnBranch
      : tip !== null && ready !== undefined && await isAllOn(tip, { directory, path, gitDir: ready.gitDir, text, git });
    return { tip, isAllOnBranch, isMerged, hasIgnored: await isThere(directory.ignored) };
  } catch (error) {
    return { tip: null, isAllOnBranch: false, isMerged: false, hasIgnored: true, unknown: reasonOf(error) };
  }
}

async function isAllOn(
  tip: string,
  { directory, path, gitDir, text, git }: {
    readonly directory: WorkDirectory;
    readonly path: string;
    readonly gitDir: string;
    readonly text: Readonly<Record<string, string>>;
    readonly git: Git;
  },
): Promise<boolean> {
  const head = await readHead(git, gitDir);
  const elsewhere = await readHeadHistory(git, { gitDir, known: [tip] });
  if (head?.oid !== tip || elsewhere.length > 0) return false;
  const { tree } = head;
  const now = await currentTree(git, { directory, path, text, commit: tip });
  if (tree !== now.tree || now.nested.length > 0 || (now.unfiltered ?? []).length > 0) return false;
  const index = `${directory.textIndex}.${crypto.randomUUID()}`;
  const staged = await writeStagedTree(git, { gitDir, content: text, index });
  return staged === null || staged === tree;
}
