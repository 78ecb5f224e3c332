import assert from "node:assert/strict";
import { join } from "node:path";
import { openContent } from "../../src/git/content_directory.ts";
import { Git } from "../../src/git/git.ts";
import { removeWorktree } from "../../src/git/remove_worktree.ts";
import { readSnapshot, restoreSnapshot } from "../../src/git/restore.ts";
import { takeSnapshot } from "../../src/git/snapshot.ts";
import { checkOut, registerWorktree } from "../../src/git/worktree.ts";
import { contentsOf, readTree } from "../helpers/directory_tree.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { tempRepo } from "../helpers/temp_repo.ts";

const git = new Git(Deno.env.toObject());

Deno.test("a worktree that was removed is restored as it was, from its snapshot alone", async () => {
  await using state = await tempDirectory();
  await using repo = await tempRepo({
    files: { ".gitattributes": "*.crlf text eol=crlf\n", "a.crlf": "a\n", "b": "b\n" },
  });
  const commonDir = join(await Deno.realPath(repo.path), ".git");
  const base = await repo.git("rev-parse", "HEAD");
  const content = await openContent(git, { commonDir, directory: join(state.path, "content") });
  const planOf = (name: string): Parameters<typeof registerWorktree>[1] => ({
    commonDir,
    path: join(state.path, "worktrees", name),
    branch: `codex-swarm/${name}`,
    base,
    reason: `codex-swarm:${name}`,
  });
  const plan = planOf("0123abcd");
  const { path } = plan;
  const { gitDir } = await registerWorktree(git, plan);
  await checkOut(git, { path, gitDir, base, content: content("text") });
  assert.equal(await Deno.readTextFile(join(path, "a.crlf")), "a\r\n");
  await Deno.writeTextFile(join(path, "new.crlf"), "lone\nand\r\n");
  await Deno.writeTextFile(join(path, "b"), "staged");
  await repo.git("-C", path, "add", "b");
  await Deno.writeTextFile(join(path, "b"), "changed\0");
  await Deno.writeTextFile(join(path, "run"), "#!/bin/sh\n", { mode: 0o755 });
  await Deno.symlink("b", join(path, "link"));
  await repo.git("init", "--quiet", join(path, "inside"));
  await Deno.writeTextFile(join(path, "inside", "file"), "inside");
  const inside = ["-C", join(path, "inside"), "-c", "user.name=n", "-c", "user.email=e"];
  await repo.git(...inside, "add", "file");
  await repo.git(...inside, "commit", "--quiet", "--message=inside");
  await repo.git(...inside, "tag", "--annotate", "--message=t", "v1");
  const before = filesOf(path);
  const { oid } = await takeSnapshot(git, {
    commonDir,
    gitDir,
    path,
    content: content("raw"),
    index: join(state.path, "index"),
    refs: "refs/codex-swarm/snap/0123abcd",
    message: "Snapshot",
    identity: { name: "n", email: "e" },
    at: new Date(),
  });
  const place = join(state.path, "trash", "moved");
  const alone = (work: () => Promise<void>): Promise<void> => work();
  const check = async (): Promise<void> => assert.ok((await Deno.stat(join(place, "new.crlf"))).isFile);
  // Whoever looks last can still say no; all is as it was then.
  await assert.rejects(
    removeWorktree(git, {
      commonDir,
      path,
      place,
      reason: "test",
      alone,
      check: () => Promise.reject(new Error("no")),
    }),
  );
  assert.deepEqual(filesOf(path), before);
  assert.match(await repo.git("worktree", "list"), /0123abcd/);
  await removeWorktree(git, { commonDir, path, place, reason: "test", alone, check });
  assert.doesNotMatch(await repo.git("worktree", "list"), /0123abcd/);
  // Twice does no harm.
  await removeWorktree(git, {
    commonDir,
    path,
    place: `${place}.2`,
    reason: "test",
    alone,
    check: () => Promise.reject(new Error("no")),
  });
  await Deno.remove(place, { recursive: true });
  await repo.git("reflog", "expire", "--expire=now", "--all");
  await repo.git("gc", "--quiet", "--prune=now");
  const again = {
    ...planOf("restored"),
    base: (await readSnapshot(git, { snapshot: oid, content: content("raw") })).head ?? "",
  };
  const made = await registerWorktree(git, again);
  const head = again.base;
  await restoreSnapshot(git, { snapshot: oid, made, path: again.path, commonDir, head, content: content("raw") });
  assert.deepEqual(filesOf(again.path), before);
  assert.equal(await repo.git("-C", again.path, "cat-file", "-p", ":b"), "staged");
  assert.equal(await repo.git("-C", join(again.path, "inside"), "log", "--format=%s", "v1"), "inside");
  assert.equal(await repo.git("-C", join(again.path, "inside"), "status", "--porcelain"), "");
});

/** With the modes of those that are no links; without what is git's. */
function filesOf(path: string): [string, string, number][] {
  return Object.entries(contentsOf(readTree(path))).filter(([name]) => !/(^|\/)\.git(\/|$)/.test(name)).map((
    [name, content],
  ): [string, string, number] => [name, content, (Deno.lstatSync(join(path, name)).mode ?? 0) & 0o170111]).sort();
}
