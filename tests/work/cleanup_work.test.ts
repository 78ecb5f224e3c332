import assert from "node:assert/strict";
import { join } from "node:path";
import type { CleanupEntry } from "../../src/work/cleanup_work.ts";
import { contentsOf, readTree } from "../helpers/directory_tree.ts";
import { type WorkYard, workYard } from "../helpers/work_yard.ts";

const DAY_MS = 86_400_000;
const [A, B] = ["0000000a", "0000000b"];

/** Files of a worktree without git's own. */
function filesIn(path: string): Record<string, string> {
  const files = Object.entries(contentsOf(readTree(path))).filter(([name]) => name !== ".git");
  return Object.fromEntries(files);
}

function words(entries: readonly CleanupEntry[]): string[] {
  return entries.map(({ spec, action, isBranchGone, restorableUntil }) =>
    [spec.id, action, ...(isBranchGone ? ["branch"] : []), restorableUntil === null ? "for ever" : "for a while"].join(
      " ",
    )
  );
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

Deno.test("cleaning up takes away what is merged, and what is named but for its branch; all of it is restored", async () => {
  await using yard = await workYard({ "a": "a\n", ".gitignore": "*.log\n" });
  const { repo, work } = yard;
  await yard.done(A, { "x": "x\n", "own.log": "ignored\n" });
  await yard.done(B, { "y": "y\n" });
  await repo.git("merge", "--quiet", `codex-swarm/${A}`);
  const before = [filesIn(yard.pathOf(A)), filesIn(yard.pathOf(B))];
  const clean = async (ids: string[] | null, isRehearsal = false): Promise<string[]> =>
    words(await work.cleanup({ ids, isRehearsal }));
  const rehearsed = [`${A} remove branch for ever`, `${B} keep for ever`];
  assert.deepEqual(await clean(null, true), rehearsed);
  assert.deepEqual([await isThere(yard.pathOf(A)), await isThere(yard.pathOf(B))], [true, true]);
  assert.deepEqual(await clean(null), rehearsed);
  assert.deepEqual([await isThere(yard.pathOf(A)), await isThere(yard.pathOf(B))], [false, true]);
  assert.equal(await repo.git("branch", "--list", `codex-swarm/${A}`), "");
  assert.deepEqual(await clean([B]), [`${B} remove for ever`]);
  assert.notEqual(await repo.git("branch", "--list", `codex-swarm/${B}`), "");
  assert.doesNotMatch(await repo.git("worktree", "list"), /0000000/);
  assert.deepEqual(await clean(null), [`${A} gone branch for ever`, `${B} gone for ever`]);
  await yard.emptyTrash();
  await repo.git("gc", "--quiet", "--prune=now");
  for (const [index, id] of [A, B].entries()) {
    const { spec } = await work.restore({ id });
    assert.deepEqual([spec.id, spec.branch], [`${id}.1`, `codex-swarm/${id}.1`]);
    assert.deepEqual(filesIn(spec.path), before[index]);
    assert.equal(await repo.git("-C", spec.path, "status", "--porcelain"), "");
    assert.deepEqual((await yard.worktrees.at(join(await Deno.realPath(spec.path), "sub")))?.id, `${id}.1`);
  }
  assert.equal((await work.restore({ id: A })).spec.id, `${A}.2`);
});

Deno.test("cleaning up leaves for the next time what it has no time for, and says so", async () => {
  await using yard = await workYard({ "a": "a\n" });
  await yard.done(A, {});
  await yard.done(B, {});
  const looks = async (timeMs?: number): Promise<string[]> =>
    (await yard.work.cleanup({ ids: null, isRehearsal: false, ...(timeMs === undefined ? {} : { timeMs }) }))
      .map(({ action }) => action);
  assert.deepEqual(await looks(-1), ["later", "later"]);
  assert.deepEqual([await isThere(yard.pathOf(A)), await isThere(yard.pathOf(B))], [true, true]);
  assert.deepEqual(await looks(), ["remove", "remove"]);
});

/** Something that must keep a worktree where it is, and what is then said. */
const KEEPERS: readonly {
  readonly what: string;
  readonly says: RegExp;
  readonly keep: (yard: WorkYard) => Promise<() => Promise<unknown>> | (() => Promise<unknown>);
}[] = [
  {
    what: "a task that works in it",
    says: /^task 0000000a works in it$/,
    keep: (yard) => {
      yard.busy.add(A);
      return () => Promise.resolve(yard.busy.delete(A));
    },
  },
  {
    what: "a process in it",
    says: /^process \d+ works in it$/,
    keep: (yard) => {
      const child = new Deno.Command("sleep", { args: ["1000"], cwd: yard.pathOf(A) }).spawn();
      return () => {
        child.kill("SIGKILL");
        return child.status;
      };
    },
  },
  {
    what: "another server at it",
    says: /^another server is at it$/,
    keep: async (yard) => {
      const lock = await yard.directories.of(A).lock(0);
      return () => Promise.resolve(lock?.[Symbol.dispose]());
    },
  },
  {
    what: "its place, where something else stands",
    says: /is not the worktree that the agent has worked in/,
    keep: async (yard) => {
      const path = yard.pathOf(A);
      await Deno.rename(path, `${path}.moved`);
      await Deno.mkdir(path);
      await Deno.writeTextFile(join(path, "mine"), "mine\n");
      return async () => {
        await Deno.remove(path, { recursive: true });
        await Deno.rename(`${path}.moved`, path);
      };
    },
  },
];

for (const { what, says, keep } of KEEPERS) {
  Deno.test(`a worktree is not taken away with ${what}`, async () => {
    await using yard = await workYard({ "a": "a\n" });
    await yard.done(A, { "x": "x\n" });
    const release = await keep(yard);
    const before = filesIn(yard.pathOf(A));
    try {
      const [entry] = await yard.work.cleanup({ ids: [A], isRehearsal: false });
      assert.equal(entry?.action, "keep");
      assert.match(entry.reason, says);
      assert.deepEqual(filesIn(yard.pathOf(A)), before);
    } finally {
      await release();
    }
    // It goes when that is over (control).
    assert.equal((await yard.work.cleanup({ ids: [A], isRehearsal: false }))[0]?.action, "remove");
  });
}

for (
  const { what, change } of [
    {
      what: "a file that was written after the last turn",
      change: (path: string) => Deno.writeTextFile(join(path, "late"), "late\n"),
    },
    {
      what: "a commit that no branch has",
      change: async (path: string): Promise<void> => {
        const git = (...args: string[]): Promise<unknown> =>
          new Deno.Command("git", { args: ["-C", path, "-c", "user.name=n", "-c", "user.email=e", ...args] }).output();
        const branch = `codex-swarm/${A}`;
        await git("checkout", "--quiet", "--detach");
        await Deno.writeTextFile(join(path, "late"), "late\n");
        await git("add", "late");
        await git("commit", "--quiet", "--message=late");
        await git("checkout", "--quiet", branch);
      },
    },
  ]
) {
  Deno.test(`a worktree that is merged but for ${what} is kept by itself, and restored with it`, async () => {
    await using yard = await workYard({ "a": "a\n" });
    const { repo, work } = yard;
    await yard.done(A, { "x": "x\n" });
    await repo.git("merge", "--quiet", `codex-swarm/${A}`);
    assert.deepEqual(words(await work.cleanup({ ids: null, isRehearsal: true })), [`${A} remove branch for a while`]);
    await change(yard.pathOf(A));
    const [entry] = await work.cleanup({ ids: null, isRehearsal: false });
    assert.deepEqual([entry?.action, entry?.reason], ["keep", `not all of it is on codex-swarm/${A}`]);
    const [named] = await work.cleanup({ ids: [A], isRehearsal: false });
    assert.deepEqual([named?.action, named?.restorableUntil], ["remove", null]);
    yard.pass(100 * DAY_MS);
    await work.age(yard.now());
    await repo.git("reflog", "expire", "--expire=now", "--all");
    await repo.git("gc", "--quiet", "--prune=now");
    const { spec, snapshot } = await work.restore({ id: A });
    assert.match(snapshot, new RegExp(`^refs/codex-swarm/snap/${A}/\\d+$`));
    const kept = await repo.git("log", "--format=%s", `${snapshot}^@`);
    const isFileThere = await isThere(join(spec.path, "late"));
    assert.ok(isFileThere || /^late$/m.test(kept));
  });
}

Deno.test("old worktrees go by themselves; what is merged is forgotten after a while, the rest never", async () => {
  await using yard = await workYard({ "a": "a\n" });
  const { repo, work } = yard;
  await yard.done(A, { "x": "x\n" });
  await yard.done(B, { "y": "y\n" });
  await repo.git("merge", "--quiet", `codex-swarm/${A}`);
  const snapshots = async (id: string): Promise<boolean> =>
    (await repo.git("for-each-ref", `refs/codex-swarm/snap/${id}/`, `refs/codex-swarm/done/${id}`)) !== "";
  const trashed = (): number => yard.trash().length;
  await work.age(new Date(yard.now().getTime() - DAY_MS));
  assert.deepEqual([await isThere(yard.pathOf(A)), await isThere(yard.pathOf(B))], [true, true]);
  yard.pass(2 * DAY_MS);
  await work.age(new Date(yard.now().getTime() - DAY_MS));
  assert.deepEqual([await isThere(yard.pathOf(A)), await isThere(yard.pathOf(B))], [false, false]);
  assert.deepEqual([await snapshots(A), await snapshots(B), trashed()], [true, true, 2]);
  yard.pass(15 * DAY_MS);
  await work.age(yard.now());
  assert.deepEqual([await snapshots(A), await snapshots(B), trashed()], [false, true, 0]);
  assert.deepEqual(await yard.directories.ids(), [B]);
  await assert.rejects(work.restore({ id: A }), /has worked in no worktree/);
  // Merged at last, it is kept for as long again.
  await repo.git("merge", "--quiet", "--message=m", `codex-swarm/${B}`);
  await work.age(yard.now());
  assert.equal(await snapshots(B), true);
  yard.pass(15 * DAY_MS);
  await work.age(yard.now());
  assert.deepEqual([await snapshots(B), await yard.directories.ids()], [false, []]);
});

Deno.test("an old worktree in which somebody has written since stays for as long again", async () => {
  await using yard = await workYard({ "a": "a\n" });
  await yard.done(A, { "x": "x\n" });
  const age = (): Promise<void> => yard.work.age(new Date(yard.now().getTime() - DAY_MS));
  yard.pass(2 * DAY_MS);
  await Deno.writeTextFile(join(yard.pathOf(A), "mine"), "by hand\n");
  await age();
  await age();
  assert.equal(await isThere(yard.pathOf(A)), true);
  yard.pass(2 * DAY_MS);
  await age();
  assert.equal(await isThere(yard.pathOf(A)), false);
  const { spec } = await yard.work.restore({ id: A });
  assert.equal(await Deno.readTextFile(join(spec.path, "mine")), "by hand\n");
});

Deno.test("what was put aside is looked through once before it is deleted", async () => {
  await using yard = await workYard({ "a": "a\n" });
  await yard.done(A, { "x": "x\n" });
  await yard.work.cleanup({ ids: [A], isRehearsal: false });
  yard.pass(15 * DAY_MS);
  await yard.work.age(yard.now());
  assert.deepEqual(yard.trash(), []);
  assert.equal((await yard.directories.of(A).read())?.removed?.trash, null);
});

/** What an agent may leave that is on no branch, though all that is on its branch is merged. */
const OWN: readonly {
  readonly what: string;
  readonly script: string;
  readonly goes: boolean;
  readonly file: string;
}[] = [
  {
    what: "a repository inside",
    script: "git init -q n; cd n; echo own >f; git add f; git -c user.name=a -c user.email=a@b commit -qm own",
    goes: false,
    file: "n/f",
  },
  { what: "an ignored file", script: "echo own >result.log", goes: true, file: "result.log" },
  {
    what: "something staged",
    script: "echo own >s; git add s; rm s",
    goes: false,
    file: "",
  },
];

for (const { what, script, goes, file } of OWN) {
  Deno.test(`a worktree whose agent has left nothing but ${what} is restored without end`, async () => {
    await using yard = await workYard({ "a": "a\n", ".gitignore": "*.log\n" });
    const task = await yard.task(A);
    await yard.worktrees.prepare(task, new AbortController().signal);
    await new Deno.Command("sh", { args: ["-c", script], cwd: yard.pathOf(A) }).output();
    await yard.end(task);
    const [entry] = await yard.work.cleanup({ ids: null, isRehearsal: false });
    assert.deepEqual([entry?.action, entry?.restorableUntil], [goes ? "remove" : "keep", null], entry?.reason);
    for (let round = 0; round < 3; round++) {
      yard.pass(15 * DAY_MS);
      await yard.work.age(new Date(yard.now().getTime() - 14 * DAY_MS));
    }
    assert.equal(await isThere(yard.pathOf(A)), false);
    await yard.repo.git("gc", "--quiet", "--prune=now");
    const { spec } = await yard.work.restore({ id: A });
    if (file !== "") assert.equal(await Deno.readTextFile(join(spec.path, file)), "own\n");
    else assert.equal(await yard.repo.git("-C", spec.path, "show", ":s"), "own");
  });
}
