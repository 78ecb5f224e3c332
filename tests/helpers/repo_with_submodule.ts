import { type TempRepo, tempRepo } from "./temp_repo.ts";

/** A repository with a submodule at `sub`, committed, in which there is one file. */
export async function repoWithSubmodule(options?: Parameters<typeof tempRepo>[0]): Promise<TempRepo> {
  const inside = await tempRepo({ files: { file: "file\n" } });
  const repo = await tempRepo(options);
  await repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inside.path, "sub");
  await repo.git("commit", "--quiet", "--message=sub");
  return {
    ...repo,
    [Symbol.asyncDispose]: async () => {
      await repo[Symbol.asyncDispose]();
      await inside[Symbol.asyncDispose]();
    },
  };
}
