/** What is kept of a worktree while its agent, or git, is at it, and whatever the agent does with git there. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { dirtyFiles } from "../../src/git/update_checkout.ts";
import { SnapshotRounds } from "../../src/supervisor/snapshot_rounds.ts";
import { FollowedTask } from "../../src/supervisor/followed_task.ts";
import { TaskDirectory } from "../../src/storage/task_directory.ts";
import type { KeptWork, Task } from "../../src/task/task.ts";
import { startRun } from "../../src/task/transitions.ts";
import { contentsOf, readTree } from "../helpers/directory_tree.ts";
import { TASK } from "../helpers/tool_calls.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { type WorkYard, workYard } from "../helpers/work_yard.ts";

const [A, B] = ["0000000a", "0000000b"];

async function prepared(yard: WorkYard, id = A): Promise<Task> {
  const task = await yard.task(id);
  await yard.worktrees.prepare(task, new AbortController().signal);
  return task;
}

async function keep({ worktrees }: WorkYard, task: Task): Promise<KeptWork> {
  const kept = await worktrees.keep({ task, prompt: "p", threadId: null, lastMessage: null });
  assert.ok(kept !== undefined);
  return kept;
}

async function snapshots({ repo }: WorkYard, id = A): Promise<string[]> {
  const text = await repo.git("for-each-ref", "--format=%(refname:lstrip=4)", `refs/codex-swarm/snap/${id}/`);
  return text.split("\n").filter((line) => line !== "");
}

/** Runs a script in a worktree, as an agent would. */
async function act(yard: WorkYard, script: string): Promise<void> {
  const names = { GIT_AUTHOR_NAME: "A", GIT_AUTHOR_EMAIL: "a@b", GIT_COMMITTER_NAME: "A", GIT_COMMITTER_EMAIL: "a@b" };
  const child = new Deno.Command("bash", { args: ["-ec", script], cwd: yard.pathOf(A), env: names });
  const { success, stderr } = await child.output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

async function prune({ repo }: WorkYard): Promise<void> {
  await repo.git("reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all");
  await repo.git("gc", "--quiet", "--prune=now");
}

function filesIn(path: string): Record<string, string> {
  const { ".git": _own, ...files } = contentsOf(readTree(path));
  return files;
}

Deno.test("an index that git holds hinders no snapshot and no commit; what is the same is kept once", async () => {
  await using yard = await workYard({ a: "a\n" });
  const task = await prepared(yard);
  const lock = join(yard.repo.path, ".git", "worktrees", A, "index.lock");
  await Deno.writeTextFile(lock, "");
  await assert.rejects(yard.repo.git("-C", yard.pathOf(A), "add", "--all"), /index\.lock/);
  await Deno.writeTextFile(join(yard.pathOf(A), "x"), "x\n");
  await yard.worktrees.snapshot(task);
  await yard.worktrees.snapshot(task);
  assert.deepEqual(await snapshots(yard), ["1"]);
  const kept = await keep(yard, task);
  assert.deepEqual([kept.problem, kept.commit], [undefined, await yard.repo.git("rev-parse", `codex-swarm/${A}`)]);
  assert.equal(await yard.repo.git("show", `codex-swarm/${A}:x`), "x");
  assert.equal(await Deno.readTextFile(lock), "");
  await Deno.remove(lock);
});

Deno.test("locks that a killed git has left beside our indexes and snapshots hinder no snapshot and no commit", async () => {
  await using yard = await workYard({ a: "a\n", ".gitignore": "*.log\n" });
  const task = await prepared(yard);
  await act(yard, "echo one > x; git init -q nested; echo n > nested/n; echo i > i.log");
  await yard.worktrees.snapshot(task);
  const { path } = yard.directories.of(A);
  const names = Array.from(Deno.readDirSync(path), ({ name }) => name).filter((name) => name !== "lock");
  assert.ok(names.includes("snapshot.index") && names.includes("snapshot.index.0"), names.join(" "));
  const kinds = ["", ".new", ".tree", ".staged", ".theirs", ".whole"];
  const locks = [...names, "commit.index"].flatMap((name) => kinds.map((kind) => join(path, `${name}${kind}.lock`)));
  locks.push(join(yard.repo.path, ".git", "refs", "codex-swarm", "snap", A, "2.lock"));
  for (const lock of locks) await Deno.writeTextFile(lock, "half");
  await act(yard, "echo two > x; echo staged > y; git add y; echo three > y");
  const kept = await keep(yard, task);
  assert.deepEqual([kept.problem, kept.notKept, await snapshots(yard)], [undefined, [], ["1", "3"]]);
  assert.equal(await yard.repo.git("show", `codex-swarm/${A}:x`), "two");
  await Deno.remove(locks.at(-1) ?? "");
});

Deno.test("what broken-off work has left beside our indexes goes after a while", async () => {
  await using yard = await workYard({ a: "a\n" });
  await prepared(yard);
  const { path } = yard.directories.of(A);
  const [old, young] = [1, 2].map(() => join(path, `snapshot.index.${crypto.randomUUID()}.lock`));
  for (const file of [old, young]) await Deno.writeTextFile(file ?? "", "");
  const long = new Date(Date.now() - 5 * 3_600_000);
  await Deno.utime(old ?? "", long, long);
  await yard.work.age(new Date(0));
  const left = Array.from(Deno.readDirSync(path), ({ name }) => join(path, name));
  assert.deepEqual([left.includes(old ?? ""), left.includes(young ?? "")], [false, true]);
  assert.ok(left.includes(join(path, "work.json")));
});

Deno.test("two snapshots of one worktree at once are one", async () => {
  await using yard = await workYard({ a: "a\n" });
  const task = await prepared(yard);
  await Deno.writeTextFile(join(yard.pathOf(A), "x"), "x\n");
  await Promise.all([1, 2, 3, 4].map(() => yard.worktrees.snapshot(task)));
  assert.deepEqual(await snapshots(yard), ["1"]);
});

/** Settles when the next second begins, so that much can be done before it is over. */
async function nextSecond(): Promise<number> {
  const second = (): number => Math.floor(Date.now() / 1_000);
  const before = second();
  await waitFor(() => second() > before, { message: "the next second" });
  return second();
}

Deno.test("what changes in the second of a snapshot, and keeps its size, is in the next one and in the next commit", async () => {
  await using yard = await workYard({ a: "a\n", x: "1\n" });
  const task = await prepared(yard);
  const x = join(yard.pathOf(A), "x");
  await keep(yard, task);
  for (let isSameSecond = false; !isSameSecond;) {
    await Deno.writeTextFile(x, "2\n");
    const second = await nextSecond();
    await Deno.writeTextFile(x, "3\n");
    await keep(yard, task);
    await Deno.writeTextFile(x, "4\n");
    isSameSecond = Math.floor(Date.now() / 1_000) === second;
  }
  await nextSecond();
  const { snapshot, commit } = await keep(yard, task);
  assert.equal(await yard.repo.git("show", `${snapshot}:x`), "4");
  assert.equal(await yard.repo.git("show", `${commit}:x`), "4");
  assert.equal(await yard.repo.git("-C", yard.pathOf(A), "status", "--porcelain"), "");
  await Deno.writeTextFile(x, "5\n");
  await nextSecond();
  assert.equal(await yard.repo.git("-C", yard.pathOf(A), "status", "--porcelain"), " M x");
});

Deno.test("a file that changed in the second of a commit, and kept its size, is known to have changed", async () => {
  await using yard = await workYard({ x: "1\n" });
  const { repo, git, content } = yard;
  const gitDir = join(await Deno.realPath(repo.path), ".git");
  for (let isSameSecond = false; !isSameSecond;) {
    const second = await nextSecond();
    await repo.write("x", "2\n");
    await repo.git("commit", "--quiet", "--all", "--allow-empty", "--message=x");
    await repo.write("x", "3\n");
    isSameSecond = Math.floor(Date.now() / 1_000) === second;
  }
  await nextSecond();
  const text = (await content.of(gitDir))("text");
  assert.deepEqual(await dirtyFiles(git, { path: repo.path, gitDir, content: text }), ["x"]);
});

for (
  const { what, script } of [
    { what: "lets a file grow", script: "while :; do echo more >>grows; done" },
    { what: "lets an ignored file grow", script: "while :; do echo more >>grows.log; done" },
    { what: "makes files and deletes them", script: "while :; do echo x >t1; echo y >t2; rm t1 t2; done" },
    {
      what: "makes ignored files and deletes them",
      script: "while :; do echo x >t1.log; echo y >t2.log; rm *.log; done",
    },
    { what: "makes directories and deletes them", script: "while :; do mkdir -p d/e; echo x >d/e/f; rm -r d; done" },
  ]
) {
  Deno.test(`a worktree is kept while somebody in it ${what}`, async () => {
    await using yard = await workYard({ a: "a\n", ".gitignore": "*.log\n" });
    const task = await prepared(yard);
    const path = yard.pathOf(A);
    const child = new Deno.Command("sh", { args: ["-c", script], cwd: path, stderr: "null" }).spawn();
    try {
      for (let round = 1; round <= 5; round++) {
        await Deno.writeTextFile(join(path, "x"), `${round}\n`);
        await Deno.writeTextFile(join(path, "own.log"), `${round}\n`);
        const kept = await keep(yard, task);
        assert.equal(kept.problem, undefined);
        assert.equal(await yard.repo.git("show", `${kept.snapshot}:x`), `${round}`);
        assert.equal(await yard.repo.git("show", `${kept.commit}:x`), `${round}`);
      }
    } finally {
      child.kill("SIGKILL");
      await child.status;
    }
  });
}

/** What an agent that may write to the repository does with git. */
const GIT_WAYS: readonly { readonly what: string; readonly script: string; readonly subjects: readonly string[] }[] = [
  {
    what: "detaches, commits and deletes its branch",
    script: `git checkout -q --detach; echo 1 >one; git add one; git commit -qm one; git branch -qD codex-swarm/${A}`,
    subjects: ["one"],
  },
  {
    what: "deletes the branch that it stands on",
    script: `echo 1 >one; git add one; git commit -qm one; git update-ref -d refs/heads/codex-swarm/${A}; echo 2 >two`,
    subjects: ["one"],
  },
  {
    what: "switches to a branch of its own and back, and deletes that",
    script: `git checkout -qb side; echo 1 >one; git add one; git commit -qm one; git checkout -q codex-swarm/${A}
git branch -qD side; echo 2 >two`,
    subjects: ["one"],
  },
  {
    what: "commits and resets",
    script: "echo 1 >one; git add one; git commit -qm one; git reset -q --hard HEAD~1; echo 2 >two",
    subjects: ["one"],
  },
  {
    what: "amends and rebases",
    script: `echo 1 >one; git add one; git commit -qm one; git commit -q --amend -m amended; echo 2 >two; git add two
git commit -qm two; git rebase -q --onto HEAD~2 HEAD~1`,
    subjects: ["one", "amended", "two"],
  },
  {
    what: "begins a branch without a history",
    script: "echo 1 >one; git add one; git commit -qm one; git checkout -q --orphan fresh; git rm -rqf .; echo 2 >two",
    subjects: ["one"],
  },
  {
    what: "is in the midst of a bisection",
    script: `for n in 1 2 3; do echo $n >file; git add file; git commit -qm "n$n"; done
git bisect start -q HEAD HEAD~3 >/dev/null; git checkout -q HEAD~1 2>/dev/null`,
    subjects: ["n1", "n2", "n3"],
  },
];

for (const { what, script, subjects } of GIT_WAYS) {
  for (const isKept of [true, false]) {
    const name = isKept
      ? `all that an agent has committed is restored that ${what}`
      : `without a snapshot that is lost which an agent has committed that ${what} (control)`;
    Deno.test(name, async () => {
      await using yard = await workYard({ a: "a\n" });
      const task = await prepared(yard);
      await act(yard, script);
      const before = filesIn(yard.pathOf(A));
      if (isKept) assert.equal((await keep(yard, task)).problem, undefined);
      await Deno.remove(yard.pathOf(A), { recursive: true });
      await yard.repo.git("worktree", "unlock", yard.pathOf(A));
      await yard.repo.git("worktree", "prune", "--expire=now");
      for (const ref of (await yard.repo.git("for-each-ref", "--format=%(refname)", "refs/heads/")).split("\n")) {
        if (ref !== "refs/heads/main") await yard.repo.git("update-ref", "-d", ref);
      }
      await prune(yard);
      const known = (await yard.repo.git("log", "--all", "--format=%s")).split("\n");
      assert.deepEqual(subjects.filter((subject) => known.includes(subject)), isKept ? subjects : []);
      if (isKept) assert.deepEqual(filesIn((await yard.work.restore({ id: A })).spec.path), before);
      else await assert.rejects(yard.work.restore({ id: A }), /no snapshot of it is in /);
    });
  }
}

/** What may come to stand at a worktree's place. */
const OTHERS: readonly { readonly what: string; readonly put: (yard: WorkYard) => Promise<unknown> }[] = [
  {
    what: "another directory",
    put: async (yard) => {
      await Deno.mkdir(yard.pathOf(A));
      await Deno.writeTextFile(join(yard.pathOf(A), "mine"), "mine\n");
    },
  },
  {
    what: "a copy of it",
    put: (yard) => new Deno.Command("cp", { args: ["-a", `${yard.pathOf(A)}.moved`, yard.pathOf(A)] }).output(),
  },
  { what: "a link to where it is now", put: (yard) => Deno.symlink(`${yard.pathOf(A)}.moved`, yard.pathOf(A)) },
  { what: "another task's worktree", put: (yard) => Deno.rename(yard.pathOf(B), yard.pathOf(A)) },
  { what: "nothing", put: () => Promise.resolve() },
];

/** Files below a directory with what they hold, and links with where they lead. */
async function entriesIn(path: string): Promise<string> {
  const script = "find . -type l -printf '%p -> %l\\n' -o -printf '%p %y %i %s\\n' | sort";
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script], cwd: path }).output();
  return new TextDecoder().decode(stdout);
}

