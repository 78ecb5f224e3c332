import assert from "node:assert/strict";
import { join } from "node:path";
import { openContent } from "../../src/git/content_directory.ts";
import { Git } from "../../src/git/git.ts";
import { type Snapshot, takeSnapshot } from "../../src/git/snapshot.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { type TempRepo, tempRepo } from "../helpers/temp_repo.ts";

const git = new Git(Deno.env.toObject());

async function snapshot(repo: TempRepo, state: string): Promise<Snapshot> {
  const commonDir = join(repo.path, ".git");
  const content = await openContent(git, { commonDir, directory: join(state, "content") });
  return await takeSnapshot(git, {
    commonDir,
    gitDir: commonDir,
    path: repo.path,
    content: content("raw"),
    index: join(state, "index"),
    refs: "refs/codex-swarm/snap/0123abcd",
    message: "Snapshot",
    identity: { name: "n", email: "e" },
    at: new Date(),
  });
}

Deno.test("takeSnapshot() keeps all that a working tree holds, also after gc", async () => {
  await using state = await tempDirectory();
  await using repo = await tempRepo({ files: { "a.txt": "a\n", "both.txt": "first\n" } });
  const base = await repo.git("rev-parse", "HEAD");
  // A commit that nothing reaches any more.
  await repo.git("checkout", "--quiet", "--detach");
  await repo.write("lost.txt", "lost\n");
  await repo.git("add", "lost.txt");
  await repo.git("commit", "--quiet", "--message=Lost");
  const lost = await repo.git("rev-parse", "HEAD");
  await repo.git("checkout", "--quiet", "main");
  // Staged, and changed since.
  await repo.write("both.txt", "staged\n");
  await repo.git("add", "both.txt");
  await repo.write("both.txt", "changed\n");
  await repo.git("init", "--quiet", "inside");
  await repo.write("inside/file", "inside\n");
  await repo.git("-C", "inside", "add", "file");
  await repo.git("-C", "inside", "-c", "user.name=n", "-c", "user.email=e", "commit", "--quiet", "--message=inside");
  const inside = await repo.git("-C", "inside", "rev-parse", "HEAD");
  const first = await snapshot(repo, state.path);
  assert.deepEqual([first.ref, first.isOld, first.head?.oid], ["refs/codex-swarm/snap/0123abcd/1", false, base]);
  const again = await snapshot(repo, state.path);
  assert.deepEqual([again.ref, again.oid, again.isOld], [first.ref, first.oid, true]);
  await repo.git("reflog", "expire", "--expire=now", "--all");
  await Deno.remove(join(repo.path, "inside"), { recursive: true });
  await repo.git("reset", "--quiet", "--hard");
  await repo.git("gc", "--quiet", "--prune=now");
  const show = (name: string): Promise<string> => repo.git("cat-file", "-p", name);
  assert.equal(await show(`${first.oid}:both.txt`), "changed");
  assert.equal(await show(`${first.oid}^2:both.txt`), "staged");
  assert.equal(await show(`${first.oid}:inside/file`), "inside");
  assert.equal(await show(`${inside}:file`), "inside");
  assert.equal(await show(`${lost}:lost.txt`), "lost");
  await repo.write("a.txt", "b\n");
  assert.equal((await snapshot(repo, state.path)).ref, "refs/codex-swarm/snap/0123abcd/2");
});

Deno.test("takeSnapshot() keeps all sides of a merge in conflict", async () => {
  await using state = await tempDirectory();
  await using repo = await tempRepo({ files: { "a.txt": "base\n" } });
  await repo.git("checkout", "--quiet", "-b", "side");
  await repo.write("a.txt", "theirs\n");
  await repo.git("commit", "--quiet", "--all", "--message=theirs");
  const side = await repo.git("rev-parse", "HEAD");
  await repo.git("checkout", "--quiet", "main");
  await repo.write("a.txt", "ours\n");
  await repo.git("commit", "--quiet", "--all", "--message=ours");
  await assert.rejects(repo.git("merge", "side"));
  const { oid } = await snapshot(repo, state.path);
  const staged = (await repo.git("ls-tree", "-r", "--name-only", `${oid}^2`)).split("\n");
  assert.deepEqual(staged, [".conflict/1/a.txt", ".conflict/2/a.txt", ".conflict/3/a.txt"]);
  await repo.git("merge-base", "--is-ancestor", side, oid);
});

for (const backend of ["merge", "apply"]) {
  Deno.test(`takeSnapshot() keeps what a rebase that stands still has put aside, with --${backend}`, async () => {
    await using repo = await diverged();
    await assert.rejects(repo.git("rebase", "--quiet", `--${backend}`, "--autostash", "side"));
    assert.equal(await keptOf(repo, "aside.txt"), "put aside");
  });
}

Deno.test("takeSnapshot() keeps what a merge that stands still has put aside", async () => {
  await using repo = await diverged();
  await assert.rejects(repo.git("merge", "--quiet", "--autostash", "side"));
  assert.equal(await keptOf(repo, "aside.txt"), "put aside");
});

Deno.test("takeSnapshot() keeps commits that only a ref of the working tree's own has", async () => {
  await using repo = await tempRepo();
  await repo.write("aside.txt", "put aside\n");
  await repo.git("add", "aside.txt");
  const commit = await repo.git("commit-tree", await repo.git("write-tree"), "-m", "Aside");
  await repo.git("update-ref", "refs/worktree/aside", commit);
  await repo.git("reset", "--quiet", "--hard");
  assert.equal(await keptOf(repo, "aside.txt", { without: "refs/worktree/aside" }), "put aside");
});

/** A repository whose branches main and side conflict, with a change of its own. */
async function diverged(): Promise<TempRepo> {
  const repo = await tempRepo({ files: { "a.txt": "base\n", "aside.txt": "base\n" } });
  await repo.git("checkout", "--quiet", "-b", "side");
  await repo.write("a.txt", "theirs\n");
  await repo.git("commit", "--quiet", "--all", "--message=theirs");
  await repo.git("checkout", "--quiet", "main");
  await repo.write("a.txt", "ours\n");
  await repo.git("commit", "--quiet", "--all", "--message=ours");
  await repo.write("aside.txt", "put aside\n");
  return repo;
}

/** The file in the commit that has put it aside, if the snapshot's parents, but for what stands there now, reach that. */
async function keptOf(repo: TempRepo, name: string, { without }: { readonly without?: string } = {}): Promise<string> {
  await using state = await tempDirectory();
  const { oid } = await snapshot(repo, state.path);
  if (without !== undefined) await repo.git("update-ref", "-d", without);
  const commits = (await repo.git("rev-list", `${oid}^@`)).split("\n");
  const texts = await Promise.all(commits.map((commit) => repo.git("show", `${commit}:${name}`).catch(() => "")));
  return texts.find((text) => text === "put aside") ?? texts.join(", ");
}
