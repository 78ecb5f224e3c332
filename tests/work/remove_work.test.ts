/** Removals of worktrees that go wrong, are broken off, or that something speaks against. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Git } from "../../src/git/git.ts";
import { createLog } from "../../src/log.ts";
import { Work } from "../../src/work/work.ts";
import { contentsOf, readTree } from "../helpers/directory_tree.ts";
import { writeExecutable } from "../helpers/executable.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { type WorkYard, workYard } from "../helpers/work_yard.ts";

const DAY_MS = 86_400_000;
const [A, B] = ["0000000a", "0000000b"];

function filesIn(path: string): Record<string, string> {
  const { ".git": _own, ...files } = contentsOf(readTree(path));
  return files;
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

/** What cleaning up by name does with the worktree, and why. */
async function clean(work: Work): Promise<string> {
  const [entry] = await work.cleanup({ ids: [A], isRehearsal: false });
  return `${entry?.action}: ${entry?.reason}`;
}

/** How a worktree stands: in the registry, on its branch, in its record. */
async function standOf({ repo, directories }: WorkYard): Promise<unknown> {
  const list = await repo.git("worktree", "list", "--porcelain");
  return [list, await repo.git("branch", "--list", "codex-swarm/*"), await directories.of(A).read()];
}

/** The same work with a git that does something else first whenever its arguments fit a pattern of sh(1). */
async function workWith(
  yard: WorkYard,
  { directory, pattern, script: first }: {
    readonly directory: string;
    readonly pattern: string;
    readonly script: string;
  },
): Promise<Work> {
  const git = new TextDecoder().decode((await new Deno.Command("which", { args: ["git"] }).output()).stdout).trim();
  const script = `#!/bin/sh\ncase "$*" in ${pattern}) ${first} ;; esac\nexec ${git} "$@"\n`;
  writeExecutable(join(directory, "git"), script);
  const env = { ...Deno.env.toObject(), PATH: `${directory}:${Deno.env.get("PATH")}` };
  const { content, directories, now } = yard;
  return new Work({
    stateDir: yard.state,
    git: new Git(env),
    content,
    directories,
    env,
    now,
    log: createLog({ level: "ERROR" }),
    worktreesDir: join(yard.state, "worktrees"),
    retentionMs: DAY_MS,
    isInUse: () => Promise.resolve(null),
    check: () => Promise.resolve(null),
  });
}

for (
  const { what, pattern } of [
    { what: "the files cannot be read", pattern: "*write-tree*" },
    { what: "the snapshot cannot be written", pattern: "*update-ref*" },
    { what: "the snapshot cannot be read back", pattern: "*rev-parse*refs/codex-swarm/snap*" },
    { what: "the snapshot cannot be held against the files", pattern: "*ls-tree*--name-only*" },
    { what: "git cannot forget the worktree", pattern: "*worktree*remove*" },
  ]
) {
  Deno.test(`a worktree stays with all that belongs to it when ${what}`, async () => {
    await using yard = await workYard({ a: "a\n", ".gitignore": "*.log\n" });
    await using bin = await tempDirectory();
    await yard.done(A, { x: "x\n", "own.log": "ignored\n" });
    await Deno.writeTextFile(join(yard.pathOf(A), "late"), "late\n");
    const before = [filesIn(yard.pathOf(A)), await standOf(yard)];
    const work = await workWith(yard, { directory: bin.path, pattern, script: "echo no >&2; exit 1" });
    assert.match(await clean(work), /^keep: /);
    assert.deepEqual([filesIn(yard.pathOf(A)), await standOf(yard)], before);
    assert.deepEqual(yard.trash(), []);
    // With a git that works it goes (control).
    assert.match(await clean(yard.work), /^remove: /);
  });
}

