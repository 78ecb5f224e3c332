import { join } from "node:path";
import { binaryOfText, fieldsOf } from "./bytes.ts";
import { type Git, GitError } from "./git.ts";

export interface IgnoredNamesOptions {
  /** Top of the working tree. */
  readonly path: string;
  /** Variables of a raw {@linkcode openContent}. */
  readonly content: Readonly<Record<string, string>>;
  /** Index of the working tree's snapshots: what is tracked is not ignored. */
  readonly index: string;
  /** Paths of the repositories inside, each of which ignores what it likes. */
  readonly repositories: readonly string[];
}

/** Those of the names, as find(1) gives them below `.`, that git ignores. Throws {@linkcode GitError}. */
export async function ignoredNames(
  git: Git,
  names: readonly string[],
  { path, content, index, repositories }: IgnoredNamesOptions,
): Promise<string[]> {
  // The deepest first.
  const inside = repositories.map((name) => `./${binaryOfText(name)}/`).toSorted((a, b) => b.length - a.length);
  const groups = Map.groupBy(names, (name) => inside.find((prefix) => name.startsWith(prefix)) ?? "./");
  const ignored: string[] = [];
  for (const [prefix, group] of groups) {
    const isTop = prefix === "./";
    const top = isTop ? path : join(path, repositories.find((name) => `./${binaryOfText(name)}/` === prefix) ?? "");
    const env = { ...content, GIT_WORK_TREE: top, GIT_INDEX_FILE: isTop ? index : `${index}.none` };
    const input = group.map((name) => `./${name.slice(prefix.length)}\0`).join("");
    const { exitCode, stdout, stderr } = await git.run(["check-ignore", "-z", "--stdin"], { cwd: top, env, input });
    // 1: none is.
    if (exitCode > 1) throw new GitError(`git check-ignore failed: ${stderr.trim().slice(0, 500)}`, exitCode);
    ignored.push(...fieldsOf(stdout).map((name) => prefix + name.slice("./".length)));
  }
  return ignored;
}
