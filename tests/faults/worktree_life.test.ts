/** What may happen to a worktree's server and task while it is made, made ready, worked in again and taken away. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { writeExecutable } from "../helpers/executable.ts";
import { isAlive } from "../helpers/processes.ts";
import { killServer, type ServersYard, serversYard } from "../helpers/servers_yard.ts";
import type { Swarm } from "../helpers/swarm.ts";
import { startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";
import { type TempRepo, tempRepo } from "../helpers/temp_repo.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";

/** Numbers that a script has written, a line each, when there are so many. */
async function numbersIn(path: string, count: number): Promise<number[]> {
  return await waitFor(async () => {
    const lines = (await Deno.readTextFile(path).catch(() => "")).split("\n").filter((line) => line !== "");
    return lines.length >= count ? lines.map(Number) : null;
  }, { message: `${count} lines in ${path}` });
}

async function branches(repo: TempRepo): Promise<string[]> {
  return (await repo.git("branch", "--format=%(refname:short)")).split("\n");
}

/** Nothing is left of a worktree that was to be made. */
async function assertNothingLeft(repo: TempRepo, { stateDir }: ServersYard): Promise<void> {
  assert.deepEqual(await branches(repo), ["main"]);
  assert.equal((await repo.git("worktree", "list")).split("\n").length, 1);
  const left = Array.from(Deno.readDirSync(join(stateDir, "worktrees")), ({ name }) => name);
  assert.deepEqual(left.filter((name) => /^[0-9a-f]{8}|^\.trash/.test(name)), []);
}

for (
  const { what, verb, isAfter } of [
    { what: "before git has begun with it", verb: "worktree add", isAfter: false },
    { what: "when it is registered", verb: "worktree add", isAfter: true },
    { what: "before its files are written", verb: "read-tree --reset", isAfter: false },
    { what: "when its files are written", verb: "read-tree --reset", isAfter: true },
  ]
) {
  Deno.test(
    { name: `a task whose server is killed while its worktree is made, ${what}, runs in the next one`, ignore },
    async () => {
      await using repo = await tempRepo();
      await using yard = await serversYard({ repo });
      const bin = join(yard.codex.home, "bin");
      await Deno.mkdir(bin);
      await new Deno.Command("mkfifo", { args: [join(bin, "gate")] }).output();
      const git = new TextDecoder().decode((await new Deno.Command("which", { args: ["git"] }).output()).stdout).trim();
      const hold = `echo $$ >${bin}/pid; read _ <${bin}/gate`;
      const order = isAfter ? `${git} "$@"; ${hold}` : `${hold}; exec ${git} "$@"`;
      writeExecutable(
        join(bin, "git"),
        `#!/bin/sh\ncase "$*" in *"${verb}"*) ${order}; exit ;; esac\nexec ${git} "$@"\n`,
      );
      await using first = await yard.start({ env: { PATH: `${bin}:${Deno.env.get("PATH")}` } });
      const id = await startTask(first, "fake:write(new) fake:say(done)", { worktree: true });
      const [pid = 0] = await numbersIn(join(bin, "pid"), 1);
      await killServer(first);
      Deno.kill(pid, "SIGKILL");
      await using second = await yard.start();
      const { answer, work } = await waitForStatus(second, id, "completed");
      assert.deepEqual([answer, work.problem, work.files], ["done", undefined, 1]);
      assert.deepEqual(await branches(repo), [`codex-swarm/${id}`, "main"]);
      assert.equal((await repo.git("worktree", "list")).split("\n").length, 2);
      assert.match(await repo.git("show", `codex-swarm/${id}:new`), /written by the fake/);
    },
  );
}

Deno.test(
  { name: "a setup runs only as the words that a person has approved; nothing is started else", ignore },
  async () => {
    await using repo = await tempRepo();
    await using yard = await serversYard({ repo });
    await using swarm = await yard.start({ args: ["--allow-command", "echo ready >made"] });
    for (const setup of ["echo ready >made ", "echo  ready >made", "echo ready >made; :", "echo", ""]) {
      const { text, isError } = await swarm.call("codex", { prompt: "fake:say(no)", worktree: { setup } });
      assert.ok(isError, setup);
      assert.match(text, /a person must approve the setup command|setup/);
    }
    assert.deepEqual([yard.codex.ledger(), await branches(repo)], [[], ["main"]]);
    const setup = "echo ready >made";
    const { structured, isError, text } = await swarm.call("codex", {
      prompt: "fake:run(cat made)",
      worktree: { setup },
    });
    assert.ok(!isError, text);
    assert.equal(await Deno.readTextFile(join(structured.worktree_path, "made")), "ready\n");
  },
);

