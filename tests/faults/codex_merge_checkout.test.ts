/** What codex_merge makes of the checkout that stands on the branch, and of checks. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { isAlive } from "../helpers/processes.ts";
import { killServer, serversYard } from "../helpers/servers_yard.ts";
import { type Answer, startSwarm, type Swarm } from "../helpers/swarm.ts";
import { startTask, waitForTask } from "../helpers/tasks.ts";
import { namesIn, tempDirectory } from "../helpers/temp_directory.ts";
import { tempRepo } from "../helpers/temp_repo.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { startWork, worked } from "../helpers/worked.ts";
import { stateOf } from "../helpers/merge_state.ts";

const ignore = Deno.build.os === "windows";

const GIT = "git -c user.name=Agent -c user.email=agent@example.com";

const merge = (swarm: Swarm, args: Readonly<Record<string, unknown>>): Promise<Answer> =>
  swarm.call("codex_merge", args);

Deno.test({ name: "codex_merge takes a clean checkout along, and leaves any other as it is", ignore }, async () => {
  await using repo = await tempRepo({ files: { a: "a\n", "dir/gone": "gone\n", ".gitignore": "*.log\n" } });
  await using swarm = await startSwarm({ cwd: repo.path });
  await using other = await tempDirectory();
  const script = "echo more >>a; rm -r dir; mkdir deep; echo new >deep/new; ln -s a link; echo x >run; chmod +x run";
  const [id = "", log = ""] = await worked(
    swarm,
    script,
    `echo log >build.log; git add --force build.log; ${GIT} commit --quiet --message=log`,
  );
  const refuses = async (args: Readonly<Record<string, unknown>>, words: RegExp): Promise<void> => {
    const before = await stateOf(repo);
    const { text, isError } = await merge(swarm, args);
    assert.ok(isError, text);
    assert.match(text, words);
    assert.deepEqual(await stateOf(repo), before);
  };
  const update = { task_id: id, update_checkout: true };
  await refuses({ task_id: id }, /main is checked out in .*update_checkout=true.*name another branch with into/);
  await repo.write("a", "mine\n");
  await refuses(update, /has changes of its own: a\. Commit them, or name another branch with into/);
  await repo.git("add", "a");
  await refuses(update, /has changes of its own: a\./);
  await repo.git("reset", "--quiet", "--hard");
  await repo.write("deep/new", "mine\n");
  await refuses(update, /would be overwritten/);
  await Deno.remove(join(repo.path, "deep"), { recursive: true });
  await repo.write("build.log", "mine\n");
  await refuses({ ...update, task_id: log }, /would be overwritten/);
  await Deno.remove(join(repo.path, "build.log"));
  await repo.write(".git/index.lock", "");
  await refuses(update, /the index of .* is locked by another git \(.*index\.lock\)/);
  await Deno.remove(join(repo.path, ".git", "index.lock"));
  // A name that stands for the branch is the branch.
  await repo.git("symbolic-ref", "refs/heads/alias", "refs/heads/main");
  await refuses({ task_id: id, into: "alias" }, /alias is checked out in/);
  await repo.git("symbolic-ref", "--delete", "refs/heads/alias");
  // What nobody has asked for stays.
  await repo.write("untracked", "mine\n");
  const { structured } = await merge(swarm, update);
  assert.deepEqual([structured.merged, structured.checkout], [true, await Deno.realPath(repo.path)]);
  assert.equal(await repo.git("status", "--porcelain"), "?? untracked");
  assert.equal(await repo.git("ls-files"), ".gitignore\na\ndeep/new\nlink\nrun");
  assert.deepEqual(await Deno.readTextFile(join(repo.path, "deep", "new")), "new\n");
  assert.equal((await Deno.lstat(join(repo.path, "run"))).mode! & 0o100, 0o100);
  // There is nothing more to bring: so nothing stands in the way.
  await repo.write("a", "mine\n");
  assert.match((await merge(swarm, { task_id: id })).text, /main has all of it already/);
  await repo.git("checkout", "--quiet", "a");
  // Another worktree of the user's.
  const linked = join(other.path, "linked");
  await repo.git("worktree", "add", "--quiet", "-b", "side", linked);
  await refuses({ task_id: log, into: "side" }, new RegExp(`side is checked out in ${linked}`));
  assert.equal((await merge(swarm, { task_id: log, into: "side", update_checkout: true })).structured.checkout, linked);
  assert.equal(await Deno.readTextFile(join(linked, "build.log")), "log\n");
  await repo.git("worktree", "add", "--quiet", "--force", `${linked}.too`, "side");
  const [more = ""] = await worked(swarm, "echo more >more");
  await refuses({ task_id: more, into: "side", update_checkout: true }, /side is checked out in both/);
  await repo.git("worktree", "remove", `${linked}.too`);
  await Deno.rename(linked, `${linked}.moved`);
  const [late = ""] = await worked(swarm, "echo late >late");
  await refuses({ task_id: late, into: "side", update_checkout: true }, /linked, which is not there/);
});

const MOVES = "git update-ref refs/heads/other refs/tags/v1";

Deno.test(
  { name: "codex_merge leaves a branch alone that is being rebased, or that an agent works on", ignore },
  async () => {
    await using repo = await tempRepo({ files: { a: "a\n" } });
    await using swarm = await startSwarm({ cwd: repo.path });
    const running = await startWork(swarm, "echo x >x; git add x", {
      goesOn: `fake:say(ready) fake:hold(${swarm.cwd}/.git/go)`,
    });
    const { worktree_branch } = await waitForTask(swarm, running, ({ answer }) => answer === "ready");
    const [id = ""] = await worked(swarm, "echo one >one");
    const refused = async (into: string): Promise<string> => {
      const before = await stateOf(repo);
      const { text, isError } = await merge(swarm, { task_id: id, into, update_checkout: true });
      assert.ok(isError, text);
      assert.deepEqual(await stateOf(repo), before);
      return text;
    };
    assert.match(await refused(worktree_branch), new RegExp(`is checked out in .*, and task ${running} works in it`));
    await repo.git("checkout", "--quiet", "-b", "side");
    await repo.write("a", "side\n");
    await repo.git("commit", "--quiet", "--all", "--message=side");
    await repo.git("checkout", "--quiet", "main");
    await repo.write("a", "main\n");
    await repo.git("commit", "--quiet", "--all", "--message=main");
    await assert.rejects(repo.git("rebase", "side"));
    assert.match(await refused("main"), /main is being rebased \(.*\.git\)\. End that first/);
    await repo.write("a", "both\n");
    await repo.git("add", "a");
    await repo.git("-c", "core.editor=true", "rebase", "--continue");
    assert.equal((await merge(swarm, { task_id: id, into: "main", update_checkout: true })).structured.merged, true);
  },
);

Deno.test({ name: "codex_merge moves no branch that somebody else has moved meanwhile", ignore }, async () => {
  await using repo = await tempRepo();
  const check = `cd ${repo.path} && ${MOVES}`;
  await using swarm = await startSwarm({ cwd: repo.path, args: ["--allow-command", check] });
  const [id = ""] = await worked(swarm, "echo one >one");
  await repo.git("branch", "other");
  await repo.git("commit", "--quiet", "--allow-empty", "--message=later");
  await repo.git("tag", "v1");
  const { text, isError } = await merge(swarm, { task_id: id, into: "other", check });
  assert.ok(isError);
  assert.match(
    text,
    /^Cannot merge into other: git update-ref failed: .*is at .* but expected .*\. Nothing has changed\.$/,
  );
  assert.equal(await repo.git("rev-parse", "other"), await repo.git("rev-parse", "v1"));
});

const SAYS_MUCH = "i=0; while [ $i -lt 60000 ]; do echo line $i; i=$((i+1)); done; echo LAST; exit 3";
const CHANGES = "sleep 600 & echo changed >README.md; mkdir closed; echo x >closed/x; chmod 500 closed";
const FAILS_ON_TWO = "test ! -e two";
const LASTS = "echo $$ >$MARK; exec sleep 600";

Deno.test({ name: "codex_merge tells what a check has said, and on which task it failed", ignore }, async () => {
  await using repo = await tempRepo();
  const allowed = [SAYS_MUCH, CHANGES, FAILS_ON_TWO].flatMap((command) => ["--allow-command", command]);
  await using swarm = await startSwarm({ cwd: repo.path, args: allowed, clientName: "codex-mcp-client" });
  const ids = await worked(swarm, "echo one >one", "echo two >two", "echo three >three");
  await repo.git("branch", "other");
  const before = await stateOf(repo);
  const args = { task_ids: ids, into: "other" };
  const failed = await merge(swarm, { ...args, check: FAILS_ON_TWO });
  assert.deepEqual([failed.isError, failed.structured.culprit, failed.structured.reason], [
    true,
    ids[1],
    "check_failed",
  ]);
  assert.match(failed.structured.next, new RegExp(`^First merge the others: codex_merge\\(task_ids=\\["${ids[0]}"\\]`));
  assert.ok(failed.structured.next.includes(`mend that: ${FAILS_ON_TWO}"`), failed.structured.next);
  const said = await merge(swarm, { ...args, check: SAYS_MUCH });
  assert.match(
    said.structured.check_output,
    /^`i=0[^]* ended with exit code 3:[^]*the middle is left out[^]*line 59999\nLAST$/,
  );
  assert.ok(Math.max(said.text.length, JSON.stringify(said.structured).length) <= 10_000);
  const quoted = `echo "it's" 'so' >&2; exit 4`;
  assert.equal(
    (await merge(swarm, { ...args, check: quoted })).structured.check_output,
    `\`${quoted}\` ended with exit code 4:\nit's so`,
  );
  assert.deepEqual(await stateOf(repo), before);
  assert.equal((await merge(swarm, { ...args, check: CHANGES })).structured.merged, true);
  assert.equal(await repo.git("show", "other:README.md"), "# Test");
  assert.deepEqual(Array.from(Deno.readDirSync(join(swarm.stateDir, "checks"))), []);
});

Deno.test({ name: "codex_merge changes nothing once its call is cancelled, and ends its check", ignore }, async () => {
  await using repo = await tempRepo();
  await using other = await tempDirectory();
  const mark = join(other.path, "pid");
  await using swarm = await startSwarm({ cwd: repo.path, args: ["--allow-command", LASTS], env: { MARK: mark } });
  const [id = ""] = await worked(swarm, "echo one >one");
  await repo.git("branch", "other");
  const before = await stateOf(repo);
  const cancel = new AbortController();
  const call = swarm.call("codex_merge", { task_id: id, into: "other", check: LASTS }, { signal: cancel.signal });
  const pid = await waitFor(() => Number(Deno.readTextFileSync(mark)), { message: "the check to run" });
  cancel.abort();
  await assert.rejects(call);
  const checks = join(swarm.stateDir, "checks");
  await waitFor(async () => !await isAlive(pid) && Array.from(Deno.readDirSync(checks)).length === 0, {
    message: "the check and its files to be gone",
  });
  assert.deepEqual(await stateOf(repo), before);
});

Deno.test({ name: "codex_merge leaves no check behind when its server is killed", ignore }, async () => {
  await using repo = await tempRepo();
  await using other = await tempDirectory();
  const mark = join(other.path, "pid");
  await using yard = await serversYard({ repo });
  const options = { args: ["--allow-command", LASTS, "--allow-command", "true"], env: { MARK: mark } };
  await using swarm = await yard.start(options);
  const [id = ""] = await worked(swarm, "echo one >one");
  await repo.git("branch", "other");
  const before = await stateOf(repo);
  const call = merge(swarm, { task_id: id, into: "other", check: LASTS });
  const pid = await waitFor(() => Number(Deno.readTextFileSync(mark)), { message: "the check to run" });
  await killServer(swarm);
  await assert.rejects(call);
  await waitFor(async () => !await isAlive(pid), { message: "the check to be gone" });
  assert.deepEqual(await stateOf(repo), before);
  const checks = join(yard.stateDir, "checks");
  const left = namesIn(checks);
  assert.notEqual(left.length, 0);
  const longAgo = new Date(Date.now() - 86_400_000);
  for (const name of left) await Deno.utime(join(checks, name), longAgo, longAgo);
  await using next = await yard.start(options);
  assert.equal((await merge(next, { task_id: id, into: "other", check: "true" })).structured.merged, true);
  assert.deepEqual(namesIn(checks), []);
});

Deno.test(
  { name: "codex_merge of two servers at once brings all in, or says what stands in the way", ignore },
  async () => {
    await using repo = await tempRepo();
    await using yard = await serversYard({ repo });
    await using first = await yard.start();
    await using second = await yard.start();
    const ids = await worked(first, ...["a", "b", "c", "d", "e", "f"].map((name) => `echo ${name} >${name}`));
    const merged: string[] = [];
    for (let rest = ids; rest.length > 0; rest = ids.filter((id) => !merged.includes(id))) {
      await Promise.all(rest.map(async (id, index) => {
        const swarm = index % 2 === 0 ? first : second;
        const { text, isError } = await merge(swarm, { task_id: id, update_checkout: true });
        if (!isError) merged.push(id);
        else {assert.match(
            text,
            /^Cannot merge.*(index\.lock|stands on|update-ref failed|has changes of its own|index file open failed).*Nothing has changed\.$/,
          );}
      }));
      assert.equal(await repo.git("status", "--porcelain"), "");
    }
    assert.equal(await repo.git("ls-files"), "README.md\na\nb\nc\nd\ne\nf");
  },
);

Deno.test({ name: "codex_merge leaves a checkout alone in which an agent may write", ignore }, async () => {
  await using repo = await tempRepo();
  await using swarm = await startSwarm({ cwd: repo.path });
  const [id = ""] = await worked(swarm, "echo new >new");
  const update = { task_id: id, update_checkout: true };
  const writer = await startTask(swarm, "fake:hold(go)", { sandbox: "workspace-write" });
  const { text, isError } = await merge(swarm, update);
  assert.ok(isError, text);
  assert.match(text, new RegExp(`main is checked out in .*, and task ${writer} works in it`));
  await swarm.call("codex_cancel", { task_id: writer });
  await startTask(swarm, "fake:hold(go)", { sandbox: "read-only" });
  const merged = await merge(swarm, update);
  assert.ok(!merged.isError, merged.text);
  assert.equal(await Deno.readTextFile(join(repo.path, "new")), "new\n");
});

for (const kind of ["a submodule", "a git directory elsewhere"]) {
  Deno.test({ name: `codex_merge knows the checkout of ${kind}`, ignore }, async () => {
    await using repo = await tempRepo({ files: { a: "a\n" } });
    await using outer = await tempRepo();
    const cwd = join(outer.path, "inner");
    if (kind === "a submodule") {
      await outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", repo.path, "inner");
    } else {
      await outer.git("clone", "--quiet", `--separate-git-dir=${join(outer.path, "elsewhere")}`, repo.path, cwd);
    }
    await outer.git("-C", cwd, "checkout", "--quiet", "-B", "mine");
    await using swarm = await startSwarm({ cwd });
    const [id = ""] = await worked(swarm, "echo new >new; echo b >a");
    const refused = await merge(swarm, { task_id: id });
    assert.match(refused.text, /mine is checked out in .*inner\. Pass update_checkout=true/);
    const merged = await merge(swarm, { task_id: id, update_checkout: true });
    assert.ok(!merged.isError, merged.text);
    assert.deepEqual([await Deno.readTextFile(join(cwd, "new")), await Deno.readTextFile(join(cwd, "a"))], [
      "new\n",
      "b\n",
    ]);
    assert.equal(await outer.git("-C", cwd, "status", "--porcelain"), "");
  });
}
