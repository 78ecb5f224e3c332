/** One odd thing in a worktree keeps nothing else from being kept, and is named where it is not kept itself. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Worktrees } from "../../src/work/worktrees.ts";
import { createLog } from "../../src/log.ts";
import { WorkDirectories, WorkDirectory } from "../../src/storage/work_directory.ts";
import { findRepository } from "../../src/git/repository.ts";
import { removeWork } from "../../src/work/remove_work.ts";
import type { KeptWork, Task } from "../../src/task/task.ts";
import { namesIn } from "../helpers/temp_directory.ts";
import { type WorkYard, workYard } from "../helpers/work_yard.ts";

const A = "0000000a";
const ignore = Deno.build.os === "windows";

async function prepared(yard: WorkYard): Promise<Task> {
  const task = await yard.task(A);
  await yard.worktrees.prepare(task, new AbortController().signal);
  return task;
}

async function keep(worktrees: Worktrees, task: Task): Promise<KeptWork> {
  const kept = await worktrees.keep({ task, prompt: "p", threadId: null, lastMessage: null });
  assert.ok(kept !== undefined);
  return kept;
}

/** Runs a script in the worktree, as its agent would. */
async function act(yard: WorkYard, script: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("sh", { args: ["-ec", script], cwd: yard.pathOf(A) }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

const GIT = "git -c user.name=Agent -c user.email=agent@example.com";

const ODD: readonly { readonly what: string; readonly script: string; readonly notKept: readonly string[] }[] = [
  { what: "a tracked file is a named pipe by now", script: "rm a; mkfifo a", notKept: ["a"] },
  { what: "a tracked file is a socket by now", script: SOCKET("d/b"), notKept: ["d/b"] },
  {
    what: "a repository inside has a commit, but no file",
    script: `git init --quiet nested; cd nested; ${GIT} commit --quiet --allow-empty --message=empty`,
    notKept: [],
  },
  { what: "a repository inside has neither a commit nor a file", script: "git init --quiet nested", notKept: [] },
  {
    what: "no file of a repository inside was checked out",
    script: `git init --quiet from; cd from; echo x >x; git add x; ${GIT} commit --quiet --message=x; cd ..
git clone --quiet --no-checkout from nested; rm -rf from`,
    notKept: [],
  },
];

function SOCKET(path: string): string {
  return `rm ${path}; perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => "${path}", Listen => 1) or die'`;
}

for (const { what, script, notKept } of ODD) {
  Deno.test({ name: `all else is kept and committed where ${what}`, ignore }, async () => {
    await using yard = await workYard({ a: "a\n", "d/b": "b\n" });
    const task = await prepared(yard);
    await act(yard, `${script}`);
    await act(yard, "echo new >new");
    const kept = await keep(yard.worktrees, task);
    assert.deepEqual([kept.problem, kept.notKept], [undefined, notKept]);
    const words = [kept.snapshot, kept.commit].map((oid) => yard.repo.git("show", `${oid}:new`));
    assert.deepEqual(await Promise.all(words), ["new", "new"]);
  });
}

Deno.test({ name: "a pipe in the place of a file in conflict holds up nothing", ignore }, async () => {
  await using yard = await workYard({ a: "a\n" });
  const { repo } = yard;
  const task = await yard.done(A, { a: "theirs\n" });
  await repo.write("a", "ours\n");
  await repo.git("commit", "--quiet", "--all", "--message=ours");
  await yard.worktrees.prepare(
    { ...task, spec: { ...task.spec, mergeFirst: "refs/heads/main" } },
    new AbortController().signal,
  );
  // As it stands it is in conflict (control).
  assert.equal((await keep(yard.worktrees, task)).uncommitted, "conflicts");
  await act(yard, "mv a b; mkfifo pipe; ln -s pipe a");
  const kept = await keep(yard.worktrees, task);
  assert.deepEqual([kept.problem, kept.uncommitted], [undefined, undefined]);
  assert.equal(await repo.git("cat-file", "-p", `${kept.commit}:a`), "pipe");
});

Deno.test({ name: "a pipe in the place of a worktree's .git holds up nobody", ignore }, async () => {
  await using yard = await workYard({ a: "a\n" });
  const task = await prepared(yard);
  await act(yard, "mv .git .git.mine; mkfifo .git");
  assert.match((await keep(yard.worktrees, task)).problem ?? "", /is not the worktree/);
  assert.equal(await findRepository(yard.pathOf(A)), null);
  // As it was, it is kept (control).
  await act(yard, "mv .git.mine .git");
  assert.equal((await keep(yard.worktrees, task)).problem, undefined);
});

Deno.test({ name: "where no tar can run, all but ignored files is kept, and nothing removed", ignore }, async () => {
  await using yard = await workYard({ a: "a\n", ".gitignore": "*.log\n" });
  const task = await prepared(yard);
  await act(yard, "echo new >new; echo ignored >build.log");
  const bin = join(yard.state, "bin");
  await Deno.mkdir(bin);
  await Deno.writeTextFile(join(bin, "tar"), "#!/bin/sh\necho 'tar: no such option' >&2\nexit 64\n", { mode: 0o755 });
  const env = { ...Deno.env.toObject(), PATH: `${bin}:${Deno.env.get("PATH")}` };
  const { git, content, directories, now } = yard;
  const worktrees = new Worktrees({ git, content, directories, now, env, log: createLog({ level: "ERROR" }) });
  const kept = await keep(worktrees, task);
  assert.equal(kept.problem, undefined);
  assert.match(kept.notKept.join(), /^files that git ignores \(tar failed: .*no such option\)$/);
  assert.equal(await yard.repo.git("show", `${kept.commit}:new`), "new");
  const removal = await removeWork(directories.of(A), { git, content, now, env, isInUse: () => Promise.resolve(null) });
  assert.match(removal.kind === "kept" ? removal.reason : "", /^files that git ignores .* cannot be read$/);
  // With a tar they are (control).
  assert.deepEqual((await keep(yard.worktrees, task)).notKept, []);
});

Deno.test("what somebody has written since a merge was broken off is in a snapshot before it is taken back", async () => {
  for (const isEnded of [false, true]) {
    await using yard = await workYard({ a: "a\n", b: "b\n" });
    const { repo, directories, pathOf } = yard;
    const task = await yard.done(A, { x: "x\n" });
    const from = await repo.git("rev-parse", `codex-swarm/${A}`);
    await repo.write("d", "d\n");
    await repo.git("add", "--all");
    await repo.git("commit", "--quiet", "--message=theirs");
    const to = await repo.git("merge-tree", "--write-tree", from, "main");
    const record = await directories.of(A).read();
    assert.ok(record !== null);
    await directories.of(A).write({ ...record, turning: { from, to } });
    const mine = { b: "edited since\n", d: "mine\n" };
    for (const [name, text] of Object.entries(mine)) await Deno.writeTextFile(join(pathOf(A), name), text);
    if (isEnded) await yard.end(task);
    else await yard.worktrees.prepare(task, new AbortController().signal);
    // It was taken back (control).
    assert.equal(await Deno.readTextFile(join(pathOf(A), "b")), "b\n");
    const show = (name: string): Promise<string> => repo.git("show", `refs/codex-swarm/snap/${A}/2:${name}`);
    assert.deepEqual([await show("b"), await show("d")], ["edited since", "mine"]);
  }
});

Deno.test("a turn is kept though a snapshot takes as long as git may", async () => {
  await using yard = await workYard({ a: "a\n" });
  const task = await prepared(yard);
  const waits: number[] = [];
  class HeldDirectory extends WorkDirectory {
    override lock(waitMs: number): Promise<Disposable | null> {
      waits.push(waitMs);
      return Promise.resolve(null);
    }
  }
  class HeldDirectories extends WorkDirectories {
    override of(id: string): WorkDirectory {
      return new HeldDirectory(super.of(id).path, id);
    }
  }
  const { git, content, now } = yard;
  const directories = new HeldDirectories(join(yard.state, "work"));
  const log = createLog({ level: "ERROR" });
  const worktrees = new Worktrees({ git, content, directories, now, env: Deno.env.toObject(), log });
  const { problem } = await keep(worktrees, task);
  assert.equal(problem, "a snapshot or another server is at its worktree for long already");
  assert.ok(waits.length === 1 && waits.every((waitMs) => waitMs > 10 * 60_000), `it waits ${waits} ms`);
});

Deno.test("keeping work leaves no half-written index behind, also where it fails", async () => {
  await using yard = await workYard({ a: "a\n" });
  const task = await prepared(yard);
  const place = yard.directories.of(A).path;
  await yard.worktrees.snapshot(task);
  const before = namesIn(place);
  // What git reads first is none of its own.
  const objects = join(yard.repo.path, ".git", "objects");
  await Deno.rename(objects, `${objects}.away`);
  assert.notEqual((await keep(yard.worktrees, task)).problem, undefined);
  await Deno.rename(`${objects}.away`, objects);
  assert.deepEqual(namesIn(place), before);
});
