/** Worktrees whose making is broken off, meets what is not its own, or comes at the same time as others. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createLog } from "../../src/log.ts";
import { tryLock } from "../../src/storage/kernel_lock.ts";
import { Worktrees } from "../../src/work/worktrees.ts";
import type { Task } from "../../src/task/task.ts";
import { contentsOf, readTree } from "../helpers/directory_tree.ts";
import { type WorkYard, workYard } from "../helpers/work_yard.ts";

const [A, B] = ["0000000a", "0000000b"];

async function prepare({ worktrees }: WorkYard, task: Task, signal = new AbortController().signal): Promise<void> {
  await worktrees.prepare(task, signal);
}

/** What a task's spec says of its worktree. */
function specOf({ spec: { worktree } }: Task): NonNullable<Task["spec"]["worktree"]> {
  assert.ok(worktree !== undefined);
  return worktree;
}

/** The same task with another branch. */
function onBranch(task: Task, branch: string): Task {
  return { ...task, spec: { ...task.spec, worktree: { ...specOf(task), branch } } };
}

/** Worktrees as git knows them. */
async function registered({ repo }: WorkYard): Promise<string> {
  return await repo.git("worktree", "list", "--porcelain");
}

async function branches({ repo }: WorkYard): Promise<string> {
  return await repo.git("branch", "--format=%(refname:short)");
}

/** What a server leaves behind that was killed while it made a worktree, at each step. */
const BROKEN_OFF: readonly {
  readonly after: string;
  readonly leave: (yard: WorkYard, task: Task) => Promise<unknown>;
}[] = [
  { after: "its record was written", leave: () => Promise.resolve() },
  { after: "its branch was made", leave: ({ repo }, task) => repo.git("branch", specOf(task).branch) },
  {
    after: "git had begun with its directory",
    leave: async ({ repo, pathOf }, task) => {
      await repo.git("branch", specOf(task).branch);
      await Deno.mkdir(pathOf(A), { recursive: true });
      await Deno.writeTextFile(join(pathOf(A), ".git"), `gitdir: ${specOf(task).commonDir}/worktrees/${A}\n`);
      const entry = join(specOf(task).commonDir, "worktrees", A);
      await Deno.mkdir(entry, { recursive: true });
      await Deno.writeTextFile(join(entry, "locked"), "initializing\n");
    },
  },
  {
    after: "it was registered",
    leave: ({ repo, pathOf }, task) =>
      repo.git("worktree", "add", "--quiet", "--no-checkout", "--lock", "-b", specOf(task).branch, pathOf(A)),
  },
  {
    after: "some of its files were written",
    leave: async ({ repo, pathOf }, task) => {
      await repo.git("worktree", "add", "--quiet", "--no-checkout", "--lock", "-b", specOf(task).branch, pathOf(A));
      await Deno.writeTextFile(join(pathOf(A), "a"), "ha");
      const entry = join(specOf(task).commonDir, "worktrees", A);
      for (const name of ["index.new", "index.new.lock"]) await Deno.writeTextFile(join(entry, name), "half");
    },
  },
  {
    after: "its setup had begun",
    leave: async (yard, task) => {
      await prepare(yard, task);
      await yard.directories.of(A).write({ spec: specOf(task) });
      await Deno.writeTextFile(join(yard.pathOf(A), "half"), "of the setup\n");
    },
  },
];

for (const { after, leave } of BROKEN_OFF) {
  Deno.test(`a worktree whose making was broken off after ${after} is made whole by the next server`, async () => {
    await using yard = await workYard({ a: "a\n", b: "b\n" });
    const task = await yard.task(A, { setup: "ls >listing" });
    await yard.directories.of(A).write({ spec: specOf(task) });
    await leave(yard, task);
    await prepare(yard, task);
    const files = contentsOf(readTree(yard.pathOf(A)));
    delete files[".git"];
    assert.deepEqual(files, { a: "a\n", b: "b\n", listing: "a\nb\nlisting\n" });
    assert.equal((await registered(yard)).match(new RegExp(`codex-swarm/${A}`, "g"))?.length, 1);
    assert.equal(await branches(yard), `codex-swarm/${A}\nmain`);
    assert.deepEqual(yard.trash(), []);
    assert.equal(
      (await yard.worktrees.keep({ task, prompt: "p", threadId: null, lastMessage: null }))?.problem,
      undefined,
    );
  });

  Deno.test(`a worktree whose making was broken off after ${after} is taken back where its task ends`, async () => {
    await using yard = await workYard({ a: "a\n", b: "b\n" });
    const task = await yard.task(A);
    await yard.directories.of(A).write({ spec: specOf(task) });
    await leave(yard, task);
    assert.equal(await yard.worktrees.keep({ task, prompt: "p", threadId: null, lastMessage: null }), undefined);
    assert.doesNotMatch(await registered(yard), /0000000a/);
    assert.deepEqual([await branches(yard), yard.trash(), await yard.directories.of(A).read()], ["main", [], null]);
    await assert.rejects(Deno.lstat(yard.pathOf(A)), Deno.errors.NotFound);
  });
}