Deno.test({ name: "a setup's output is kept, and a reply does not have it run again", ignore }, async () => {
  await using repo = await tempRepo();
  await using yard = await serversYard({ repo });
  const setup = "echo told; echo warned >&2; pwd >>../ran";
  await using swarm = await yard.start({ args: ["--allow-command", setup] });
  const { structured } = await swarm.call("codex", { prompt: "fake:say(a)", worktree: { setup } });
  const { threadId, task_id: id, worktree_path: path, worktree_branch: branch } = structured;
  const log = join(yard.stateDir, "work", id, "setup.log");
  assert.equal(await Deno.readTextFile(log), `$ ${setup}\ntold\nwarned\n`);
  const reply = await swarm.call("codex_reply", { threadId, prompt: "fake:write(more)" });
  assert.deepEqual([reply.structured.worktree_path, reply.structured.worktree_branch], [path, branch]);
  assert.equal(await Deno.readTextFile(join(path, "..", "ran")), `${await Deno.realPath(path)}\n`);
  assert.deepEqual(await branches(repo), [branch, "main"]);
  assert.match(await repo.git("show", `${branch}:more`), /written by the fake/);
});

Deno.test({ name: "a setup that fails ends the task with what it said, and starts no agent", ignore }, async () => {
  await using repo = await tempRepo();
  await using yard = await serversYard({ repo });
  const setup = "seq 1 100000; echo no such thing >&2; exit 7";
  await using swarm = await yard.start({ args: ["--allow-command", setup] });
  const { structured, text, isError } = await swarm.call("codex", { prompt: "fake:say(no)", worktree: { setup } });
  assert.ok(isError);
  const { failure, task_id: id } = structured;
  assert.equal(failure.class, "setup_failed");
  assert.match(failure.message, /ended with exit code 7: [^]*100000\nno such thing \(all of it: .*setup\.log\)/);
  assert.match(text, /no such thing/);
  assert.match(await Deno.readTextFile(join(yard.stateDir, "work", id, "setup.log")), /\n1\n2\n[^]*no such thing\n$/);
  assert.deepEqual(yard.codex.ledger(), []);
  await assertNothingLeft(repo, yard);
});

Deno.test(
  { name: "a task that is cancelled during its setup ends with all that this has started", ignore },
  async () => {
    await using repo = await tempRepo();
    await using yard = await serversYard({ repo });
    const setup = "echo $$ >>../pids; sh -c 'echo $$ >>../pids; exec sleep 1000' & wait";
    await using swarm = await yard.start({ args: ["--allow-command", setup] });
    const id = await startTask(swarm, "fake:say(no)", { worktree: { setup } });
    const pids = await numbersIn(join(yard.stateDir, "worktrees", "pids"), 2);
    await swarm.call("codex_cancel", { task_id: id });
    await waitForStatus(swarm, id, "cancelled");
    for (const pid of pids) await waitFor(async () => !await isAlive(pid), { message: `process ${pid} to end` });
    assert.deepEqual(yard.codex.ledger(), []);
    await assertNothingLeft(repo, yard);
  },
);

for (const what of ["is killed", "is ended by its client"]) {
  Deno.test({ name: `a setup ends with a server that ${what}; the next server has it run anew`, ignore }, async () => {
    await using repo = await tempRepo();
    await using yard = await serversYard({ repo });
    const setup = "echo $$ >>../pids; echo x >>count; [ -e ../go ] || sleep 1000";
    const args = ["--allow-command", setup];
    await using first = await yard.start({ args });
    const id = await startTask(first, "fake:run(cat count) fake:say(done)", { worktree: { setup } });
    const [pid = 0] = await numbersIn(join(yard.stateDir, "worktrees", "pids"), 1);
    if (what === "is killed") await killServer(first);
    else await first[Symbol.asyncDispose]();
    await waitFor(async () => !await isAlive(pid), { message: "the setup to end" });
    await Deno.writeTextFile(join(yard.stateDir, "worktrees", "go"), "");
    await using second = await yard.start({ args });
    const { worktree_path } = await waitForStatus(second, id, "completed");
    assert.equal(await Deno.readTextFile(join(worktree_path, "count")), "x\n");
    await numbersIn(join(yard.stateDir, "worktrees", "pids"), 2);
    assert.deepEqual(await branches(repo), [`codex-swarm/${id}`, "main"]);
  });
}

