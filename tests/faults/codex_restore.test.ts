/** What a client sees of codex_restore and codex_cleanup. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { offeredCalls } from "../helpers/offered_calls.ts";
import { type Answer, startSwarm, type Swarm } from "../helpers/swarm.ts";
import { lookAt, startTask, waitForTask } from "../helpers/tasks.ts";
import { namesIn } from "../helpers/temp_directory.ts";
import { type TempRepo, tempRepo } from "../helpers/temp_repo.ts";
import { startWork, worked } from "../helpers/worked.ts";

const ignore = Deno.build.os === "windows";

const cleanup = (swarm: Swarm, args: Readonly<Record<string, unknown>> = {}): Promise<Answer> =>
  swarm.call("codex_cleanup", args);
const restore = (swarm: Swarm, args: Readonly<Record<string, unknown>>): Promise<Answer> =>
  swarm.call("codex_restore", args);

/** All refs, and what stands in the directory of worktrees. */
async function stateOf(repo: TempRepo, swarm: Swarm): Promise<unknown> {
  const worktrees = join(swarm.stateDir, "worktrees");
  const names = namesIn(worktrees);
  return [await repo.git("for-each-ref"), names, names.map((name) => namesIn(join(worktrees, name)))];
}

Deno.test(
  { name: "codex_restore brings a task's work back beside what stands, as often as it is asked", ignore },
  async () => {
    await using repo = await tempRepo();
    await using swarm = await startSwarm({ cwd: repo.path });
    const [id = ""] = await worked(swarm, "echo one >one");
    const { worktree_path: path, thread_id: threadId } = await lookAt(swarm, id);
    await swarm.call("codex_reply", { threadId, prompt: "fake:write(one, second)" });
    await Deno.writeTextFile(join(path, "later"), "by hand\n");
    const standing = await restore(swarm, { task_id: id });
    assert.deepEqual(
      [standing.structured.task_id, standing.structured.worktree_path, standing.structured.worktree_branch],
      [id, `${path}.1`, `codex-swarm/${id}.1`],
    );
    assert.deepEqual(namesIn(`${path}.1`), [".git", "README.md", "later", "one"]);
    const nowhere = await restore(swarm, { task_id: id, snapshot: 99 });
    assert.ok(nowhere.isError);
    const numbers = /it has no snapshot 99, but ([\d, ]+)\. Nothing else has changed\.$/.exec(nowhere.text)?.[1] ?? "";
    const first = await restore(swarm, { task_id: id, snapshot: Number(numbers.split(", ")[0]) });
    assert.equal(first.structured.worktree_path, `${path}.2`);
    assert.equal(await Deno.readTextFile(join(`${path}.2`, "one")), "one\n");
    assert.equal((await cleanup(swarm, { task_ids: [id], dry_run: false })).structured.worktrees[0].action, "remove");
    const removed = await restore(swarm, { taskId: id });
    assert.equal(removed.structured.worktree_branch, `codex-swarm/${id}.3`);
    // It can be restored by its own id too; the next one stands beside.
    assert.equal((await restore(swarm, { task_id: `${id}.3` })).structured.worktree_path, `${path}.4`);
    for (const tool of ["codex_restore", "codex_diff", "codex_merge"]) {
      const unknown = await swarm.call(tool, { task_id: "00000000" });
      assert.ok(unknown.isError);
      assert.match(unknown.text, /Cannot find task "00000000": known tasks are/);
    }
    const plain = await restore(swarm, { task_id: await startTask(swarm, "fake:say(x)") });
    assert.ok(plain.isError);
    assert.match(plain.text, /worked in no worktree of its own/);
  },
);

