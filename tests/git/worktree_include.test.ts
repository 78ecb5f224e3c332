import assert from "node:assert/strict";
import { join } from "node:path";
import { openContent } from "../../src/git/content_directory.ts";
import { Git } from "../../src/git/git.ts";
import { copyIncluded } from "../../src/git/worktree_include.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { type TempRepo, tempRepo } from "../helpers/temp_repo.ts";

const git = new Git(Deno.env.toObject());

/** Copies what the repository's checkout has to a worktree of its first commit; gives the names. */
async function include(repo: TempRepo, state: string): Promise<{ readonly path: string; readonly copied: string[] }> {
  const top = await Deno.realPath(repo.path);
  const gitDir = join(top, ".git");
  const path = join(state, "worktree");
  await repo.git("worktree", "add", "--quiet", "--detach", path, "main");
  const content = await openContent(git, { commonDir: gitDir, directory: join(state, "content") });
  return { path, copied: (await copyIncluded(git, { top, gitDir, path, content: content("text") })).toSorted() };
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

Deno.test("copyIncluded() copies what .worktreeinclude names and nobody tracks, as it is", async () => {
  await using state = await tempDirectory();
  await using repo = await tempRepo({ files: { ".gitignore": ".env*\nbig/\n", "tracked.env": "1\n", kept: "1\n" } });
  await repo.write(
    ".worktreeinclude",
    "# what agents need\n.env*\n!.env.prod\n/big/*.bin\n*.env\nkept\n../outside\n/etc/passwd\n",
  );
  for (const name of [".env", ".env.prod", "sub/.env.local", "big/a.bin", "big/a.txt", "untracked.env"]) {
    await repo.write(name, `${name}\n`);
  }
  await Deno.chmod(join(repo.path, ".env"), 0o600);
  await repo.write("tracked.env", "changed\n");
  const { path, copied } = await include(repo, state.path);
  assert.deepEqual(copied, [".env", "big/a.bin", "sub/.env.local", "untracked.env"]);
  assert.equal(await Deno.readTextFile(join(path, "sub/.env.local")), "sub/.env.local\n");
  assert.equal(
    (await Deno.stat(join(path, ".env"))).mode ?? 0 & 0o777,
    (await Deno.stat(join(repo.path, ".env"))).mode,
  );
  assert.equal(await Deno.readTextFile(join(path, "tracked.env")), "1\n");
  assert.deepEqual([await isThere(join(path, ".env.prod")), await isThere(join(path, "big/a.txt"))], [false, false]);
});

Deno.test("copyIncluded() copies nothing where nothing says what", async () => {
  await using state = await tempDirectory();
  await using repo = await tempRepo({ files: { ".gitignore": ".env\n" } });
  await repo.write(".env", "1\n");
  assert.deepEqual((await include(repo, state.path)).copied, []);
});

Deno.test("copyIncluded() follows no link, neither from where nor to where it copies", async () => {
  await using state = await tempDirectory();
  await using outside = await tempDirectory();
  await Deno.writeTextFile(join(outside.path, "secret"), "secret\n");
  await using repo = await tempRepo({ files: { ".gitignore": "*.key\n", ".worktreeinclude": "*.key\nout\n" } });
  await Deno.symlink(outside.path, join(repo.path, "conf"));
  await repo.git("add", "conf");
  await repo.git("commit", "--quiet", "--message=conf");
  await Deno.remove(join(repo.path, "conf"));
  await repo.write("conf/a.key", "a\n");
  await repo.write("b.key", "b\n");
  await Deno.symlink(join(outside.path, "secret"), join(repo.path, "link.key"));
  await Deno.symlink(outside.path, join(repo.path, "out"));
  const { path, copied } = await include(repo, state.path);
  assert.deepEqual(copied, ["b.key", "link.key", "out"]);
  assert.equal(await Deno.readLink(join(path, "link.key")), join(outside.path, "secret"));
  assert.equal(await Deno.readLink(join(path, "out")), outside.path);
  assert.deepEqual(Array.from(Deno.readDirSync(outside.path), ({ name }) => name), ["secret"]);
});

Deno.test("copyIncluded() goes on past repositories, and what else it cannot copy", async () => {
  await using state = await tempDirectory();
  await using repo = await tempRepo({ files: { ".worktreeinclude": "vendor/\nin/\n", in: "a file\n" } });
  await repo.write("vendor/a", "a\n");
  await repo.write("vendor/lib/b", "b\n");
  await new Deno.Command("git", { args: ["init", "--quiet", join(repo.path, "vendor/lib")] }).output();
  await Deno.remove(join(repo.path, "in"));
  await repo.write("in/the/way", "here\n");
  const { path, copied } = await include(repo, state.path);
  assert.deepEqual(copied, ["vendor/a"]);
  assert.equal(await Deno.readTextFile(join(path, "in")), "a file\n");
});