for (const { what, put } of OTHERS) {
  Deno.test(`nothing is kept, made or taken away with ${what} at a worktree's place, and that is said`, async () => {
    await using yard = await workYard({ a: "a\n" });
    const task = await prepared(yard);
    await prepared(yard, B);
    await Deno.rename(yard.pathOf(A), `${yard.pathOf(A)}.moved`);
    await put(yard);
    const look = async (): Promise<unknown> => [
      await entriesIn(join(yard.state, "worktrees")),
      await yard.repo.git("for-each-ref"),
      await snapshots(yard),
    ];
    const before = await look();
    assert.match((await keep(yard, task)).problem ?? "", /is not the worktree/);
    await yard.worktrees.snapshot(task);
    await assert.rejects(yard.worktrees.prepare(task, new AbortController().signal), /is not the worktree/);
    if (what !== "nothing") {
      const [entry] = await yard.work.cleanup({ ids: [A], isRehearsal: false });
      assert.deepEqual([entry?.action, /is not the worktree/.test(entry?.reason ?? "")], ["keep", true]);
    }
    assert.deepEqual(await look(), before);
  });
}

Deno.test("rounds of snapshots go through running agents, one round at a time", async () => {
  const queued: Task = { ...TASK, id: A, state: { status: "queued" } };
  const running = startRun({ ...queued, id: B }, {
    at: new Date(),
    run: 1,
    input: "prompt.txt",
    prompts: 0,
  });
  const own = [queued, running].map((task) => new FollowedTask(task, new TaskDirectory("/nowhere", task.id)));
  const begun: string[] = [];
  let release: () => void = () => undefined;
  const worktrees = {
    snapshot: ({ id }: Task): Promise<void> => {
      begun.push(id);
      return new Promise((resolve) => release = resolve);
    },
  };
  const rounds = new SnapshotRounds({ own: () => own, worktrees, everyMs: 1 });
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  rounds.start();
  rounds.start();
  await waitFor(() => ticks > 20, { message: "time to pass" });
  assert.deepEqual(begun, [B]);
  release();
  await waitFor(() => begun.length === 2, { message: "the next round" });
  rounds.stop();
  clearInterval(timer);
  release();
});

Deno.test("a name that git takes into no commit keeps nothing else from being kept", async () => {
  await using yard = await workYard({ "a": "a\n" });
  const task = await yard.task("0000000a");
  await yard.worktrees.prepare(task, new AbortController().signal);
  const path = yard.pathOf(task.id);
  await Deno.mkdir(join(path, ".GIT"));
  for (const name of [".GIT/f", "git~1", "new"]) await Deno.writeTextFile(join(path, name), `${name}\n`);
  await Deno.symlink("a", join(path, ".gitmodules"));
  const { state } = await yard.end(task);
  assert.deepEqual(state.outcome.work?.notKept, [".GIT/f", ".gitmodules"]);
  const files = async (ref: string): Promise<string> => await yard.repo.git("ls-tree", "-r", "--name-only", ref);
  assert.equal(await files(`codex-swarm/${task.id}`), "a\nnew");
  assert.equal(await files(state.outcome.work?.snapshot ?? ""), "a\ngit~1\nnew");
  // What no snapshot has is not taken away.
  const [entry] = await yard.work.cleanup({ ids: [task.id], isRehearsal: false });
  assert.equal(entry?.action, "keep");
});
