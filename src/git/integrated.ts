import type { Git } from "./git.ts";
import { isAncestor } from "./merge_branches.ts";
import { mergeTrees } from "./merge_tree.ts";

type Content = Readonly<Record<string, string>>;

/**
 * Tells whether everything that a commit has brought is in another one: as its ancestor, or because merging it there
 * changes nothing. A commit that cannot be looked at is not. Throws nothing.
 */
export async function isIntegrated(
  git: Git,
  { content, oid, into }: { readonly content: Content; readonly oid: string; readonly into: string },
): Promise<boolean> {
  if (oid === into) return true;
  try {
    if (await isAncestor(git, { content, oid, of: into })) return true;
    const merged = await mergeTrees(git, { content, ours: into, theirs: oid });
    return merged.kind === "clean" && merged.tree === await git.text(["rev-parse", `${into}^{tree}`], { env: content });
  } catch {
    return false;
  }
}
