import assert from "node:assert/strict";
import { join } from "node:path";
import { findRepository } from "../../src/git/repository.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { tempRepo } from "../helpers/temp_repo.ts";

Deno.test("findRepository() finds the main checkout from any of its directories", async () => {
  await using repo = await tempRepo({ files: { "a/b/c.txt": "" } });
  const expected = { top: repo.path, commonDir: join(repo.path, ".git") };
  assert.deepEqual(await findRepository(repo.path), expected);
  assert.deepEqual(await findRepository(join(repo.path, "a", "b")), expected);
});

Deno.test("findRepository() gives a linked worktree the common directory of its main checkout", async () => {
  await using repo = await tempRepo();
  await using elsewhere = await tempDirectory();
  const top = join(elsewhere.path, "linked");
  await repo.git("worktree", "add", "--quiet", top);
  assert.deepEqual(await findRepository(top), { top, commonDir: join(repo.path, ".git") });
});

Deno.test("findRepository() takes a submodule for a repository of its own", async () => {
  await using library = await tempRepo();
  await using repo = await tempRepo();
  await repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library.path, "library");
  const top = join(repo.path, "library");
  assert.deepEqual(await findRepository(top), { top, commonDir: join(repo.path, ".git", "modules", "library") });
});

Deno.test("findRepository() takes a bare repository for none: nobody can work in it", async () => {
  await using repo = await tempRepo();
  await using elsewhere = await tempDirectory();
  const bare = join(elsewhere.path, "bare.git");
  await repo.git("clone", "--quiet", "--bare", repo.path, bare);
  assert.equal(await findRepository(bare), null);
});

Deno.test("findRepository() finds none outside of all repositories, nor where there is nothing", async () => {
  await using directory = await tempDirectory();
  assert.equal(await findRepository(directory.path), null);
  assert.equal(await findRepository(join(directory.path, "missing", "deep")), null);
  await Deno.writeTextFile(join(directory.path, ".git"), "no pointer\n");
  assert.equal(await findRepository(directory.path), null);
});

Deno.test("findRepository() takes an empty .git directory for none", async () => {
  await using directory = await tempDirectory();
  await Deno.mkdir(join(directory.path, ".git"));
  assert.equal(await findRepository(directory.path), null);
});
