/** Branches that are merged into an agent's worktree before its next turn. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Task } from "../../src/task/task.ts";
import { contentsOf, readTree } from "../helpers/directory_tree.ts";
import { type WorkYard, workYard } from "../helpers/work_yard.ts";

const A = "0000000a";

/** The same task, told to merge a branch first. */
async function merge(yard: WorkYard, task: Task, branch = "main"): Promise<void> {
  const told: Task = { ...task, spec: { ...task.spec, mergeFirst: `refs/heads/${branch}` } };
  await yard.worktrees.prepare(told, new AbortController().signal);
}

/** Commits a file on a branch in the user's checkout. */
async function commit({ repo }: WorkYard, branch: string, files: Readonly<Record<string, string>>): Promise<string> {
  await repo.git("checkout", "--quiet", "-B", branch);
  for (const [name, text] of Object.entries(files)) await repo.write(name, text);
  await repo.git("add", "--all");
  await repo.git("commit", "--quiet", `--message=${branch}`);
  return await repo.git("rev-parse", "HEAD");
}

/** All that a merge could change: files, staged or not, the branch, and what is written down. */
async function look({ repo, pathOf, directories }: WorkYard): Promise<readonly unknown[]> {
  const { ".git": _own, ...files } = contentsOf(readTree(pathOf(A)));
  const status = await repo.git("-C", pathOf(A), "status", "--porcelain");
  return [files, status, await repo.git("rev-parse", `codex-swarm/${A}`), await directories.of(A).read()];
}

Deno.test("what is merged without conflicts is committed with both parents, though the agent does nothing", async () => {
  await using yard = await workYard({ a: "a\n" });
  const task = await yard.done(A, { x: "x\n" });
  const ours = await yard.repo.git("rev-parse", `codex-swarm/${A}`);
  const theirs = await commit(yard, "main", { y: "y\n" });
  await merge(yard, task);
  assert.equal(await Deno.readTextFile(join(yard.pathOf(A), "y")), "y\n");
  assert.equal(await yard.repo.git("rev-parse", `codex-swarm/${A}`), ours);
  await yard.end(task);
  assert.equal(await yard.repo.git("show", "-s", "--format=%P", `codex-swarm/${A}`), `${ours} ${theirs}`);
  assert.equal(await yard.repo.git("-C", yard.pathOf(A), "status", "--porcelain"), "");
  // It is in by now.
  const before = await look(yard);
  await merge(yard, task);
  assert.deepEqual(await look(yard), before);
});

Deno.test("another branch is not merged into conflicts that are left; the same one is not merged again", async () => {
  await using yard = await workYard({ a: "a\n" });
  const task = await yard.done(A, { a: "theirs\n" });
  await commit(yard, "other", { z: "z\n" });
  await yard.repo.git("checkout", "--quiet", "main");
  await commit(yard, "main", { a: "ours\n" });
  await merge(yard, task);
  const { state: { outcome: { work } } } = await yard.end(task);
  assert.deepEqual([work?.uncommitted, work?.commit], ["conflicts", null]);
  const before = await look(yard);
  await assert.rejects(merge(yard, task, "other"), /conflicts that are not resolved yet/);
  await merge(yard, task);
  await commit(yard, "main", { b: "b\n" });
  await merge(yard, task);
  assert.deepEqual(await look(yard), before);
  // Once they are resolved, all is well (control).
  await Deno.writeTextFile(join(yard.pathOf(A), "a"), "both\n");
  assert.equal((await yard.end(task)).state.outcome.work?.uncommitted, undefined);
  await merge(yard, task, "other");
  assert.equal(await Deno.readTextFile(join(yard.pathOf(A), "z")), "z\n");
});

for (
  const { what, hinder, says } of [
    {
      what: "a file that git does not know is in the way",
      hinder: ({ pathOf }: WorkYard) => Deno.writeTextFile(join(pathOf(A), "y"), "mine\n"),
      says: /y|untracked/,
    },
    {
      what: "a tracked file has changed",
      hinder: ({ pathOf }: WorkYard) => Deno.writeTextFile(join(pathOf(A), "a"), "mine\n"),
      says: /has changes that are on no branch: a/,
    },
    {
      what: "the index is locked",
      hinder: ({ repo }: WorkYard) => Deno.writeTextFile(join(repo.path, ".git/worktrees", A, "index.lock"), ""),
      says: /locked by another git/,
    },
    {
      what: "the agent stands elsewhere",
      hinder: ({ repo, pathOf }: WorkYard) => repo.git("-C", pathOf(A), "checkout", "--quiet", "--detach", "main"),
      says: /stands on|no branch/,
    },
    {
      what: "there is no such branch any more",
      hinder: ({ repo }: WorkYard) => repo.git("branch", "--quiet", "--move", "main", "trunk"),
      says: /there is no branch refs\/heads\/main/,
    },
  ]
) {
  Deno.test(`nothing is merged into a worktree, and nothing has changed, when ${what}`, async () => {
    await using yard = await workYard({ a: "a\n" });
    const task = await yard.done(A, { x: "x\n" });
    await commit(yard, "main", { y: "y\n" });
    await hinder(yard);
    const before = await look(yard);
    await assert.rejects(merge(yard, task), says);
    assert.deepEqual(await look(yard), before);
  });
}

for (
  const { what, isMoved } of [
    { what: "while its files were changed", isMoved: false },
    { what: "when its index had changed too", isMoved: true },
  ]
) {
  for (const isEnded of [false, true]) {
    const then = isEnded
      ? "nothing of that is committed where the task ends"
      : "it is done anew where the task goes on";
    Deno.test(`after a merge that was broken off ${what}, ${then}`, async () => {
      await using yard = await workYard({ a: "a\n", b: "b\n", c: "c\n" });
      const { repo, directories, pathOf } = yard;
      const task = await yard.done(A, { x: "x\n" });
      const from = await repo.git("rev-parse", `codex-swarm/${A}`);
      await Deno.remove(join(repo.path, "b"));
      const theirs = await commit(yard, "main", { a: "changed\n", "d/y": "y\n" });
      const before = await look(yard);
      const to = await repo.git("merge-tree", "--write-tree", from, theirs);
      const record = await directories.of(A).read();
      assert.ok(record !== null);
      await directories.of(A).write({ ...record, turning: { from, to } });
      const own = join(repo.path, ".git", "worktrees", A);
      if (isMoved) await repo.git("-C", pathOf(A), "read-tree", "-m", "-u", from, to);
      else {
        // Some of them, and the lock.
        await Deno.writeTextFile(join(pathOf(A), "a"), "changed\n");
        await Deno.remove(join(pathOf(A), "b"));
        await Deno.copyFile(join(own, "index"), join(own, "index.lock"));
      }
      if (isEnded) {
        assert.equal((await yard.end(task)).state.outcome.work?.commit, from);
        assert.deepEqual((await look(yard)).slice(0, 3), before.slice(0, 3));
      } else {
        await merge(yard, task);
        assert.equal(await Deno.readTextFile(join(pathOf(A), "d/y")), "y\n");
        await yard.end(task);
        assert.equal(await repo.git("show", "-s", "--format=%P", `codex-swarm/${A}`), `${from} ${theirs}`);
        assert.equal(await repo.git("rev-parse", `codex-swarm/${A}^{tree}`), to);
      }
      assert.equal(await repo.git("-C", pathOf(A), "status", "--porcelain"), "");
      assert.equal((await directories.of(A).read())?.turning, undefined);
    });
  }
}
