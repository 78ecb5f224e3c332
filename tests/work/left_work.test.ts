/** Whatever an agent leaves in its worktree, and whatever becomes of that: all of it can be restored. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fingerprint, isWhole, KINDS, type LeftKind, MID_REBASE, repoForAll, scriptOf } from "../helpers/left_work.ts";
import { namesIn, tempDirectory } from "../helpers/temp_directory.ts";
import { type WorkYard, workYard } from "../helpers/work_yard.ts";

const ID = "0000000a";
const DAY_MS = 86_400_000;

async function leave(path: string, kinds: readonly LeftKind[]): Promise<ReadonlyMap<string, string>> {
  const child = new Deno.Command("sh", { args: ["-c", scriptOf(kinds)], cwd: path, env: { HOME: path } });
  const { success, stderr } = await child.output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return await fingerprint(path);
}

/** Takes away all that git keeps without being asked to. */
async function prune({ repo }: WorkYard): Promise<void> {
  await repo.git("reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all");
  await repo.git("gc", "--quiet", "--prune=now");
}

const EVENTS: readonly { readonly what: string; readonly happen: (yard: WorkYard) => Promise<unknown> }[] = [
  { what: "its user deletes the directory", happen: (yard) => Deno.remove(yard.pathOf(ID), { recursive: true }) },
  {
    what: "its user deletes it and has git prune worktrees",
    happen: async (yard) => {
      await yard.repo.git("worktree", "unlock", yard.pathOf(ID));
      await Deno.remove(yard.pathOf(ID), { recursive: true });
      await yard.repo.git("worktree", "prune", "--expire=now");
    },
  },
  {
    what: "its user has git remove it by force, and its branch",
    happen: async (yard) => {
      await yard.repo.git("worktree", "unlock", yard.pathOf(ID));
      await yard.repo.git("worktree", "remove", "--force", "--force", yard.pathOf(ID)).catch(async () => {
        // Git refuses with submodules.
        await Deno.remove(yard.pathOf(ID), { recursive: true });
        await yard.repo.git("worktree", "prune", "--expire=now");
      });
      await yard.repo.git("update-ref", "-d", `refs/heads/codex-swarm/${ID}`);
    },
  },
  {
    what: "it is cleaned up by name, and the trash is emptied",
    happen: async (yard) => {
      const [entry] = await yard.work.cleanup({ ids: [ID], isRehearsal: false });
      assert.deepEqual([entry?.action, entry?.notKept], ["remove", []]);
      await yard.emptyTrash();
    },
  },
  {
    what: "it ages out, and years pass",
    happen: async (yard) => {
      yard.pass(2 * DAY_MS);
      await yard.work.age(new Date(yard.now().getTime() - DAY_MS));
      await assert.rejects(Deno.lstat(yard.pathOf(ID)), Deno.errors.NotFound);
      yard.pass(1_000 * DAY_MS);
      await yard.work.age(yard.now());
    },
  },
];

for (const { what, happen } of EVENTS) {
  for (const kinds of [KINDS, [MID_REBASE]]) {
    const name = kinds.length === 1 ? MID_REBASE.name : "of every kind";
    Deno.test(`work ${name} in a worktree is restored after ${what}`, async (t) => {
      await using repo = await repoForAll();
      await using yard = await workYard({}, { repo });
      const task = await yard.task(ID);
      await yard.worktrees.prepare(task, new AbortController().signal);
      const before = await leave(yard.pathOf(ID), kinds);
      await yard.end(task);
      assert.deepEqual(await fingerprint(yard.pathOf(ID)), before, "keeping work leaves the worktree as it is");
      await happen(yard);
      await prune(yard);
      const { spec } = await yard.work.restore({ id: ID });
      for (const kind of kinds) {
        await t.step(kind.name, async () => {
          assert.ok(await isWhole(kind, { path: spec.path, before }));
        });
      }
      assert.deepEqual(await fingerprint(spec.path), before);
    });
  }
}

Deno.test("without snapshots no kind of work outlives its worktree (control)", async (t) => {
  for (const kinds of [KINDS, [MID_REBASE]]) {
    await using repo = await repoForAll();
    await using yard = await workYard({}, { repo });
    const task = await yard.task(ID);
    await yard.worktrees.prepare(task, new AbortController().signal);
    const before = await leave(yard.pathOf(ID), kinds);
    // As other tools go about it.
    await repo.git("worktree", "unlock", yard.pathOf(ID));
    await Deno.remove(yard.pathOf(ID), { recursive: true });
    await repo.git("worktree", "prune", "--expire=now");
    await repo.git("update-ref", "-d", `refs/heads/codex-swarm/${ID}`);
    for (const branch of (await repo.git("branch", "--format=%(refname)", "--list", "side-*")).split("\n")) {
      if (branch !== "") await repo.git("update-ref", "-d", branch);
    }
    await prune(yard);
    await assert.rejects(yard.work.restore({ id: ID }), /no snapshot of it is in \S+\. Nothing else has changed/);
    await repo.git("worktree", "add", "--quiet", "--detach", yard.pathOf(ID), "main");
    for (const kind of kinds) {
      await t.step(kind.name, async () => {
        assert.equal(await isWhole(kind, { path: yard.pathOf(ID), before }), kind.isGitsOwn === true);
      });
    }
  }
});

