/** Finds the repository a directory belongs to by looking, without running git. */
import { dirname, join, resolve } from "node:path";
import { GitError } from "./git.ts";
import { isThere } from "./is_there.ts";

/** A directory's place in git. */
export interface Repository {
  /** The top of the working tree. */
  readonly top: string;
  /** The common `.git` directory, the same for all worktrees of a repository. */
  readonly commonDir: string;
}

/** Finds the repository that holds `directory`, or `null`. Submodules and linked worktrees have a `.git` file. */
export async function findRepository(directory: string): Promise<Repository | null> {
  for (let top = resolve(directory);; top = dirname(top)) {
    const commonDir = await commonDirOf(top);
    if (commonDir !== null) return { top, commonDir };
    if (dirname(top) === top) return null;
  }
}

/** Throws {@linkcode GitError} when a repository that was there once has been moved or deleted. */
export async function checkRepository(commonDir: string): Promise<void> {
  if (await isThere(commonDir)) return;
  throw new GitError(`the repository ${commonDir} is not there any more. Put it back where it was`, null);
}

async function commonDirOf(top: string): Promise<string | null> {
  const path = join(top, ".git");
  try {
    const { isDirectory, isFile } = await Deno.stat(path);
    if (isDirectory) {
      // An empty one is no repository: a Codex that was stopped leaves such mount points of its sandbox behind.
      await Deno.stat(join(path, "HEAD"));
      return await Deno.realPath(path);
    }
    // Whoever reads a pipe waits.
    if (!isFile) return null;
    const pointer = /^gitdir: ([^]+?)\n*$/.exec(await Deno.readTextFile(path))?.[1];
    if (pointer === undefined) return null;
    const gitDir = resolve(top, pointer);
    return await Deno.realPath(resolve(gitDir, await readLine(join(gitDir, "commondir")) ?? "."));
  } catch {
    return null;
  }
}

async function readLine(path: string): Promise<string | null> {
  try {
    return (await Deno.readTextFile(path)).trim();
  } catch {
    return null;
  }
}