Deno.test("a worktree that a process enters while it is taken away stays", async () => {
  await using yard = await workYard({ a: "a\n" });
  await using bin = await tempDirectory();
  await yard.done(A, { x: "x\n" });
  const before = await standOf(yard);
  const mark = join(bin.path, "pid");
  // After the last look for such a process: the second time that git looks at the files.
  const enter = `echo x >>${bin.path}/count; [ $(wc -l <${bin.path}/count) != 2 ] || ` +
    `{ sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >${mark}; }`;
  const work = await workWith(yard, { directory: bin.path, pattern: "*add*--all*", script: enter });
  try {
    assert.match(await clean(work), /^keep: process \d+ works in it/);
    assert.deepEqual(await standOf(yard), before);
    assert.deepEqual(yard.trash(), []);
  } finally {
    Deno.kill(Number(await Deno.readTextFile(mark)), "SIGKILL");
  }
  await waitFor(async () => /^remove: /.test(await clean(work)), { message: "the process to be gone" });
});

Deno.test("what is written while a merged worktree is taken away is restored, however long after", async () => {
  await using yard = await workYard({ a: "a\n" });
  await using bin = await tempDirectory();
  const { repo } = yard;
  await yard.done(A, { x: "x\n" });
  await repo.git("merge", "--quiet", `codex-swarm/${A}`);
  // Where nobody finds it by its name any more.
  const write = `[ "$PWD" = ${await Deno.realPath(yard.pathOf(A)).catch(() => "")} ] || echo late >late`;
  const work = await workWith(yard, { directory: bin.path, pattern: "*add*--all*", script: write });
  assert.match(await clean(work), /^remove: main has all of it/);
  for (let rounds = 0; rounds < 2; rounds++) {
    yard.pass(100 * DAY_MS);
    await yard.work.age(yard.now());
  }
  assert.deepEqual(filesIn((await yard.work.restore({ id: A })).spec.path), { a: "a\n", x: "x\n", late: "late\n" });
});

for (const isForgotten of [false, true]) {
  const when = isForgotten ? "when git had forgotten the worktree" : "when its files had been moved aside";
  Deno.test(`a removal that was broken off ${when} is gone on with, and its files are known`, async () => {
    await using yard = await workYard({ a: "a\n" });
    const { repo } = yard;
    await yard.done(A, { x: "x\n" });
    const before = filesIn(yard.pathOf(A));
    await Deno.rename(yard.pathOf(A), join(yard.state, "worktrees", `.trash-${A}.${crypto.randomUUID()}`));
    if (isForgotten) {
      await repo.git("worktree", "unlock", yard.pathOf(A));
      await repo.git("worktree", "remove", yard.pathOf(A));
    }
    assert.match(await clean(yard.work), /^remove: /);
    const [trash, ...more] = yard.trash();
    assert.deepEqual([more, (await yard.directories.of(A).read())?.removed?.trash], [[], trash]);
    assert.deepEqual(filesIn(trash ?? ""), before);
    yard.pass(15 * DAY_MS);
    await yard.work.age(yard.now());
    assert.deepEqual(yard.trash(), []);
    assert.deepEqual(filesIn((await yard.work.restore({ id: A })).spec.path), before);
  });
}

Deno.test("a worktree whose disk is not there is kept, however old it is", async () => {
  await using yard = await workYard({ a: "a\n" });
  await yard.done(A, { x: "x\n" });
  const disk = join(yard.state, "worktrees");
  const before = await standOf(yard);
  await Deno.rename(disk, `${disk}.unmounted`);
  assert.match(await clean(yard.work), /^keep: .* is not there/);
  yard.pass(100 * DAY_MS);
  await yard.work.age(yard.now());
  assert.equal(await isThere(disk), false);
  await Deno.rename(`${disk}.unmounted`, disk);
  assert.deepEqual(await standOf(yard), before);
  assert.equal(await yard.repo.git("-C", yard.pathOf(A), "status", "--porcelain"), "");
  // It is old indeed (control).
  await yard.work.age(yard.now());
  assert.equal(await isThere(yard.pathOf(A)), false);
});

