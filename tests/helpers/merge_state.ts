import type { TempRepo } from "./temp_repo.ts";

/** All that a merge could change: refs but snapshots, the index, and what git sees of the files. */
export async function stateOf(repo: TempRepo): Promise<unknown> {
  return [
    await repo.git("for-each-ref", "refs/heads", "refs/tags"),
    await repo.git("ls-files", "--stage"),
    await repo.git("status", "--porcelain", "--ignored"),
    await repo.git("diff", "HEAD"),
  ];
}
