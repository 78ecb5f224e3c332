import type { Git } from "../git/git.ts";
import { copyIndex } from "../git/copy_index.ts";
import { writeTree, type WrittenTree } from "../git/write_tree.ts";
import { removeAll } from "../storage/files.ts";
import type { WorkDirectory } from "../storage/work_directory.ts";

/**
 * A worktree's files as they stand, as a commit would have them; repositories inside stay where `commit` has them. Touches
 * nothing. Throws {@linkcode GitError}.
 */
export async function currentTree(
  git: Git,
  { directory, path, text, commit }: {
    readonly directory: WorkDirectory;
    readonly path: string;
    readonly text: Readonly<Record<string, string>>;
    readonly commit: string;
  },
): Promise<WrittenTree> {
  const index = `${directory.textIndex}.${crypto.randomUUID()}`;
  try {
    // What the last turn's commit knows need not be read again.
    await copyIndex(directory.textIndex, index);
    const gitDir = (await directory.read())?.ready?.gitDir;
    const indexed = gitDir === undefined ? {} : { indexed: { gitDir, filtered: "known" as const } };
    return await writeTree(git, { content: text, path, index, head: commit, nested: "leave", ...indexed });
  } finally {
    await removeAll(index);
    await removeAll(`${index}.head`);
  }
}
