import { binaryOfText } from "./bytes.ts";
import type { Git } from "./git.ts";

/** Who a commit is by. */
export interface Identity {
  readonly name: string;
  readonly email: string;
}

export interface CommitOptions {
  /** Variables of an {@linkcode openContent}. */
  readonly content: Readonly<Record<string, string>>;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly identity: Identity;
  readonly at: Date;
  /** Default who commits it, then. */
  readonly author?: Identity & { readonly at: Date };
}

/** Writes a commit that no ref points to yet; gives its object id. Throws {@linkcode GitError}. */
export async function writeCommit(git: Git, options: CommitOptions): Promise<string> {
  const { identity, at, parents, tree } = options;
  const committer = { ...identity, at };
  const people = Object.entries({ COMMITTER: committer, AUTHOR: options.author ?? committer }).flatMap((
    [who, { name, email, at }],
  ) => [
    [`GIT_${who}_NAME`, name],
    [`GIT_${who}_EMAIL`, email],
    [`GIT_${who}_DATE`, `@${Math.floor(at.getTime() / 1000)} +0000`],
  ]);
  const args = ["commit-tree", tree, ...parents.flatMap((parent) => ["-p", parent]), "-F", "-"];
  const env = { ...options.content, ...Object.fromEntries(people) };
  return await git.text(args, { env, input: binaryOfText(options.message) });
}

export async function emptyTree(git: Git, content: Readonly<Record<string, string>>): Promise<string> {
  return await git.text(["mktree"], { env: content, input: "" });
}
