import { type Git, GitError } from "./git.ts";

/** What git puts before one side of a conflict. */
const MARKER = "^<<<<<<< ";
/** Names in one command, whose length the system limits. */
const MAX_NAMES = 500;

/** Tells whether conflicts are left in any of these files of a tree. Throws {@linkcode GitError}. */
export async function hasConflicts(
  git: Git,
  { content, tree, files }: {
    readonly content: Readonly<Record<string, string>>;
    readonly tree: string;
    readonly files: readonly string[];
  },
): Promise<boolean> {
  const grep = ["grep", "--quiet", "--text", "--basic-regexp", "-e", MARKER, tree, "--"];
  for (let at = 0; at < files.length; at += MAX_NAMES) {
    const names = files.slice(at, at + MAX_NAMES).map((name) => `:(literal,top)${name}`);
    const { exitCode, stderr } = await git.run([...grep, ...names], { env: content });
    if (exitCode === 0) return true;
    if (exitCode !== 1) throw new GitError(`git grep failed: ${stderr.trim().slice(0, 500)}`, exitCode);
  }
  return false;
}
