/** Repositories of all kinds, and what becomes of them: an agent gets its worktree and what it makes is kept, or it is said why not. */
import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { CAN_MOUNT, smallDisk } from "../helpers/small_disk.ts";
import { startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";
import { namesIn, tempDirectory } from "../helpers/temp_directory.ts";
import { tempRepo } from "../helpers/temp_repo.ts";
import { changed, refusal, work, yardIn } from "../helpers/worktree_calls.ts";

const ignore = Deno.build.os === "windows";

for (const args of [[], ["--skip-git-repo-check"]]) {
  Deno.test(
    { name: `no worktree is made of a bare repository, or of none (${args.join("") || "no flags"})`, ignore },
    async () => {
      await using place = await tempDirectory();
      await using repo = await tempRepo();
      const bare = join(place.path, "bare.git");
      await repo.git("clone", "--quiet", "--bare", ".", bare);
      const none = join(place.path, "none");
      await Deno.mkdir(none);
      await using yard = await yardIn(repo, { args });
      for (const cwd of [bare, none]) {
        const text = await refusal(yard.swarm, { cwd });
        assert.match(
          text,
          args.length === 0 ? /not inside a git repository/ : /^Cannot make a worktree: .* is in no git working tree/,
        );
        assert.ok(text.includes(cwd));
      }
      assert.match(await repo.git("-C", bare, "branch", "--format=%(refname)"), /^refs\/heads\/main$/);
      assert.deepEqual(Array.from(Deno.readDirSync(none)), []);
    },
  );
}

Deno.test({ name: "a worktree is made beside the worktree of a bare repository", ignore }, async () => {
  await using place = await tempDirectory();
  await using repo = await tempRepo();
  const bare = join(place.path, "bare.git");
  const cwd = join(place.path, "work");
  await repo.git("clone", "--quiet", "--bare", ".", bare);
  await repo.git("-C", bare, "worktree", "add", "--quiet", "-b", "mine", cwd);
  await using yard = await yardIn({ path: cwd });
  const task = await work(yard.swarm, "fake:write(new, new)");
  const merged = await yard.swarm.call("codex_merge", { task_id: task.task_id, update_checkout: true });
  assert.deepEqual([merged.isError, merged.structured.into], [false, "mine"], merged.text);
  assert.equal(await Deno.readTextFile(join(cwd, "new")), "new");
  assert.equal(await repo.git("-C", cwd, "status", "--porcelain"), "");
  // Nobody stands on the branch of the bare repository itself.
  const main = await yard.swarm.call("codex_merge", { task_id: task.task_id, into: "main" });
  assert.ok(!main.isError, main.text);
  assert.equal(await repo.git("-C", bare, "show", "main:new"), "new");
});

Deno.test({
  name: "in a linked worktree a branch begins at its HEAD, and the new worktree is not inside of it",
  ignore,
}, async () => {
  await using place = await tempDirectory();
  await using repo = await tempRepo({ files: { "a/b": "b\n" } });
  const cwd = join(place.path, "linked");
  await repo.git("worktree", "add", "--quiet", "-b", "mine", cwd);
  await Deno.writeTextFile(join(cwd, "more"), "more\n");
  await repo.git("-C", cwd, "add", "more");
  await repo.git("-C", cwd, "commit", "--quiet", "--message=more");
  await using yard = await yardIn({ path: cwd });
  const task = await work(yard.swarm, "fake:write(new, new)", { cwd: join(cwd, "a") });
  assert.equal(await Deno.readTextFile(join(task.worktree_path, "more")), "more\n");
  assert.equal(await Deno.readTextFile(join(task.worktree_path, "a/new")), "new");
  assert.ok(!task.worktree_path.startsWith(cwd) && !task.worktree_path.startsWith(repo.path));
  assert.equal(await repo.git("rev-parse", `${task.worktree_branch}~`), await repo.git("rev-parse", "mine"));
  const { structured, isError, text } = await yard.swarm.call("codex_merge", {
    task_id: task.task_id,
    update_checkout: true,
  });
  assert.deepEqual([isError, structured.into, structured.checkout], [false, "mine", cwd], text);
  // A worktree of ours as the directory: no second one within.
  const other = await work(yard.swarm, "fake:write(other, other)", { cwd: task.worktree_path });
  assert.ok(!other.worktree_path.startsWith(task.worktree_path));
  assert.equal(dirname(other.worktree_path), dirname(task.worktree_path));
  assert.equal(await repo.git("show", `${other.worktree_branch}:a/new`), "new");
});

Deno.test(
  { name: "an agent works in the same directory of its worktree, also in one that no commit has", ignore },
  async () => {
    await using repo = await tempRepo({ files: { "packages/a/file": "a\n" } });
    await repo.write("packages/b/untracked", "b\n");
    await using yard = await yardIn(repo);
    for (const inside of ["packages/a", "packages/b"]) {
      const task = await work(yard.swarm, "fake:run(pwd >here)", { cwd: inside });
      const here = (await Deno.readTextFile(join(task.worktree_path, inside, "here"))).trimEnd();
      assert.equal(here, join(task.worktree_path, inside));
      assert.deepEqual((await changed(yard.swarm, repo, task)).committed, [`${inside}/here`]);
    }
  },
);

Deno.test(
  { name: "with a detached HEAD a branch is made all the same, and a merge asks where to", ignore },
  async () => {
    await using repo = await tempRepo();
    await repo.git("checkout", "--quiet", "--detach");
    await using yard = await yardIn(repo);
    const task = await work(yard.swarm, "fake:write(new, new)");
    const asked = await yard.swarm.call("codex_merge", { task_id: task.task_id });
    assert.ok(asked.isError);
    assert.match(asked.text, /began on no branch\. Name one with into/);
    const { isError, text } = await yard.swarm.call("codex_merge", { task_id: task.task_id, into: "main" });
    assert.ok(!isError, text);
    assert.equal(await repo.git("show", "main:new"), "new");
    assert.match(await repo.git("status", "--porcelain", "--branch"), /^## HEAD \(no branch\)$/);
  },
);

Deno.test(
  { name: "a repository without a commit has no worktree, and the answer says what to do", ignore },
  async () => {
    await using place = await tempDirectory();
    await new Deno.Command("git", { args: ["init", "--quiet", place.path] }).output();
    await using yard = await yardIn(place);
    assert.match(await refusal(yard.swarm, {}), /it has no commit yet\. Make one, or leave worktree out/);
  },
);

for (const how of ["moved", "deleted"]) {
  Deno.test(
    { name: `what an agent makes stays where it is when its repository is ${how} meanwhile`, ignore },
    async () => {
      await using place = await tempDirectory();
      await using repo = await tempRepo({ name: "repo" });
      await using yard = await yardIn(repo, { cwd: place.path });
      const prompt = `fake:write(new, new) fake:say(written) fake:hold(${place.path}/go) fake:say(done)`;
      const id = await startTask(yard.swarm, prompt, { cwd: repo.path, worktree: true });
      const { worktree_path: path } = await waitForTask(yard.swarm, id, ({ answer }) => answer === "written");
      const away = `${repo.path}_moved`;
      if (how === "moved") await Deno.rename(repo.path, away);
      else await Deno.remove(repo.path, { recursive: true });
      await Deno.writeTextFile(join(place.path, "go"), "");
      const task = await waitForStatus(yard.swarm, id, "completed");
      assert.deepEqual([task.answer, task.exit_code], ["done", 0]);
      assert.ok(task.work.problem.includes(repo.path), task.work.problem);
      assert.equal(await Deno.readTextFile(join(path, "new")), "new");
      const call = async (name: string, args: Readonly<Record<string, unknown>> = {}): Promise<string> => {
        const { text, isError } = await yard.swarm.call(name, { task_id: id, ...args });
        return isError ? text : "";
      };
      for (const name of ["codex_diff", "codex_merge", "codex_restore"]) {
        const text = await call(name);
        assert.ok(text.includes(repo.path), `${name}: ${text}`);
      }
      await yard.swarm.call("codex_cleanup", { task_ids: [id], dry_run: false });
      assert.equal(await Deno.readTextFile(join(path, "new")), "new");
      if (how === "deleted") return;
      await Deno.rename(away, repo.path);
      assert.equal(await call("codex_diff"), "");
      assert.equal(await call("codex_merge", { update_checkout: true }), "");
      assert.equal(await Deno.readTextFile(join(repo.path, "new")), "new");
      const restored = await yard.swarm.call("codex_restore", { task_id: id });
      assert.ok(!restored.isError, restored.text);
      assert.equal(await Deno.readTextFile(join(restored.structured.worktree_path, "new")), "new");
    },
  );
}

Deno.test({
  name: "what an agent makes stays where it is while its repository cannot be written, and is kept later",
  ignore: !CAN_MOUNT,
}, async () => {
  await using disk = await smallDisk();
  await using place = await tempDirectory();
  await using repo = await tempRepo();
  const path = join(disk.path, "repo");
  await repo.git("clone", "--quiet", ".", path);
  await using yard = await yardIn({ path }, { cwd: place.path });
  const prompt = `fake:write(new, new) fake:say(written) fake:hold(${place.path}/go) fake:say(done)`;
  const id = await startTask(yard.swarm, prompt, { cwd: path, worktree: true });
  const { worktree_path } = await waitForTask(yard.swarm, id, ({ answer }) => answer === "written");
  await Deno.writeTextFile(join(path, "dirty"), "dirty\n");
  await disk.setReadOnly(true);
  assert.match(await refusal(yard.swarm, { cwd: path, worktree: { base: "wip" } }), /Read-only file system/);
  const other = await startTask(yard.swarm, "fake:say(never)", { cwd: path, worktree: true });
  assert.match((await waitForStatus(yard.swarm, other, "failed")).failure.message, /Read-only file system/);
  await Deno.writeTextFile(join(place.path, "go"), "");
  const task = await waitForStatus(yard.swarm, id, "completed");
  assert.equal(task.answer, "done");
  assert.ok(task.work.problem.length > 0);
  await disk.setReadOnly(false);
  assert.equal(await Deno.readTextFile(join(worktree_path, "new")), "new");
  const { structured, isError, text } = await yard.swarm.call("codex_restore", { task_id: id });
  assert.ok(!isError, text);
  assert.equal(await Deno.readTextFile(join(structured.worktree_path, "new")), "new");
});

Deno.test(
  { name: "variables of git in the environment of a server lead neither it nor its agents elsewhere", ignore },
  async () => {
    await using repo = await tempRepo();
    await using other = await tempRepo({ files: { other: "other\n" } });
    const refs = async (): Promise<string> =>
      await other.git("for-each-ref") + await other.git("status", "--porcelain");
    const before = await refs();
    const env = {
      GIT_DIR: join(other.path, ".git"),
      GIT_WORK_TREE: other.path,
      GIT_INDEX_FILE: join(other.path, ".git", "index"),
      GIT_OBJECT_DIRECTORY: join(other.path, ".git", "objects"),
      GIT_COMMON_DIR: join(other.path, ".git"),
      GIT_NAMESPACE: "odd",
    };
    // Git itself is led by them (control).
    const led = await new Deno.Command("git", { args: ["rev-parse", "--show-toplevel"], cwd: repo.path, env }).output();
    assert.equal(new TextDecoder().decode(led.stdout).trimEnd(), other.path);
    await using yard = await yardIn(repo, { env });
    const task = await work(yard.swarm, "fake:write(new, new) fake:run(git rev-parse --show-toplevel >top)");
    assert.equal(await repo.git("show", `${task.worktree_branch}:new`), "new");
    assert.equal(await repo.git("show", `${task.worktree_branch}:top`), task.worktree_path);
    assert.equal(await refs(), before);
  },
);

for (const name of ["with spaces", "smörgåsbord 🍽", "new\nline", "trailing ", "-dash", 'it\'s "quoted" $HOME `x`']) {
  Deno.test({ name: `worktrees of a repository called ${JSON.stringify(name)} work`, ignore }, async () => {
    await using repo = await tempRepo({ name, files: { "dir/ä\nb": "a\n" } });
    await using yard = await yardIn(repo);
    const task = await work(yard.swarm, "fake:write(new, new)");
    const merged = await yard.swarm.call("codex_merge", { task_id: task.task_id, update_checkout: true });
    assert.ok(!merged.isError, merged.text);
    assert.equal(await Deno.readTextFile(join(repo.path, "new")), "new");
    const linked = `${repo.path}.linked`;
    await repo.git("worktree", "add", "--quiet", "-b", "mine", linked);
    const other = await work(yard.swarm, "fake:write(more, more)", { cwd: linked });
    assert.equal(await repo.git("show", `${other.worktree_branch}:more`), "more");
    const restored = await yard.swarm.call("codex_restore", { task_id: task.task_id });
    assert.ok(!restored.isError, restored.text);
  });
}

Deno.test({ name: "worktrees of a repository with SHA-256 work", ignore }, async () => {
  await using repo = await tempRepo({ init: ["--object-format=sha256"] });
  await using yard = await yardIn(repo);
  await repo.write("mine", "mine\n");
  const task = await work(yard.swarm, "fake:write(new, new)", { worktree: { base: "wip" } });
  assert.equal(task.work.commit.length, 64);
  const merged = await yard.swarm.call("codex_merge", { task_id: task.task_id, into: "main" });
  assert.match(merged.text, /main is checked out/);
  await repo.git("branch", "other");
  const other = await yard.swarm.call("codex_merge", { task_id: task.task_id, into: "other" });
  assert.ok(!other.isError, other.text);
  assert.equal(await repo.git("show", "other:mine"), "mine");
  const restored = await yard.swarm.call("codex_restore", { task_id: task.task_id });
  assert.ok(!restored.isError, restored.text);
  assert.equal(await Deno.readTextFile(join(restored.structured.worktree_path, "new")), "new");
});

Deno.test({ name: "a branch that cannot be made is named", ignore }, async () => {
  await using repo = await tempRepo();
  await repo.git("branch", "codex-swarm");
  await using yard = await yardIn(repo);
  const failed = async (worktree: unknown): Promise<string> => {
    const { text, isError } = await yard.swarm.call("codex", { prompt: "fake:say(never)", worktree });
    assert.ok(isError, text);
    return text;
  };
  assert.match(await failed(true), /no branch codex-swarm\/… can be made beside the branch codex-swarm/);
  await repo.git("branch", "--move", "codex-swarm", "codex-swarm/mine");
  const before = await repo.git("rev-parse", "codex-swarm/mine");
  assert.match(await failed({ name: "mine" }), /codex-swarm\/mine/);
  assert.equal(await repo.git("rev-parse", "codex-swarm/mine"), before);
  assert.equal((await repo.git("worktree", "list")).split("\n").length, 1);
});

Deno.test({ name: "a branch begins where the call says, and the answer names what it has not", ignore }, async () => {
  await using repo = await tempRepo({ files: { a: "a\n" } });
  await repo.git("tag", "--annotate", "--message=v1", "v1");
  const first = await repo.git("rev-parse", "HEAD");
  await repo.write("a", "second\n");
  await repo.git("commit", "--quiet", "--all", "--message=second");
  await repo.git("update-ref", "refs/remotes/origin/main", first);
  await repo.write("a", "mine\n");
  await repo.write("untracked", "mine\n");
  await repo.write("staged", "mine\n");
  await repo.git("add", "staged");
  const status = await repo.git("status", "--porcelain");
  await using yard = await yardIn(repo);
  const begin = async (
    base: string,
  ): Promise<{ readonly text: string; readonly files: string[]; readonly a: string }> => {
    const { text, isError } = await yard.swarm.call("codex", { prompt: "fake:say(done)", worktree: { base } });
    if (isError) return { text, files: [], a: "" };
    const path = /^Worktree Path: (.+)$/m.exec(text)?.[1] ?? "";
    return {
      text,
      files: Array.from(Deno.readDirSync(path), ({ name }) => name).filter((name) => name !== ".git").sort(),
      a: await Deno.readTextFile(join(path, "a")),
    };
  };
  const head = await begin("head");
  assert.deepEqual([head.files, head.a], [["a"], "second\n"]);
  assert.match(head.text, /not what has changed in .*: a, staged, untracked\. Pass worktree=\{"base": "wip"\}/);
  const wip = await begin("wip");
  assert.deepEqual([wip.files, wip.a], [["a", "staged", "untracked"], "mine\n"]);
  assert.deepEqual(namesIn(yard.swarm.stateDir).filter((name) => name.startsWith("wip.")), []);
  assert.doesNotMatch(wip.text, /not what has changed/);
  const tag = await begin("v1");
  assert.deepEqual([tag.files, tag.a], [["a"], "a\n"]);
  assert.match((await begin("remote")).text, /the branch of .* has none to follow/);
  await repo.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main");
  assert.equal((await begin("remote")).a, "a\n");
  assert.match((await begin("nowhere")).text, /there is no commit "nowhere"/);
  // Nothing of the user's has changed.
  assert.deepEqual([await repo.git("status", "--porcelain"), await repo.git("rev-parse", "main~")], [status, first]);
});

for (
  const { what, args } of [
    { what: "an index in two files", args: ["config", "core.splitIndex", "true"] },
    { what: "settings of its own for each worktree", args: ["config", "extensions.worktreeConfig", "true"] },
  ]
) {
  Deno.test({ name: `worktrees of a repository with ${what} work`, ignore }, async () => {
    await using repo = await tempRepo({ files: { a: "a\n", b: "b\n" } });
    await repo.git(...args);
    await repo.git("update-index", "--force-write-index");
    await repo.write("a", "mine\n");
    await repo.git("add", "a");
    await using yard = await yardIn(repo);
    const task = await work(yard.swarm, "fake:run(echo staged >b; git add b; echo more >>b) fake:write(new, new)");
    assert.match(task.notes.join("\n"), /not what has changed in [^:]+: a\. /);
    assert.deepEqual(await changed(yard.swarm, repo, task), { told: ["b", "new"], committed: ["b", "new"] });
    assert.equal(await repo.git("-C", task.worktree_path, "status", "--porcelain"), "");
    await repo.git("commit", "--quiet", "--message=mine");
    const merged = await yard.swarm.call("codex_merge", { task_id: task.task_id, update_checkout: true });
    assert.ok(!merged.isError, merged.text);
    assert.equal(await repo.git("status", "--porcelain"), "");
    assert.equal(await Deno.readTextFile(join(repo.path, "b")), "staged\nmore\n");
  });
}

Deno.test({ name: "a worktree whose paths somebody has made relative is still known", ignore }, async () => {
  await using repo = await tempRepo();
  await using yard = await yardIn(repo);
  const { task_id, thread_id, worktree_path: path, worktree_branch } = await work(yard.swarm, "fake:write(new, new)");
  // As git 2.48 does with worktree.useRelativePaths.
  const gitDir = join(repo.path, ".git", "worktrees", task_id);
  await Deno.writeTextFile(join(path, ".git"), `gitdir: ${relative(path, gitDir)}\n`);
  await Deno.writeTextFile(join(gitDir, "gitdir"), `${relative(gitDir, join(path, ".git"))}\n`);
  const { isError, text } = await yard.swarm.call("codex_reply", {
    threadId: thread_id,
    prompt: "fake:write(more, more)",
  });
  assert.ok(!isError, text);
  assert.equal(await repo.git("show", `${worktree_branch}:more`), "more");
});

Deno.test({
  name: "worktrees of a clone that borrows its objects, and of one that has not all of history, work",
  ignore,
}, async () => {
  await using place = await tempDirectory();
  await using repo = await tempRepo();
  await repo.git("commit", "--quiet", "--allow-empty", "--message=second");
  for (const how of [["--shared", repo.path], ["--depth=1", `file://${repo.path}`]] as const) {
    const path = join(place.path, how[0]);
    await repo.git("clone", "--quiet", ...how, path);
    await using yard = await yardIn({ path });
    const task = await work(yard.swarm, "fake:write(new, new)");
    const merged = await yard.swarm.call("codex_merge", { task_id: task.task_id, update_checkout: true });
    assert.ok(!merged.isError, merged.text);
    assert.equal(await Deno.readTextFile(join(path, "new")), "new");
    const restored = await yard.swarm.call("codex_restore", { task_id: task.task_id });
    assert.ok(!restored.isError, restored.text);
  }
});

Deno.test({ name: "a checkout without an index is told apart from its commit", ignore }, async () => {
  await using place = await tempDirectory();
  await using repo = await tempRepo();
  const path = join(place.path, "empty");
  await repo.git("clone", "--quiet", "--no-checkout", ".", path);
  await using yard = await yardIn({ path });
  const task = await work(yard.swarm, "fake:write(new, new)");
  assert.match(task.notes.join("\n"), /not what has changed in .*: README\.md\./);
  assert.equal(await Deno.readTextFile(join(task.worktree_path, "README.md")), "# Test\n");
});

Deno.test(
  { name: "commits are the user's, and said to be codex-swarm's where git knows no user", ignore },
  async () => {
    await using repo = await tempRepo();
    await using yard = await yardIn(repo);
    const author = async (branch: string): Promise<string> => await repo.git("log", "-1", "--format=%an <%ae>", branch);
    const known = await work(yard.swarm, "fake:write(new, new)");
    assert.equal(await author(known.worktree_branch), await author("main"));
    assert.doesNotMatch(known.notes?.join("\n") ?? "", /codex-swarm@localhost/);
    // Whatever the machine's own configuration says.
    await repo.git("config", "user.email", "");
    const neutral = await work(yard.swarm, "fake:write(new, new)");
    assert.equal(await author(neutral.worktree_branch), "codex-swarm <codex-swarm@localhost>");
    assert.match(neutral.notes.join("\n"), /made as codex-swarm <codex-swarm@localhost>: git knows no user\.name/);
  },
);