Deno.test(
  { name: "codex_restore gives a worktree in which agents go on, and which can be merged and cleaned", ignore },
  async () => {
    await using repo = await tempRepo();
    await using swarm = await startSwarm({ cwd: repo.path });
    const [id = ""] = await worked(swarm, "echo one >one");
    const { thread_id: threadId } = await lookAt(swarm, id);
    await cleanup(swarm, { task_ids: [id], dry_run: false });
    // The thread's own place is gone: what that says leads on.
    const lost = await swarm.call("codex_reply", { threadId, prompt: "fake:write(two)" });
    assert.ok(lost.isError);
    const [offered] = offeredCalls(lost.text);
    assert.deepEqual(offered, { tool: "codex_restore", args: { task_id: id } });
    const { structured: { worktree_path: cwd, worktree_branch: branch, next } } = await restore(swarm, { task_id: id });
    assert.ok(next.startsWith(`Go on there with codex(cwd="${cwd}", sandbox="workspace-write", `));
    const continued = await swarm.call("codex", { threadId, cwd, prompt: "fake:write(two)" });
    assert.equal(continued.isError, false, continued.text);
    const later = await startTask(swarm, "fake:write(three)", { cwd, sandbox: "workspace-write" });
    const { status, worktree_branch } = await waitForTask(swarm, later, (task) => task.status === "completed");
    assert.deepEqual([status, worktree_branch], ["completed", branch]);
    const { structured } = await swarm.call("codex_diff", { task_id: later, format: "names" });
    assert.deepEqual(structured.files.map(({ path }: { path: string }) => path), ["one", "three", "two"]);
    const merged = await swarm.call("codex_merge", { task_id: later, update_checkout: true });
    assert.equal(merged.structured.merged, true, merged.text);
    assert.deepEqual(namesIn(repo.path), [".git", "README.md", "one", "three", "two"]);
    const { structured: { worktrees } } = await cleanup(swarm, { task_ids: [`${id}.1`], dry_run: false });
    assert.deepEqual([worktrees[0].id, worktrees[0].action, worktrees[0].keeps_branch], [`${id}.1`, "remove", false]);
  },
);

Deno.test({ name: "codex_restore says when the repository is gone, and loses nothing", ignore }, async () => {
  await using repo = await tempRepo();
  await using swarm = await startSwarm({ cwd: repo.path });
  const [id = ""] = await worked(swarm, "echo one >one");
  const { worktree_path: path } = await lookAt(swarm, id);
  await Deno.rename(join(repo.path, ".git"), join(repo.path, ".git.aside"));
  for (
    const [tool, args] of [
      ["codex_restore", { task_id: id }],
      ["codex_diff", { task_id: id }],
      ["codex_merge", { task_id: id }],
    ] as const
  ) {
    const { text, isError } = await swarm.call(tool, args);
    assert.ok(isError, `${tool}: ${text}`);
    assert.match(text, /^Cannot (restore|compare|merge).*(\.git|repository)/, tool);
  }
  const cleaned = await cleanup(swarm, { task_ids: [id], dry_run: false });
  assert.deepEqual([cleaned.structured.worktrees[0].action, namesIn(path)], ["keep", [".git", "README.md", "one"]]);
  assert.deepEqual(namesIn(join(swarm.stateDir, "worktrees")), [id]);
  await Deno.rename(join(repo.path, ".git.aside"), join(repo.path, ".git"));
  assert.equal((await restore(swarm, { task_id: id })).isError, false);
});