Deno.test("what was staged is staged again", async () => {
  await using repo = await repoForAll();
  await using yard = await workYard({}, { repo });
  const task = await yard.task(ID);
  await yard.worktrees.prepare(task, new AbortController().signal);
  await leave(yard.pathOf(ID), KINDS.filter(({ name }) => name === "staged"));
  await yard.worktrees.snapshot(task);
  await Deno.remove(yard.pathOf(ID), { recursive: true });
  const { spec } = await yard.work.restore({ id: ID });
  assert.equal(await repo.git("-C", spec.path, "show", ":staged"), "staged");
  assert.equal(await Deno.readTextFile(join(spec.path, "staged")), "staged\nlater\n");
});

/** A task that has left this, as `script` says, after each of its turns. */
async function after(yard: WorkYard, scripts: readonly string[]): Promise<void> {
  const task = await yard.task(ID);
  for (const script of scripts) {
    await yard.worktrees.prepare(task, new AbortController().signal);
    await leave(yard.pathOf(ID), [{ name: "turn", script, paths: [] }]);
    await yard.end(task);
  }
}

Deno.test("a nested repository moves no branch of the user's, whatever its path says", async () => {
  await using yard = await workYard({ a: "a\n" });
  const main = await yard.repo.git("rev-parse", "main");
  await after(yard, [
    `git clone --quiet "$(git rev-parse --git-common-dir)" inside; cd inside
git -c user.name=n -c user.email=e commit --quiet --allow-empty --message=evil
path=$(printf 'x\nNested: %s refs/heads/main .' "$(git rev-parse HEAD)"); cd ..
mkdir -p "$(dirname "$path")" x; touch x/keep; mv inside "$path"`,
  ]);
  const { spec, notes } = await yard.work.restore({ id: ID });
  assert.equal(await yard.repo.git("rev-parse", "main"), main);
  assert.equal(await yard.repo.git("-C", spec.path, "symbolic-ref", "HEAD"), `refs/heads/${spec.branch}`);
  assert.deepEqual(notes, []);
});

Deno.test("an ignored directory that became a link leads nothing out of a restored worktree", async () => {
  await using outside = await tempDirectory();
  await using yard = await workYard({ a: "a\n" });
  await after(yard, [
    "echo d/ >.gitignore; mkdir d; echo evil >d/post-checkout",
    `rm -r d .gitignore; ln -s ${outside.path} d`,
  ]);
  const { spec } = await yard.work.restore({ id: ID });
  assert.deepEqual(namesIn(outside.path), []);
  assert.deepEqual(namesIn(spec.path), [".git", "a", "d"]);
  assert.equal(await Deno.readLink(join(spec.path, "d")), outside.path);
});

Deno.test("an archive of ignored files is unpacked through no link of the snapshot's", async () => {
  await using outside = await tempDirectory();
  await using yard = await workYard({ a: "a\n" });
  await after(yard, ["echo d/ >.gitignore; mkdir d; echo evil >d/post-checkout"]);
  const archive = yard.directories.of(ID).ignored;
  const kept = await Deno.readFile(archive);
  await after(yard, [`rm -r d; ln -s ${outside.path} d`]);
  // As a server leaves it that is killed between the snapshot and its archive.
  await Deno.writeFile(archive, kept);
  await Deno.remove(yard.pathOf(ID), { recursive: true });
  const { spec } = await yard.work.restore({ id: ID });
  assert.deepEqual(namesIn(outside.path), []);
  assert.equal(await Deno.readLink(join(spec.path, "d")), outside.path);
});

Deno.test("an ignored file that was deleted again is not restored", async () => {
  await using yard = await workYard({ ".gitignore": "*.log\n" });
  await after(yard, ["echo secret >secret.log", "rm secret.log"]);
  const { spec } = await yard.work.restore({ id: ID });
  assert.deepEqual(namesIn(spec.path), [".git", ".gitignore"]);
});

Deno.test("an ignored file is restored from what was restored, too", async () => {
  await using yard = await workYard({ ".gitignore": "*.log\n" });
  await after(yard, ["echo mine >mine.log"]);
  for (let id = ID, times = 0; times < 2; times++) {
    const { spec } = await yard.work.restore({ id });
    assert.equal(await Deno.readTextFile(join(spec.path, "mine.log")), "mine\n", spec.id);
    id = spec.id;
  }
});

