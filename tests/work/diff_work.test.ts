import assert from "node:assert/strict";
import { join } from "node:path";
import { diffWork } from "../../src/work/diff_work.ts";
import { mergeWork } from "../../src/work/merge_work.ts";
import type { Task } from "../../src/task/task.ts";
import { SPEC } from "../helpers/example_spec.ts";
import { workYard } from "../helpers/work_yard.ts";

Deno.test("diffWork() tells what an agent has changed, as it stands, by its branch or by its snapshot", async () => {
  await using yard = await workYard({ "a": "a\n", "b": "b\n" });
  const task = await yard.done("0000000a", { "a": "changed\n", "new": "new\n" });
  const path = task.spec.worktree?.path ?? "";
  const diff = (more = {}): ReturnType<typeof diffWork> =>
    diffWork({ task, paths: [], withPatch: false, ...more }, yard);
  const names = async (more = {}): Promise<unknown[]> => {
    const { of, files } = await diff(more);
    return [of, ...files.map(({ kind, path }) => `${kind} ${path}`)];
  };
  assert.deepEqual(await names(), ["worktree", "update a", "add new"]);
  await Deno.writeTextFile(join(path, "later"), "later\n");
  assert.deepEqual(await names(), ["worktree", "update a", "add later", "add new"]);
  assert.deepEqual(await names({ against: `codex-swarm/${task.id}`, paths: ["later", "a"] }), [
    "worktree",
    "add later",
  ]);
  assert.match(
    (await diff({ withPatch: true, paths: ["a"] })).patch?.text ?? "",
    /^diff --git a\/a b\/a\n[^]*-a\n\+changed\n$/,
  );
  await assert.rejects(diff({ against: "nowhere" }), /there is no commit "nowhere"/);
  await Deno.rename(path, `${path}.moved`);
  assert.deepEqual(await names(), ["branch", "update a", "add new"]);
  await yard.repo.git("update-ref", "-d", `refs/heads/codex-swarm/${task.id}`);
  assert.deepEqual(await names(), ["snapshot", "update a", "add new"]);
  assert.deepEqual(
    Array.from(Deno.readDirSync(yard.directories.of(task.id).path), ({ name }) => name).sort(),
    ["commit.index", "commit.index.head", "lock", "snapshot.index", "snapshot.index.head", "work.json"],
  );
});

Deno.test("mergeWork() brings the work of several agents into a branch at once, or changes nothing", async () => {
  await using yard = await workYard({ "a": "1\n2\n3\n" });
  const { repo, git, content } = yard;
  const x = await yard.done("0000000a", { "x": "x\n" });
  const y = await yard.done("0000000b", { "a": "1\n2\ny\n" });
  const z = await yard.done("0000000c", { "a": "1\n2\nz\n" });
  const merge = (tasks: readonly Task[], more = {}): ReturnType<typeof mergeWork> =>
    mergeWork({
      tasks,
      mode: "merge",
      updatesCheckout: true,
      check: null,
      signal: new AbortController().signal,
      ...more,
    }, {
      git,
      content,
      now: () => new Date(),
      isInUse: () => Promise.resolve(null),
    });
  const main = await repo.git("rev-parse", "main");
  await assert.rejects(merge([x, y], { updatesCheckout: false }), /main is checked out in .*update_checkout=true/);
  await assert.rejects(merge([x], { into: "nowhere" }), /there is no branch "nowhere"/);
  await assert.rejects(merge([{ ...x, spec: SPEC }]), /worked in no worktree/);
  await repo.write("a", "mine\n");
  await assert.rejects(merge([x]), /has changes of its own: a\./);
  await repo.write("a", "1\n2\n3\n");
  const conflict = await merge([x, y, z]);
  assert.ok(conflict.kind === "conflict");
  assert.deepEqual([conflict.culprit.id, conflict.merged.files], [z.id, ["a"]]);
  const asked: string[] = [];
  const check = (commit: string, commonDir: string): Promise<string | null> => {
    asked.push(`${commonDir} ${commit}`);
    return Promise.resolve(asked.length === 2 ? "the tests fail" : null);
  };
  const failed = await merge([x, y], { check });
  assert.deepEqual(failed.kind === "check_failed" && [failed.culprit.id, failed.reason, asked.length], [
    y.id,
    "the tests fail",
    2,
  ]);
  assert.deepEqual([await repo.git("rev-parse", "main"), await repo.git("status", "--porcelain")], [main, ""]);
  const merged = await merge([x, y]);
  assert.ok(merged.kind === "merged");
  assert.equal(await repo.git("rev-parse", "main"), merged.to);
  assert.deepEqual([await Deno.readTextFile(join(repo.path, "a")), await Deno.readTextFile(join(repo.path, "x"))], [
    "1\n2\ny\n",
    "x\n",
  ]);
  assert.equal(await repo.git("status", "--porcelain"), "");
  // Of one that has nothing new there is nothing to be checked.
  asked.length = 0;
  const more = await yard.done("0000000d", { "more": "more\n" });
  const third = await merge([x, more], { check });
  assert.ok(third.kind === "merged");
  assert.deepEqual(asked, [`${join(await Deno.realPath(repo.path), ".git")} ${third.to}`]);
  // Another branch, which nobody stands on.
  await repo.git("branch", "other", main);
  const other = await merge([z], { into: "other", updatesCheckout: false, mode: "squash" });
  assert.deepEqual(other.kind === "merged" && [other.checkout, await repo.git("show", "other:a")], [null, "1\n2\nz"]);
});
