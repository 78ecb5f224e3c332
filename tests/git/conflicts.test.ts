import assert from "node:assert/strict";
import { join } from "node:path";
import { Conflicts } from "../../src/git/conflicts.ts";
import { openContent } from "../../src/git/content_directory.ts";
import { Git } from "../../src/git/git.ts";
import { isIntegrated } from "../../src/git/integrated.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { tempRepo } from "../helpers/temp_repo.ts";

const git = new Git(Deno.env.toObject());

Deno.test("Conflicts tells which work does not go together, and isIntegrated() what is in there already", async () => {
  await using state = await tempDirectory();
  await using repo = await tempRepo({ files: { "a": "1\n", "b": "1\n" } });
  const content =
    (await openContent(git, { commonDir: join(repo.path, ".git"), directory: join(state.path, "content") }))("text");
  const base = await repo.git("rev-parse", "HEAD");
  const commit = async (
    name: string,
    files: Readonly<Record<string, string>>,
  ): Promise<{ id: string; oid: string }> => {
    await repo.git("checkout", "--quiet", "-b", name, base);
    for (const [path, text] of Object.entries(files)) await repo.write(path, text);
    await repo.git("add", "--all");
    await repo.git("commit", "--quiet", `--message=${name}`);
    return { id: name, oid: await repo.git("rev-parse", "HEAD") };
  };
  const works = [
    await commit("x", { "a": "x\n" }),
    await commit("y", { "a": "y\n" }),
    await commit("z", { "b": "z\n" }),
  ];
  assert.deepEqual(await new Conflicts(git).among(works, content), [
    { ids: ["x", "y"], conflicts: ["a"] },
    { ids: ["x", "z"], conflicts: [] },
    { ids: ["y", "z"], conflicts: [] },
  ]);
  const [x, y, z] = works;
  const integrated = async (oid: string | undefined, into: string): Promise<boolean> =>
    await isIntegrated(git, { content, oid: oid ?? "", into: await repo.git("rev-parse", into) });
  await repo.git("checkout", "--quiet", "main");
  assert.equal(await integrated(z?.oid, "main"), false);
  // Squashed: no ancestor, but all of it is there.
  await repo.git("merge", "--quiet", "--squash", z?.oid ?? "");
  await repo.git("commit", "--quiet", "--message=squashed");
  assert.equal(await integrated(z?.oid, "main"), true);
  await repo.git("merge", "--quiet", x?.oid ?? "");
  assert.equal(await integrated(x?.oid, "main"), true);
  assert.equal(await integrated(y?.oid, "main"), false);
  assert.equal(await integrated("0".repeat(40), "main"), false);
});
