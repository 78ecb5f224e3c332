import type { Git } from "./git.ts";

const TIMEOUT_MS = 15 * 60_000;

/** Writes the files of a commit into a directory that is made for them. Throws {@linkcode GitError}. */
export async function exportTree(
  git: Git,
  { content, commit, path }: {
    /** Variables of an {@linkcode openContent} that converts line ends. */
    readonly content: Readonly<Record<string, string>>;
    readonly commit: string;
    readonly path: string;
  },
): Promise<void> {
  await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  const index = `${path}.index`;
  try {
    const call = { cwd: path, env: { ...content, GIT_WORK_TREE: path, GIT_INDEX_FILE: index }, timeoutMs: TIMEOUT_MS };
    await git.output(["read-tree", commit], call);
    await git.output(["checkout-index", "--all"], call);
  } finally {
    await Deno.remove(index).catch(() => undefined);
  }
}
