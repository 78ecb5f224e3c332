/** Holds a working tree against its snapshot by other means than those that made it. */
import { fieldsOf, textOf } from "./bytes.ts";
import type { Git } from "./git.ts";
import { ignoredNames, type IgnoredNamesOptions } from "./ignored_names.ts";
import { runProgram } from "./run_program.ts";

/**
 * Files that neither the snapshot has nor git ignores, by path. There are none, unless somebody has written since or
 * something is wrong. Throws {@linkcode GitError}.
 */
export async function unkeptFiles(
  git: Git,
  options: IgnoredNamesOptions & {
    /** Object id of the snapshot's tree. */
    readonly tree: string;
    readonly env: Readonly<Record<string, string>>;
  },
): Promise<string[]> {
  const { path, content, tree, env } = options;
  const walk = [".", "-name", ".git", "-prune", "-o", "(", "-type", "f", "-o", "-type", "l", ")", "-print0"];
  const files = fieldsOf(await runProgram("find", walk, { cwd: path, env }));
  const kept = new Set(fieldsOf(await git.output(["ls-tree", "-r", "-z", "--name-only", tree], { env: content })));
  const others = files.filter((name) => !kept.has(name.slice("./".length)));
  const ignored = new Set(await ignoredNames(git, others, options));
  return others.filter((name) => !ignored.has(name)).map((name) => textOf(name.slice("./".length)));
}