Deno.test("worktrees of a repository that is not there are kept, and others go all the same", async () => {
  await using yard = await workYard({ a: "a\n" });
  await yard.done(A, { x: "x\n" });
  await yard.repo.git("merge", "--quiet", `codex-swarm/${A}`);
  await yard.done(B, { y: "y\n" });
  await yard.repo.git("merge", "--quiet", "--message=m", `codex-swarm/${B}`);
  await yard.work.cleanup({ ids: [B], isRehearsal: false });
  const before = await standOf(yard);
  const common = join(yard.repo.path, ".git");
  await Deno.rename(common, `${common}.moved`);
  assert.match(await clean(yard.work), /^keep: /);
  yard.pass(100 * DAY_MS);
  await yard.work.age(yard.now());
  assert.deepEqual(filesIn(yard.pathOf(A)), { a: "a\n", x: "x\n" });
  assert.equal(yard.trash().length, 1);
  await Deno.rename(`${common}.moved`, common);
  assert.deepEqual(await standOf(yard), before);
  // With it all goes, after a while (control).
  await yard.work.age(yard.now());
  yard.pass(15 * DAY_MS);
  await yard.work.age(yard.now());
  assert.deepEqual([await isThere(yard.pathOf(A)), await yard.directories.ids()], [false, []]);
});

Deno.test("what was merged and is merged no more is never forgotten", async () => {
  await using yard = await workYard({ a: "a\n" });
  const { repo, work } = yard;
  await yard.done(A, { x: "x\n" });
  const main = await repo.git("rev-parse", "main");
  await repo.git("merge", "--quiet", `codex-swarm/${A}`);
  assert.match(await clean(work), /^remove: main has all of it/);
  await repo.git("reset", "--quiet", "--hard", main);
  yard.pass(100 * DAY_MS);
  await work.age(yard.now());
  await repo.git("reflog", "expire", "--expire=now", "--all");
  await repo.git("gc", "--quiet", "--prune=now");
  const { spec } = await work.restore({ id: A });
  assert.deepEqual(filesIn(spec.path), { a: "a\n", x: "x\n" });
  // From when it is merged again it is kept for as long again (control).
  await repo.git("merge", "--quiet", `codex-swarm/${A}.1`);
  await work.age(yard.now());
  yard.pass(10 * DAY_MS);
  await work.age(yard.now());
  assert.ok((await yard.directories.ids()).includes(A));
  yard.pass(5 * DAY_MS);
  await work.age(yard.now());
  assert.equal((await yard.directories.ids()).includes(A), false);
});

Deno.test("files that were put aside stay as long as no snapshot has them", async () => {
  await using yard = await workYard({ a: "a\n" });
  const { repo, work } = yard;
  await yard.done(A, { x: "x\n" });
  await clean(work);
  const refs = (await repo.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/codex-swarm/")).split("\n");
  for (const line of refs) await repo.git("update-ref", "-d", line.split(" ")[0] ?? "");
  yard.pass(100 * DAY_MS);
  await work.age(yard.now());
  assert.equal(yard.trash().length, 1);
  // They go when one has (control).
  for (const line of refs) await repo.git("update-ref", ...line.split(" "));
  await work.age(yard.now());
  assert.equal(yard.trash().length, 0);
});

Deno.test("a removal while the agent's branch is elsewhere deletes no branch that another checkout stands on", async () => {
  await using yard = await workYard({ a: "a\n" });
  const { repo, work } = yard;
  await yard.done(A, { x: "x\n" });
  await repo.git("merge", "--quiet", `codex-swarm/${A}`);
  await repo.git("-C", yard.pathOf(A), "checkout", "--quiet", "--detach");
  await repo.git("checkout", "--quiet", `codex-swarm/${A}`);
  assert.match(await clean(work), /^remove: /);
  assert.equal(await repo.git("rev-parse", "HEAD"), await repo.git("rev-parse", "main"));
});
