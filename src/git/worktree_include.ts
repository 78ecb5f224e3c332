/** Brings files into a worktree that no commit has: `.worktreeinclude` names them, in the words of `.gitignore`. */
import { join } from "node:path";
import { fieldsOf, textOf } from "./bytes.ts";
import type { Git } from "./git.ts";

/** The file at the top of a checkout. */
export const INCLUDE_FILE = ".worktreeinclude";

/**
 * Copies the untracked files that the checkout's own `.worktreeinclude` names; gives their paths. What is there already is
 * never overwritten, and tracked files are never meant. Throws {@linkcode GitError}.
 */
export async function copyIncluded(
  git: Git,
  { top, gitDir, path, content }: {
    /** The user's checkout. */
    readonly top: string;
    readonly gitDir: string;
    /** The worktree. */
    readonly path: string;
    readonly content: Readonly<Record<string, string>>;
  },
): Promise<string[]> {
  const include = join(top, INCLUDE_FILE);
  if (!await Deno.stat(include).then(({ isFile }) => isFile, () => false)) return [];
  const env = { ...content, GIT_WORK_TREE: top, GIT_INDEX_FILE: join(gitDir, "index") };
  const args = ["ls-files", "-z", "--others", "--ignored", `--exclude-from=${include}`];
  const copied: string[] = [];
  for (const name of fieldsOf(await git.output(args, { cwd: top, env })).map(textOf)) {
    // A repository inside has its own.
    if (name.endsWith("/") || !await makeParents(path, name)) continue;
    if (await copy(join(top, name), join(path, name))) copied.push(name);
  }
  return copied;
}

/** Makes the directories that a file is in, through no link; tells whether nothing else is in their way. */
async function makeParents(top: string, name: string): Promise<boolean> {
  const parts = name.split("/").slice(0, -1);
  for (const end of parts.keys()) {
    const parent = join(top, ...parts.slice(0, end + 1));
    try {
      await Deno.mkdir(parent);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      if (!(await Deno.lstat(parent)).isDirectory) return false;
    }
  }
  return true;
}

async function copy(from: string, to: string): Promise<boolean> {
  try {
    if ((await Deno.lstat(from)).isSymlink) {
      await Deno.symlink(await Deno.readLink(from), to);
      return true;
    }
    // It must not be there yet.
    using _new = await Deno.open(to, { write: true, createNew: true });
    await Deno.copyFile(from, to);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists || error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