Deno.test("an archive of ignored files that cannot be read costs none of the others", async () => {
  await using yard = await workYard({ ".gitignore": "*.log\n" });
  await after(yard, ["echo new >new; echo ignored >ignored.log"]);
  await Deno.remove(yard.pathOf(ID), { recursive: true });
  await Deno.writeTextFile(yard.directories.of(ID).ignored, "garbage");
  const { spec, notes } = await yard.work.restore({ id: ID });
  assert.deepEqual(namesIn(spec.path), [".git", ".gitignore", "new"]);
  assert.match(notes.join("\n"), /Not all ignored files are in it: tar/);
});

Deno.test("a nested repository whose commits are gone costs none of the files", async () => {
  await using yard = await workYard({ a: "a\n" });
  const [nested] = KINDS.filter(({ name }) => name === "nested repo");
  await after(yard, [nested?.script ?? ""]);
  const inside = await yard.repo.git("-C", join(yard.pathOf(ID), "nested"), "rev-parse", "HEAD^{tree}");
  await Deno.remove(yard.pathOf(ID), { recursive: true });
  await Deno.remove(join(yard.repo.path, ".git", "objects", inside.slice(0, 2), inside.slice(2)));
  const { spec, notes } = await yard.work.restore({ id: ID });
  assert.deepEqual(namesIn(spec.path), [".git", "a", "nested"]);
  assert.ok(notes.includes("No repository again: nested"), notes.join("\n"));
});

Deno.test("a restore that fails leaves no worktree, no branch and no record", async () => {
  await using yard = await workYard({ a: "a\n" });
  await after(yard, ["echo new >new"]);
  const blob = await yard.repo.git("rev-parse", `codex-swarm/${ID}:new`);
  await Deno.remove(yard.pathOf(ID), { recursive: true });
  await Deno.remove(join(yard.repo.path, ".git", "objects", blob.slice(0, 2), blob.slice(2)));
  const state = async (): Promise<unknown> => [
    await yard.repo.git("worktree", "list"),
    await yard.repo.git("for-each-ref"),
    namesIn(join(yard.state, "worktrees")),
    await yard.directories.of(`${ID}.1`).read(),
  ];
  const before = await state();
  await assert.rejects(yard.work.restore({ id: ID }), /Cannot restore task .*Nothing else has changed\.$/);
  assert.deepEqual(await state(), before);
});

Deno.test("a nested repository that cannot be kept whole is named, and harms neither the rest nor the user's", async () => {
  for (const how of ["--depth=1", "--filter=blob:none"]) {
    await using origin = await repoForAll();
    await origin.git("config", "uploadpack.allowFilter", "true");
    await origin.git("commit", "--quiet", "--allow-empty", "--message=Later");
    await using yard = await workYard({ a: "a\n" });
    const task = await yard.task(ID);
    await yard.worktrees.prepare(task, new AbortController().signal);
    const clone =
      `git clone --quiet --no-checkout ${how} "file://${origin.path}" dep; echo mine >dep/mine; echo new >new`;
    await leave(yard.pathOf(ID), [{ name: how, script: clone, paths: [] }]);
    const { state } = await yard.end(task);
    assert.deepEqual(state.outcome.work?.notKept, ["dep/.git"], how);
    await prune(yard);
    await Deno.remove(yard.pathOf(ID), { recursive: true });
    const { spec } = await yard.work.restore({ id: ID });
    assert.deepEqual(namesIn(spec.path), [".git", "a", "dep", "new"]);
    assert.deepEqual(namesIn(join(spec.path, "dep")), ["mine"]);
  }
});

Deno.test("what a nested repository has stashed, staged or left behind is restored with it, time and again", async () => {
  await using yard = await workYard({ a: "a\n" });
  const git = "git -c user.name=n -c user.email=e";
  const commits = `${git} commit -q --allow-empty -m base; echo lost >f; git add f; ${git} commit -qm lost`;
  const stashes = `for n in first second; do echo $n >f; git add f; ${git} stash -q; done`;
  await after(yard, [
    `git init -q n; cd n; ${commits}; git reset -q --hard HEAD~1; ${stashes}; echo staged >f; git add f; echo last >f`,
  ]);
  await Deno.remove(yard.pathOf(ID), { recursive: true });
  for (let id = ID, times = 0; times < 2; times++) {
    const { spec } = await yard.work.restore({ id });
    await prune(yard);
    const inside = (...args: readonly string[]): Promise<string> => yard.repo.git("-C", join(spec.path, "n"), ...args);
    const refs = (await inside("for-each-ref", "--format=%(refname)")).split("\n");
    const found = await Promise.all(refs.map((ref) => inside("show", `${ref}:f`).catch(() => "none")));
    assert.deepEqual([...new Set(found)].toSorted(), ["first", "lost", "none", "second", "staged"], spec.id);
    assert.equal(await Deno.readTextFile(join(spec.path, "n", "f")), "last\n");
    id = spec.id;
  }
});
