/** Defects of codex-mcp-swarm in its worktrees; the numbers are those of the project's list. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { Git } from "../../src/git/git.ts";
import { writeExecutable } from "../helpers/executable.ts";
import { type ServersYard, serversYard } from "../helpers/servers_yard.ts";
import type { Swarm } from "../helpers/swarm.ts";
import { startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { type TempRepo, tempRepo } from "../helpers/temp_repo.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";

/** Has a task run to its end; gives its data. */
// deno-lint-ignore no-explicit-any
async function run(swarm: Swarm, prompt: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<any> {
  const id = await startTask(swarm, prompt, { worktree: true, ...parameters });
  const { structured: { tasks: [task] } } = await swarm.call("codex_wait", { task_ids: [id] });
  assert.equal(task.status, "completed", JSON.stringify(task));
  return task;
}

for (const tool of ["codex", "codex_async", "spawn_agent"]) {
  Deno.test(
    { name: `B1: git merge codex-swarm/<id> brings in what an agent of ${tool} has done`, ignore },
    async () => {
      await using repo = await tempRepo();
      await using yard = await serversYard({ repo });
      await using swarm = await yard.start();
      const prompt = "fake:write(README.md, changed) fake:write(deep/new, new) fake:say(Wrote it.)";
      const { isError, text } = await swarm.call(tool, { prompt, worktree: true });
      assert.ok(!isError, text);
      const { structured: { tasks: [{ task_id: id }] } } = await swarm.call("codex_status", { all: true });
      await waitForStatus(swarm, id, "completed");
      assert.match(await repo.git("merge", `codex-swarm/${id}`), /Fast-forward/);
      const read = (name: string): Promise<string> => Deno.readTextFile(join(repo.path, name));
      assert.deepEqual([await read("README.md"), await read("deep/new")], ["changed", "new"]);
      assert.deepEqual([await repo.git("status", "--porcelain"), await repo.git("log", "-1", "--format=%s")], [
        "",
        "Wrote it.",
      ]);
      // Of an agent that has done nothing there is nothing to merge (control).
      const idle = await run(swarm, "fake:say(done)");
      assert.match(await repo.git("merge", idle.worktree_branch), /^Already up to date/);
    },
  );
}

/** As if the task, and what is in its worktree, were long over when the next server starts. */
async function makeOld({ stateDir }: ServersYard, id: string): Promise<void> {
  for (const file of [join(stateDir, "tasks", id, "task.json"), join(stateDir, "work", id, "work.json")]) {
    const text = await Deno.readTextFile(file).catch(() => null);
    if (text === null) continue;
    await Deno.writeTextFile(file, text.replaceAll(/\d{4}(-\d\d-\d\dT\d\d:\d\d:\d\d)/g, "2001$1"));
  }
  await Deno.remove(join(stateDir, "tasks", ".index"), { recursive: true }).catch(() => undefined);
}

async function gc(repo: TempRepo): Promise<void> {
  await repo.git("reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all");
  await repo.git("gc", "--quiet", "--prune=now");
}

const COMMIT =
  "echo committed >committed; git add committed; git -c user.name=A -c user.email=a@b.c commit -qm committed";

for (
  const { what, status, goesOn } of [
    { what: "has ended", status: "completed", goesOn: "fake:say(done)" },
    { what: "was cancelled", status: "cancelled", goesOn: "fake:say(left) fake:hold(../never)" },
  ]
) {
  Deno.test(
    { name: `B2: neither commits nor edits of an agent that ${what} are lost when they age out`, ignore },
    async () => {
      await using repo = await tempRepo();
      await using yard = await serversYard({ repo });
      const left: { readonly id: string; readonly path: string; readonly tip: string } = await (async () => {
        await using swarm = await yard.start();
        const prompt = `fake:run(${COMMIT}; echo dirty >>README.md; echo new >untracked) ${goesOn}`;
        const id = await startTask(swarm, prompt, { worktree: true, sandbox: "danger-full-access" });
        if (status === "cancelled") {
          await waitForTask(swarm, id, ({ answer }) => answer === "left");
          await swarm.call("codex_cancel", { task_id: id });
        }
        const { worktree_path: path, worktree_branch } = await waitForStatus(swarm, id, status);
        // What somebody has done there since.
        await Deno.writeTextFile(join(path, "later"), "later\n");
        return { id, path, tip: await repo.git("rev-parse", worktree_branch) };
      })();
      const env = { CODEX_SWARM_TASK_MAX_AGE: "1s" };
      await makeOld(yard, left.id);
      {
        // Where somebody has just worked it stays for as long again.
        await using _swarm = await yard.start({ env });
        const record = join(yard.stateDir, "work", left.id, "work.json");
        const isNoted = async (): Promise<boolean> => !/"keptAt": ?"2001/.test(await Deno.readTextFile(record));
        await waitFor(isNoted, { message: "what was done since to be kept" });
      }
      await Deno.lstat(left.path);
      await makeOld(yard, left.id);
      await using swarm = await yard.start({ env });
      const isGone = (path: string): Promise<boolean> => Deno.lstat(path).then(() => false, () => true);
      await waitFor(() => isGone(left.path), { message: "the worktree to age out" });
      await waitFor(() => isGone(yard.task(left.id)), { message: "the task too" });
      // As codex-mcp-swarm did it (control).
      await repo.git("branch", "theirs", left.tip);
      await repo.git("checkout", "--quiet", "theirs");
      await repo.git("commit", "--quiet", "--allow-empty", "--message=theirs");
      const lost = await repo.git("rev-parse", "HEAD");
      await repo.git("checkout", "--quiet", "main");
      await repo.git("branch", "--quiet", "-D", "theirs");
      await gc(repo);
      await assert.rejects(repo.git("cat-file", "-e", lost));
      assert.equal(await repo.git("rev-parse", `codex-swarm/${left.id}`), left.tip);
      const { structured, isError, text } = await swarm.call("codex_restore", { task_id: left.id });
      assert.ok(!isError, text);
      const read = (name: string): Promise<string> => Deno.readTextFile(join(structured.worktree_path, name));
      assert.deepEqual(
        [await read("committed"), await read("README.md"), await read("untracked"), await read("later")],
        [
          "committed\n",
          "# Test\ndirty\n",
          "new\n",
          "later\n",
        ],
      );
      await repo.git("merge", "--quiet", `codex-swarm/${left.id}`);
      assert.equal(await Deno.readTextFile(join(repo.path, "README.md")), "# Test\ndirty\n");
    },
  );
}

for (const sandbox of ["read-only", "workspace-write"]) {
  Deno.test(
    { name: `B3: replies to a thread in a worktree run there, ${sandbox} and with its settings`, ignore },
    async () => {
      await using yard = await serversYard();
      // What codex-mcp-swarm's README recommends.
      await using swarm = await yard.start({ args: ["-c", 'sandbox_mode="danger-full-access"'] });
      const task = await run(swarm, "fake:write(first, 1)", {
        sandbox,
        model: "gpt-mine",
        config: { "tools.web_search": true },
        "reasoning-effort": "low",
      });
      const call = { threadId: task.thread_id, prompt: "fake:write(second, 2)" };
      for (const tool of ["codex_reply", "codex-reply"]) {
        const { isError, text } = await swarm.call(tool, call);
        assert.ok(!isError, text);
      }
      const [first, ...replies] = yard.codex.ledger();
      assert.equal(replies.length, 2);
      for (const { cwd, args, threadId } of replies) {
        assert.deepEqual([cwd, threadId], [task.worktree_path, task.thread_id]);
        const settings = args.join(" ");
        // The flag ranks above the server's setting.
        assert.equal(args[args.indexOf("-s") + 1], sandbox);
        assert.match(settings, /gpt-mine/);
        assert.match(settings, /tools\.web_search=true/);
        assert.match(settings, /model_reasoning_effort="?low/);
      }
      assert.equal(first?.cwd, task.worktree_path);
      const isWritten = sandbox === "workspace-write";
      for (const [name, place] of [["first", task.worktree_path], ["second", task.worktree_path]] as const) {
        const isThere = await Deno.stat(join(place, name)).then(() => true, () => false);
        assert.equal(isThere, isWritten);
      }
      assert.deepEqual(Array.from(Deno.readDirSync(yard.cwd), ({ name }) => name).sort(), [".git", "README.md"]);
    },
  );
}

Deno.test({ name: "B3: a reply to a thread whose worktree was removed is not run elsewhere", ignore }, async () => {
  await using yard = await serversYard();
  await using swarm = await yard.start();
  const removals = {
    "by codex_cleanup": (id: string) => swarm.call("codex_cleanup", { task_ids: [id], dry_run: false }),
    "by its user": (id: string) => Deno.remove(join(yard.stateDir, "worktrees", id), { recursive: true }),
  };
  for (const [how, remove] of Object.entries(removals)) {
    const task = await run(swarm, "fake:write(new, new)");
    await remove(task.task_id);
    await assert.rejects(Deno.lstat(task.worktree_path), Deno.errors.NotFound, how);
    const starts = yard.codex.ledger().length;
    const refused = await swarm.call("codex_reply", { threadId: task.thread_id, prompt: "fake:write(more, more)" });
    assert.ok(refused.isError, refused.text);
    assert.ok(refused.text.includes(`codex_restore(task_id="${task.task_id}")`), refused.text);
    assert.equal(yard.codex.ledger().length, starts);
    // The way out.
    const { structured } = await swarm.call("codex_restore", { task_id: task.task_id });
    const again = await swarm.call("codex", {
      threadId: task.thread_id,
      cwd: structured.worktree_path,
      prompt: "fake:write(more, more)",
    });
    assert.ok(!again.isError, again.text);
    const read = (name: string): Promise<string> => Deno.readTextFile(join(structured.worktree_path, name));
    assert.deepEqual([await read("new"), await read("more")], ["new", "more"]);
  }
  assert.deepEqual(Array.from(Deno.readDirSync(yard.cwd), ({ name }) => name).sort(), [".git", "README.md"]);
});

Deno.test({ name: "B25: what is not committed is taken along with base wip, and named without", ignore }, async () => {
  await using repo = await tempRepo({ files: { a: "a\n", gone: "gone\n", ".gitignore": "*.log\n" } });
  await using yard = await serversYard({ repo });
  await using swarm = await yard.start();
  await repo.write("a", "changed\n");
  await repo.write("staged", "staged\n");
  await repo.git("add", "staged");
  await repo.write("untracked", "untracked\n");
  await repo.write("ignored.log", "ignored\n");
  await Deno.remove(join(repo.path, "gone"));
  const status = await repo.git("status", "--porcelain");
  const names = (path: string): string[] => Array.from(Deno.readDirSync(path), ({ name }) => name).sort();
  const wip = await run(swarm, "fake:say(done)", { worktree: { base: "wip" } });
  assert.deepEqual(names(wip.worktree_path), [".git", ".gitignore", "a", "staged", "untracked"]);
  assert.equal(await Deno.readTextFile(join(wip.worktree_path, "a")), "changed\n");
  const head = await run(swarm, "fake:say(done)");
  assert.deepEqual(names(head.worktree_path), [".git", ".gitignore", "a", "gone"]);
  assert.match(head.notes.join("\n"), /: a, gone, staged, untracked\. Pass worktree=\{"base": "wip"\}/);
  assert.equal(await repo.git("status", "--porcelain"), status);
});

Deno.test({ name: "B25: a branch begins at the base that is named", ignore }, async () => {
  await using repo = await tempRepo({ files: { a: "old\n" } });
  const old = await repo.git("rev-parse", "HEAD");
  await repo.git("branch", "release");
  await repo.write("a", "new\n");
  await repo.git("commit", "--quiet", "--all", "--message=new");
  await using yard = await serversYard({ repo });
  await using swarm = await yard.start();
  for (const base of ["release", old, "HEAD~1"]) {
    const task = await run(swarm, "fake:say(done)", { worktree: { base } });
    assert.equal(await repo.git("rev-parse", task.worktree_branch), old);
    assert.equal(await Deno.readTextFile(join(task.worktree_path, "a")), "old\n");
  }
});

Deno.test({ name: "B25: a setup command makes a worktree ready once a person has approved it", ignore }, async () => {
  const setup = "cat a >made && echo out";
  await using repo = await tempRepo({ files: { a: "a\n" } });
  await using yard = await serversYard({ repo });
  {
    await using swarm = await yard.start();
    const { isError, text } = await swarm.call("codex_async", { prompt: "fake:say(never)", worktree: { setup } });
    assert.ok(isError);
    assert.match(text, /a person must approve the setup command first/);
  }
  await using swarm = await yard.start({ args: ["--allow-command", setup, "--allow-command", "exit 3"] });
  const task = await run(swarm, "fake:say(done)", { worktree: { setup } });
  assert.equal(await Deno.readTextFile(join(task.worktree_path, "made")), "a\n");
  const id = await startTask(swarm, "fake:say(never)", { worktree: { setup: "exit 3" } });
  const failed = await waitForStatus(swarm, id, "failed");
  assert.equal(failed.failure.class, "setup_failed");
  assert.equal(yard.codex.ledger().length, 1);
});

for (const kind of ["bare", "separate"]) {
  Deno.test(
    { name: `B25: a merged branch goes with its worktree where the common directory is ${kind}`, ignore },
    async () => {
      await using place = await tempDirectory();
      await using repo = await tempRepo();
      const cwd = join(place.path, "work");
      const gitDir = join(place.path, "here.is_git");
      await repo.git(
        "clone",
        "--quiet",
        ...(kind === "bare" ? ["--bare", ".", gitDir] : [`--separate-git-dir=${gitDir}`, ".", cwd]),
      );
      if (kind === "bare") await repo.git("-C", gitDir, "worktree", "add", "--quiet", "-b", "mine", cwd);
      await using yard = await serversYard({ repo: { path: cwd } });
      await using swarm = await yard.start();
      const merged = await run(swarm, "fake:write(new, new)");
      const unmerged = await run(swarm, "fake:write(other, other)");
      const { isError, text } = await swarm.call("codex_merge", { task_id: merged.task_id, update_checkout: true });
      assert.ok(!isError, text);
      await swarm.call("codex_cleanup", { task_ids: [merged.task_id, unmerged.task_id], dry_run: false });
      const branches = await repo.git("-C", gitDir, "for-each-ref", "--format=%(refname)", "refs/heads/codex-swarm/");
      assert.equal(branches, `refs/heads/${unmerged.worktree_branch}`);
      assert.deepEqual(
        Array.from(Deno.readDirSync(dirname(merged.worktree_path)), ({ name }) => name).filter((name) =>
          !name.startsWith(".")
        ),
        [],
      );
    },
  );
}

for (const how of ["sleep 1000", "trap '' TERM; sleep 1000; sleep 1000"]) {
  Deno.test({ name: `B25: a git that does not end is ended (${how})`, ignore }, async () => {
    await using place = await tempDirectory();
    writeExecutable(join(place.path, "git"), `#!/bin/sh\n${how}\n`);
    const git = new Git({ PATH: `${place.path}:${Deno.env.get("PATH")}` });
    const begun = performance.now();
    await assert.rejects(git.run(["status"], { timeoutMs: 100 }), /git status did not end within 0\.1 s/);
    assert.ok(performance.now() - begun < 20_000);
  });
}
