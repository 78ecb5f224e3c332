import assert from "node:assert/strict";
import { join } from "node:path";
import { TASK } from "../helpers/tool_calls.ts";
import { workYard } from "../helpers/work_yard.ts";

Deno.test("Worktrees makes a task's worktree once, and keeps what its agent has done", async () => {
  await using yard = await workYard({
    "packages/a": "a\n",
    ".gitignore": "*.log\n.env\n",
    ".worktreeinclude": ".env\n",
  });
  const { repo, worktrees } = yard;
  await repo.write(".env", "KEY=1\n");
  const task = await yard.task(TASK.id, { inside: "packages/x" });
  const path = yard.pathOf(task.id);
  const prepare = (): Promise<void> => worktrees.prepare(task, new AbortController().signal);
  const worked = { task, prompt: "Do it", threadId: "t-1", lastMessage: "Did it." };
  assert.equal(await worktrees.keep(worked), undefined);
  await prepare();
  assert.equal(await Deno.readTextFile(join(path, ".env")), "KEY=1\n");
  await Deno.writeTextFile(join(task.spec.cwd, "new"), "new\n");
  await Deno.writeTextFile(join(path, "build.log"), "ignored\n");
  const kept = await worktrees.keep(worked);
  assert.deepEqual(kept, {
    snapshot: `refs/codex-swarm/snap/${TASK.id}/1`,
    commit: await repo.git("rev-parse", `codex-swarm/${TASK.id}`),
    files: 1,
    leftOut: [],
    notKept: [],
  });
  // The flow of the predecessor's README.
  await repo.git("merge", "--quiet", `codex-swarm/${TASK.id}`);
  assert.equal(await Deno.readTextFile(join(repo.path, "packages/x/new")), "new\n");
  assert.equal((await Deno.stat(yard.directories.of(task.id).ignored)).isFile, true);
  // HEAD has moved since; from then on nothing has changed.
  const again = { ...kept, snapshot: `refs/codex-swarm/snap/${TASK.id}/2` };
  assert.deepEqual([await worktrees.keep(worked), await worktrees.keep(worked)], [again, again]);
  await prepare();
  // Another one at its place is none of ours.
  await Deno.rename(path, `${path}.mine`);
  await Deno.mkdir(path);
  await assert.rejects(prepare(), /is not the worktree/);
  assert.match((await worktrees.keep(worked))?.problem ?? "", /is not the worktree/);
  assert.deepEqual(Array.from(Deno.readDirSync(path)), []);
});