Deno.test({ name: "a name that a branch has is refused before anything is started", ignore }, async () => {
  await using repo = await tempRepo();
  await using yard = await serversYard({ repo });
  await using swarm = await yard.start();
  const worktree = { name: "mine" };
  const first = await swarm.call("codex", { prompt: "fake:say(a)", worktree });
  assert.equal(first.structured.worktree_branch, "codex-swarm/mine");
  const { text, isError } = await swarm.call("codex", { prompt: "fake:say(b)", worktree });
  assert.ok(isError);
  assert.match(text, /there is a branch codex-swarm\/mine already/);
  assert.equal(yard.codex.ledger().length, 1);
});

/** Starts an agent that waits in its worktree; gives its task. */
async function waiting(swarm: Swarm): Promise<{ readonly id: string; readonly path: string }> {
  const id = await startTask(swarm, "fake:write(new) fake:say(half) fake:hold(../go)", { worktree: true });
  const { worktree_path: path } = await waitForTask(swarm, id, ({ answer }) => answer === "half");
  return { id, path };
}

Deno.test({ name: "whoever takes a task over keeps at once what its agent has done so far", ignore }, async () => {
  await using repo = await tempRepo();
  await using yard = await serversYard({ repo });
  await using first = await yard.start();
  const { id } = await waiting(first);
  const refs = (): Promise<string> => repo.git("for-each-ref", "--format=%(refname)", `refs/codex-swarm/snap/${id}/`);
  // As long as its agent works and its server lives there is none (control).
  assert.equal(await refs(), "");
  await killServer(first);
  await using second = await yard.start();
  await waitFor(async () => await refs() !== "", { message: "a snapshot" });
  assert.match(await repo.git("show", `${await refs()}:new`), /written/);
  assert.equal((await waitForStatus(second, id, "running")).status, "running");
});

Deno.test({
  name: "no server takes a worktree away in which another one's agent works, also when that server is dead",
  ignore,
}, async () => {
  await using repo = await tempRepo();
  await using yard = await serversYard({ repo });
  await using first = await yard.start();
  const { id, path } = await waiting(first);
  await using second = await yard.start();
  const clean = async (swarm: Swarm): Promise<string> => {
    const { structured } = await swarm.call("codex_cleanup", { task_ids: [id], dry_run: false });
    return `${structured.worktrees[0].action}: ${structured.worktrees[0].reason}`;
  };
  assert.equal(await clean(second), `keep: task ${id} works in it`);
  await killServer(first);
  assert.equal(await clean(second), `keep: task ${id} works in it`);
  assert.match(await Deno.readTextFile(join(path, "new")), /written/);
  await Deno.writeTextFile(join(path, "..", "go"), "");
  await waitForStatus(second, id, "completed");
  assert.equal(await clean(second), "remove: it was named");
});