Deno.test({ name: "codex_cleanup only says what it would do unless told otherwise", ignore }, async () => {
  await using repo = await tempRepo();
  await using swarm = await startSwarm({ cwd: repo.path });
  const [merged = "", unmerged = "", dirty = ""] = await worked(swarm, "echo 1 >one", "echo 2 >two", "echo 3 >three");
  const running = await startWork(swarm, "echo 4 >four", { goesOn: `fake:say(ready) fake:hold(${swarm.cwd}/go)` });
  await waitForTask(swarm, running, ({ answer }) => answer === "ready");
  await swarm.call("codex_merge", { task_ids: [merged, dirty], update_checkout: true });
  await Deno.writeTextFile(join((await lookAt(swarm, dirty)).worktree_path, "later"), "by hand\n");
  const before = await stateOf(repo, swarm);
  const rehearsal = await cleanup(swarm);
  const told = Object.fromEntries(
    rehearsal.structured.worktrees.map((
      { id, action, reason }: Record<string, string>,
    ) => [id, `${action}: ${reason}`]),
  );
  assert.deepEqual(told, {
    [merged]: "remove: main has all of it",
    [unmerged]: `keep: main has not all of codex-swarm/${unmerged}`,
    [dirty]: `keep: not all of it is on codex-swarm/${dirty}`,
    [running]: `keep: task ${running} works in it`,
  });
  assert.equal(rehearsal.structured.dry_run, true);
  assert.match(
    rehearsal.text,
    /^Would remove 1 of 4 worktrees; dry_run=false does it\.\n.* would remove .* and branch .*: main has all of it; restorable until \d{4}-\d\d-\d\d\n/,
  );
  const named = await cleanup(swarm, { taskIds: [unmerged, running, unmerged] });
  assert.deepEqual(
    named.structured.worktrees.map((
      { id, action, keeps_branch, restorable_until }: Record<string, unknown>,
    ) => [id, action, keeps_branch, restorable_until]),
    [[unmerged, "remove", true, "without end"], [running, "keep", undefined, undefined]],
  );
  assert.match((await cleanup(swarm, { task_ids: ["00000000"] })).text, /^Cannot find task "00000000"/);
  assert.equal((await cleanup(swarm, { task_ids: [] })).structured.worktrees.length, 0);
  assert.deepEqual(await stateOf(repo, swarm), before);
  const done = await cleanup(swarm, { dry_run: false });
  assert.match(done.text, /^Removed 1 of 4 worktrees\.\n/);
  assert.equal(await repo.git("for-each-ref", `refs/heads/codex-swarm/${merged}`), "");
  const again = await cleanup(swarm, { task_ids: [merged] });
  assert.deepEqual(again.structured.worktrees[0].action, "gone");
  await cleanup(swarm, { task_ids: [dirty, unmerged, running], dry_run: false });
  assert.deepEqual(namesIn(join(swarm.stateDir, "worktrees")).filter((name) => !name.startsWith(".")), [running]);
  assert.notEqual(await repo.git("for-each-ref", `refs/heads/codex-swarm/${unmerged}`), "");
  const { structured } = await restore(swarm, { task_id: dirty });
  assert.equal(await Deno.readTextFile(join(structured.worktree_path, "later")), "by hand\n");
});

Deno.test(
  { name: "codex_cleanup stays within bounds with very many worktrees, and tells first what goes", ignore },
  async () => {
    await using repo = await tempRepo();
    await using swarm = await startSwarm({ cwd: repo.path, clientName: "codex-mcp-client" });
    const [id = ""] = await worked(swarm, "echo one >one");
    const work = join(swarm.stateDir, "work");
    const record = await Deno.readTextFile(join(work, id, "work.json"));
    for (let number = 0; number < 100; number++) {
      const other = `000000${number.toString(16).padStart(2, "0")}`;
      await Deno.mkdir(join(work, other));
      await Deno.writeTextFile(join(work, other, "work.json"), record.replaceAll(id, other));
    }
    await swarm.call("codex_merge", { task_id: id, update_checkout: true });
    for (
      const { dry_run, words } of [
        { dry_run: true, words: "Would remove 1 of 101 worktrees; dry_run=false does it." },
        { dry_run: false, words: "Removed 1 of 101 worktrees." },
      ]
    ) {
      const { text, structured } = await cleanup(swarm, { dry_run });
      assert.ok(text.startsWith(`${words}\n${id} `), text.slice(0, 200));
      assert.deepEqual([structured.worktrees[0].id, structured.worktrees[1].action], [id, "keep"]);
      assert.equal(structured.worktrees.length + structured.not_shown, 101);
      assert.ok(text.endsWith(`\n… ${structured.not_shown} more`));
      assert.ok(Math.max(text.length, JSON.stringify(structured).length) <= 10_000);
    }
  },
);