Deno.test("a worktree takes no branch over that another one stands on, nor one that somebody has made", async () => {
  await using yard = await workYard({ a: "a\n" });
  const first = onBranch(await yard.task(A), "codex-swarm/mine");
  await prepare(yard, first);
  const second = onBranch(await yard.task(B), "codex-swarm/mine");
  await assert.rejects(prepare(yard, second), /codex-swarm\/mine/);
  assert.equal(await yard.repo.git("-C", yard.pathOf(A), "rev-parse", "HEAD"), specOf(first).base);
  assert.equal((await registered(yard)).match(/codex-swarm\/mine/g)?.length, 1);
  await yard.repo.git("branch", "codex-swarm/theirs");
  await assert.rejects(prepare(yard, onBranch(second, "codex-swarm/theirs")), /codex-swarm\/theirs/);
  assert.equal(await branches(yard), "codex-swarm/mine\ncodex-swarm/theirs\nmain");
  assert.deepEqual([await yard.directories.of(B).read(), yard.trash()], [null, []]);
});

Deno.test("what stands at the place of a worktree that is to be made stays", async () => {
  await using yard = await workYard({ a: "a\n" });
  await Deno.mkdir(yard.pathOf(A), { recursive: true });
  await Deno.writeTextFile(join(yard.pathOf(A), "mine"), "mine\n");
  await assert.rejects(prepare(yard, await yard.task(A)), /stands there already/);
  assert.equal(await Deno.readTextFile(join(yard.pathOf(A), "mine")), "mine\n");
  assert.deepEqual([await branches(yard), await yard.directories.of(A).read()], ["main", null]);
});

Deno.test("a worktree whose task is cancelled while it is made is taken back", async () => {
  await using yard = await workYard({ a: "a\n" });
  const stop = new AbortController();
  const making = prepare(yard, await yard.task(A), stop.signal);
  stop.abort(new Error("cancelled"));
  await assert.rejects(making, /cancelled/);
  assert.doesNotMatch(await registered(yard), /0000000a/);
  assert.deepEqual([await branches(yard), yard.trash(), await yard.directories.of(A).read()], ["main", [], null]);
});

Deno.test("a lock file that nobody holds is in nobody's way; one that is held has others wait", async () => {
  await using yard = await workYard({ a: "a\n" });
  const task = await yard.task(A);
  const file = join(specOf(task).commonDir, "codex-swarm.lock");
  await Deno.writeTextFile(file, "left by a server that was killed\n");
  await prepare(yard, task);
  const lock = tryLock(file);
  let isMade = false;
  const other = prepare(yard, await yard.task(B)).then(() => isMade = true);
  // Its branch would be there long before this third one of git's.
  await yard.repo.git("status");
  await yard.repo.git("status");
  assert.deepEqual([await branches(yard), isMade], [`codex-swarm/${A}\nmain`, false]);
  lock?.[Symbol.dispose]();
  await other;
  assert.equal(await branches(yard), `codex-swarm/${A}\ncodex-swarm/${B}\nmain`);
});

Deno.test("two servers that make the same worktree at once make it once, and its setup runs once", async () => {
  await using yard = await workYard({ a: "a\n" });
  const { git, content, directories, now } = yard;
  const env = Deno.env.toObject();
  const log = createLog({ level: "ERROR" });
  const other = new Worktrees({ git, content, directories, env, log, now });
  const task = await yard.task(A, { setup: "echo x >>ran" });
  const { signal } = new AbortController();
  await Promise.all([
    prepare(yard, task),
    other.prepare(task, signal),
    prepare(yard, task),
    other.prepare(task, signal),
  ]);
  assert.equal(await Deno.readTextFile(join(yard.pathOf(A), "ran")), "x\n");
});

Deno.test("what was left of a worktree that was never ready goes when it is named", async () => {
  await using yard = await workYard({ a: "a\n" });
  const task = await yard.task(A);
  await prepare(yard, task);
  await yard.directories.of(A).write({ spec: specOf(task) });
  const clean = async (ids: string[] | null): Promise<unknown> =>
    (await yard.work.cleanup({ ids, isRehearsal: false })).map(({ action }) => action);
  yard.busy.add(A);
  assert.deepEqual(await clean([A]), ["keep"]);
  yard.busy.delete(A);
  assert.deepEqual(await clean(null), ["keep"]);
  assert.deepEqual(await clean([A]), ["remove"]);
  assert.deepEqual([await branches(yard), await clean([A])], ["main", []]);
});
