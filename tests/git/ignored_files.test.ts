import assert from "node:assert/strict";
import { join } from "node:path";
import { openContent } from "../../src/git/content_directory.ts";
import { Git } from "../../src/git/git.ts";
import { IGNORED_LIMITS, keepIgnored, restoreIgnored } from "../../src/git/ignored_files.ts";
import { copyIncluded } from "../../src/git/worktree_include.ts";
import { contentsOf, readTree } from "../helpers/directory_tree.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { type TempRepo, tempRepo } from "../helpers/temp_repo.ts";

const git = new Git(Deno.env.toObject());
const env = { PATH: Deno.env.get("PATH") ?? "" };

async function contentOf(repo: TempRepo, state: string): Promise<Readonly<Record<string, string>>> {
  return (await openContent(git, { commonDir: join(repo.path, ".git"), directory: join(state, "content") }))("raw");
}

Deno.test("keepIgnored() keeps the ignored files that have changed, and names those that are too large", async () => {
  await using state = await tempDirectory();
  await using repo = await tempRepo({ files: { ".gitignore": "*.log\n.env\nnode_modules/\nbig\n" } });
  await using other = await tempDirectory();
  await repo.write("old.log", "old\n");
  const changedAt = (await Deno.stat(join(repo.path, "old.log"))).mtime ?? new Date();
  const since = new Date(changedAt.getTime() + 21);
  const mine = {
    "d/new.log": "new\n",
    "odd\nname.log": "odd\n",
    ".env": "KEY=1\n",
    "node_modules/x.log": "x",
    "no.txt": "tracked by the snapshot",
  };
  // The clock of the file system is a coarse one.
  const probe = join(state.path, "probe");
  do await Deno.writeTextFile(probe, ""); while (((await Deno.stat(probe)).mtime ?? changedAt) <= since);
  for (const [name, text] of Object.entries(mine)) await repo.write(name, text);
  await Deno.writeTextFile(join(other.path, ".env"), "KEY=1\n");
  await Deno.symlink("nowhere", join(repo.path, "link.log"));
  await Deno.truncate(
    (await Deno.writeTextFile(join(repo.path, "big"), ""), join(repo.path, "big")),
    IGNORED_LIMITS.eachBytes + 1,
  );
  const archive = join(state.path, "ignored.tar");
  const options = {
    path: repo.path,
    content: await contentOf(repo, state.path),
    index: join(state.path, "index"),
    repositories: [],
    since,
    except: other.path,
    archive,
    env,
  };
  assert.deepEqual(await keepIgnored(git, options), { kept: 3, notKept: ["big"] });
  assert.equal(((await Deno.stat(archive)).mode ?? 0) & 0o777, 0o600);
  await using place = await tempDirectory();
  await restoreIgnored({ path: place.path, archive, env });
  assert.equal(await Deno.readLink(join(place.path, "link.log")), "nowhere");
  await Deno.remove(join(place.path, "link.log"));
  assert.deepEqual(contentsOf(readTree(place.path)), { "d/new.log": "new\n", "odd\nname.log": "odd\n" });
});

Deno.test("copyIncluded() copies what .worktreeinclude names and git does not know, and overwrites nothing", async () => {
  await using state = await tempDirectory();
  await using place = await tempDirectory();
  await using repo = await tempRepo({
    files: { ".gitignore": ".env*\n", ".worktreeinclude": ".env*\n!.env.prod\nconf/\ntracked\n", "tracked": "t" },
  });
  for (const name of [".env", ".env.prod", ".env.mine", "conf/a/b", "other"]) await repo.write(name, `theirs: ${name}`);
  await Deno.writeTextFile(join(place.path, ".env.mine"), "mine");
  const options = {
    top: repo.path,
    gitDir: join(repo.path, ".git"),
    path: place.path,
    content: await contentOf(repo, state.path),
  };
  assert.deepEqual((await copyIncluded(git, options)).sort(), [".env", "conf/a/b"]);
  assert.deepEqual(contentsOf(readTree(place.path)), {
    ".env": "theirs: .env",
    ".env.mine": "mine",
    "conf/a/b": "theirs: conf/a/b",
  });
  await Deno.remove(join(repo.path, ".worktreeinclude"));
  assert.deepEqual(await copyIncluded(git, options), []);
});