Deno.test({
  name: "worktrees whose directory is reached by a link are made, and kept while a process is in them",
  ignore,
}, async () => {
  await using repo = await tempRepo();
  await using yard = await serversYard({ repo });
  const [place, link] = [join(yard.codex.home, "place"), join(yard.codex.home, "link")];
  await Deno.mkdir(place);
  await Deno.symlink(place, link);
  await using swarm = await yard.start({ env: { CODEX_SWARM_WORKTREE_DIR: link } });
  const { structured, text, isError } = await swarm.call("codex", { prompt: "fake:write(new)", worktree: true });
  assert.ok(!isError, text);
  const { task_id: id, worktree_path: path } = structured;
  const child = new Deno.Command("sleep", { args: ["1000"], cwd: path }).spawn();
  const clean = async (): Promise<string> => {
    const { structured } = await swarm.call("codex_cleanup", { task_ids: [id], dry_run: false });
    return structured.worktrees[0].reason;
  };
  try {
    assert.match(await clean(), /^process \d+ works in it/);
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
  assert.equal(await clean(), "it was named");
});

Deno.test({ name: "the worktrees of a newer program are neither taken away nor restored", ignore }, async () => {
  await using repo = await tempRepo();
  await using yard = await serversYard({ repo });
  await using swarm = await yard.start();
  const { structured } = await swarm.call("codex", { prompt: "fake:write(new)", worktree: true });
  const { task_id: id, worktree_path: path } = structured;
  await Deno.writeTextFile(join(yard.stateDir, "format"), "99\n");
  await using second = await yard.start();
  for (const server of [swarm, second]) {
    const looked = await server.call("codex_cleanup", { task_ids: [id] });
    assert.equal(looked.structured.worktrees[0].action, "remove");
    for (
      const answer of [
        await server.call("codex_cleanup", { task_ids: [id], dry_run: false }),
        await server.call("codex_restore", { task_id: id }),
      ]
    ) {
      assert.ok(answer.isError, answer.text);
      assert.match(answer.text, /written by a newer codex-swarm/);
    }
  }
  assert.match(await Deno.readTextFile(join(path, "new")), /written/);
  assert.deepEqual(await branches(repo), [`codex-swarm/${id}`, "main"]);
});

Deno.test(
  { name: "a thread whose worktree was removed says how it comes back, and goes on there", ignore },
  async () => {
    await using repo = await tempRepo();
    await using yard = await serversYard({ repo });
    await using swarm = await yard.start();
    const { structured } = await swarm.call("codex", { prompt: "fake:write(new)", worktree: true });
    const { task_id: id, threadId } = structured;
    await swarm.call("codex_cleanup", { task_ids: [id], dry_run: false });
    const gone = await swarm.call("codex_reply", { threadId, prompt: "fake:write(more)" });
    assert.ok(gone.isError);
    assert.match(gone.text, new RegExp(`codex_restore\\(task_id="${id}"\\)`));
    assert.equal(yard.codex.ledger().length, 1);
    const { structured: { worktree_path: path, worktree_branch: branch } } = await swarm.call("codex_restore", {
      task_id: id,
    });
    const on = await swarm.call("codex", { threadId, cwd: path, prompt: "fake:write(more)" });
    assert.ok(!on.isError, on.text);
    assert.equal(on.structured.worktree_branch, branch);
    assert.match(await repo.git("show", `${branch}:more`), /written/);
  },
);

/** Makes a branch and a worktree that have changed the same line; gives the thread of the latter. */
// deno-lint-ignore no-explicit-any
async function diverged(swarm: Swarm, repo: TempRepo): Promise<any> {
  const { structured } = await swarm.call("codex", { prompt: "fake:write(README.md, theirs)", worktree: true });
  await repo.write("README.md", "ours\n");
  await repo.git("commit", "--quiet", "--all", "--message=ours");
  return structured;
}

Deno.test(
  { name: "an agent resolves what it is given to merge, and the commit has both parents", ignore },
  async () => {
    await using repo = await tempRepo();
    await using yard = await serversYard({ repo });
    await using swarm = await yard.start();
    const { threadId, worktree_branch: branch, worktree_path: path } = await diverged(swarm, repo);
    const before = await repo.git("rev-parse", branch);
    const left = await swarm.call("codex_reply", { threadId, prompt: "fake:write(beside)", merge: "main" });
    assert.match(left.structured.work.uncommitted, /^conflicts are left in its files/);
    assert.match(await Deno.readTextFile(join(path, "README.md")), /^<{7} [^]*theirs[^]*={7}[^]*ours[^]*>{7} /m);
    assert.equal(await repo.git("rev-parse", branch), before);
    const snapshot = left.structured.work.snapshot;
    assert.match(await repo.git("show", `${snapshot}:README.md`), /<{7}/);
    assert.match(await repo.git("show", `${snapshot}:beside`), /written/);
    const done = await swarm.call("codex_reply", { threadId, prompt: "fake:write(README.md, both)" });
    assert.equal(done.structured.work.uncommitted, undefined);
    const parents = (await repo.git("show", "-s", "--format=%P", branch)).split(" ");
    assert.deepEqual(parents, [before, await repo.git("rev-parse", "main")]);
    // Nothing is left to be merged: that is no new commit.
    const again = await swarm.call("codex_reply", { threadId, prompt: "fake:say(nothing)", merge: "main" });
    assert.deepEqual([again.isError, again.structured.work.commit], [false, await repo.git("rev-parse", branch)]);
    assert.equal((await repo.git("show", "-s", "--format=%P", branch)).split(" ").length, 2);
    await repo.git("merge", "--quiet", branch);
    assert.equal(await Deno.readTextFile(join(repo.path, "README.md")), "both");
  },
);

Deno.test(
  { name: "nothing is merged into a worktree with changes that are on no branch; they stay", ignore },
  async () => {
    await using repo = await tempRepo();
    await using yard = await serversYard({ repo });
    await using swarm = await yard.start();
    const { threadId, worktree_path: path } = await diverged(swarm, repo);
    await Deno.writeTextFile(join(path, "README.md"), "mine\n");
    const { isError, text } = await swarm.call("codex_reply", { threadId, prompt: "fake:say(no)", merge: "main" });
    assert.ok(isError, text);
    assert.match(text, /has changes that are on no branch: README.md/);
    assert.equal(await Deno.readTextFile(join(path, "README.md")), "mine\n");
    assert.equal(yard.codex.ledger().length, 1);
  },
);
