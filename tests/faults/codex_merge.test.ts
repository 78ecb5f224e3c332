/** What a client sees of codex_merge: all of it comes in, or nothing has changed and the answer says how to go on. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { offeredCalls } from "../helpers/offered_calls.ts";
import { type Answer, startSwarm, type Swarm } from "../helpers/swarm.ts";
import { lookAt, startTask, waitForTask } from "../helpers/tasks.ts";
import { type TempRepo, tempRepo } from "../helpers/temp_repo.ts";
import { startWork, worked } from "../helpers/worked.ts";
import { stateOf } from "../helpers/merge_state.ts";

const ignore = Deno.build.os === "windows";
const GIT = "git -c user.name=Agent -c user.email=agent@example.com";

const merge = (swarm: Swarm, args: Readonly<Record<string, unknown>>): Promise<Answer> =>
  swarm.call("codex_merge", args);

/** The call is refused with these words, and nothing has changed. */
async function refuses(
  swarm: Swarm,
  repo: TempRepo,
  args: Readonly<Record<string, unknown>>,
  words: RegExp,
): Promise<void> {
  const before = await stateOf(repo);
  const { text, isError } = await merge(swarm, args);
  assert.ok(isError, text);
  assert.match(text, words);
  assert.deepEqual(await stateOf(repo), before);
}

async function succeeds(swarm: Swarm, args: Readonly<Record<string, unknown>>): Promise<Answer> {
  const answer = await merge(swarm, args);
  assert.ok(!answer.isError && answer.structured.merged, answer.text);
  return answer;
}

Deno.test({ name: "codex_merge refuses what it cannot bring in, and changes nothing", ignore }, async () => {
  await using repo = await tempRepo();
  await using elsewhere = await tempRepo();
  await using swarm = await startSwarm({ cwd: repo.path, args: ["--allow-command", "exit 1"] });
  const [id = ""] = await worked(swarm, "echo one >one");
  await repo.git("tag", "v1");
  await repo.git("branch", "other");
  for (const into of ["nowhere", "v1", "main^", "other~0", "main@{0}", "HEAD", "-x", ""]) {
    await refuses(
      swarm,
      repo,
      { task_id: id, into },
      /^Cannot merge: there is no branch ".*"\. Make it, or name another/,
    );
  }
  await refuses(
    swarm,
    repo,
    { task_id: id },
    /main is checked out in .*update_checkout=true .* Nothing has changed\.$/,
  );
  await refuses(swarm, repo, {}, /name task_id or task_ids/);
  await refuses(
    swarm,
    repo,
    { task_ids: [id, "00000000"], into: "other" },
    /Cannot find task "00000000": known tasks are/,
  );
  await refuses(
    swarm,
    repo,
    { task_ids: [id, await startTask(swarm, "fake:say(x)")], into: "other" },
    /worked in no worktree of its own/,
  );
  const running = await startWork(swarm, "echo two >two", { goesOn: `fake:say(ready) fake:hold(${swarm.cwd}/go)` });
  await waitForTask(swarm, running, ({ answer }) => answer === "ready");
  await refuses(swarm, repo, { task_ids: [id, running], into: "other" }, /has not ended\. Wait for it with codex_wait/);
  const far = await startWork(swarm, "echo far >far", { cwd: elsewhere.path });
  await swarm.call("codex_wait", { task_ids: [far] });
  await refuses(swarm, repo, { task_ids: [id, far], into: "other" }, /different repositories/);
  const detached = await startWork(swarm, "echo x >x", { worktree: { base: "v1" } });
  await swarm.call("codex_wait", { task_ids: [detached] });
  await refuses(swarm, repo, { task_id: detached }, /began on no branch\. Name one with into/);
  const lost = await startWork(swarm, `git checkout --quiet --detach; echo lost >lost`);
  await swarm.call("codex_wait", { task_ids: [lost] });
  await refuses(
    swarm,
    repo,
    { task_id: lost, into: "other" },
    /not all .* is on its branch: .* with codex_reply\(threadId="/,
  );
  const never = await startWork(swarm, "true", { worktree: { setup: "exit 1" } });
  await waitForTask(swarm, never, ({ status }) => status === "failed");
  await refuses(swarm, repo, { task_id: never, into: "other" }, /has never begun to work/);
  assert.match(
    (await swarm.call("codex_diff", { task_id: never })).text,
    /there is no worktree, no branch and no snapshot/,
  );
  await swarm.call("codex_cancel", { task_id: running });
  // What a cancelled agent has done may be wanted all the same.
  await succeeds(swarm, { taskIds: [id, id, running], into: "refs/heads/other" });
  assert.equal(await repo.git("ls-tree", "-r", "--name-only", "other"), "README.md\none\ntwo");
});

Deno.test({ name: "codex_merge tells in each mode who has made what, and brings nothing twice", ignore }, async () => {
  await using repo = await tempRepo();
  await using swarm = await startSwarm({ cwd: repo.path });
  const [own = "", left = "", none = ""] = await worked(
    swarm,
    `echo own >own; git add own; ${GIT} commit --quiet --message='By itself'; echo more >more`,
    "echo left >left",
    "true",
  );
  const log = async (branch: string): Promise<string[]> =>
    (await repo.git(
      "log",
      "--topo-order",
      "--reverse",
      "--format=%an|%s|%(trailers:key=Codex-Task,valueonly,separator=)|%(trailers:key=Codex-Thread,keyonly,separator=)|%p",
      branch,
      "^main",
    ))
      .split("\n").map((line) => line.replace(/[0-9a-f]{7} /, "merge ").replace(/[0-9a-f]{7}$/, ""));
  for (const mode of ["merge", "squash", "rebase"]) {
    await repo.git("branch", mode, "main");
    await succeeds(swarm, { task_ids: [own, left, none], into: mode, mode });
    for (const again of ["merge", "squash", "rebase"]) {
      assert.match(
        (await succeeds(swarm, { task_ids: [left, own], into: mode, mode: again })).text,
        /has all of it already/,
      );
    }
  }
  assert.deepEqual(await log("squash"), [`Test|Did it|${own}|Codex-Thread|`, `Test|Did it|${left}|Codex-Thread|`]);
  assert.deepEqual(await log("rebase"), [
    "Agent|By itself|||",
    `Test|Did it|${own}|Codex-Thread|`,
    `Test|Did it|${left}|Codex-Thread|`,
  ]);
  assert.deepEqual(
    (await log("merge")).sort(),
    [
      "Agent|By itself|||",
      `Test|Did it|${left}|Codex-Thread|`,
      `Test|Did it|${own}|Codex-Thread|`,
      `Test|Merge codex-swarm/${left}|${left}|Codex-Thread|merge `,
      `Test|Merge codex-swarm/${own}|${own}|Codex-Thread|merge `,
    ].sort(),
  );
});

Deno.test({
  name: "codex_merge names all kinds of conflicts, and what it offers then can be called as it stands",
  ignore,
}, async () => {
  const files = { text: "1\n2\n3\n", bin: "a\0b\n", old: "1\n2\n3\n", gone: "1\n2\n", run: "r\n" };
  await using repo = await tempRepo({ files });
  await using swarm = await startSwarm({ cwd: repo.path });
  const [first = "", mine = "", theirs = ""] = await worked(
    swarm,
    "echo first >first",
    `printf 'A\\n2\\n3\\n' >text; printf 'x\\0y' >bin; mv old new1; rm gone; ln -s one link; echo a >both`,
    `printf 'B\\n2\\n3\\n' >text; printf 'x\\0z' >bin; mv old new2; echo 3 >>gone; ln -s two link; echo b >both`,
  );
  await repo.git("branch", "other");
  await repo.git("branch", "linear");
  const args = { task_ids: [first, mine, theirs], into: "other", update_checkout: true };
  await refuses(swarm, repo, args, new RegExp(`^Nothing was merged: task ${theirs}, its changes conflict with other`));
  const { text, structured } = await merge(swarm, args);
  assert.deepEqual(structured.conflicts, ["bin", "both", "gone", "link", "new1", "new2", "old", "text"]);
  for (const kind of ["binary", "modify/delete", "rename/rename", "add/add"]) assert.ok(text.includes(kind), text);
  assert.match(structured.hunks, /text:1\n<<<<<<< .*\nA\n=======\nB\n>>>>>>> .*\n2\n3\n/);
  assert.deepEqual([structured.culprit, structured.reason, text.includes(structured.next)], [theirs, "conflict", true]);
  const [others, reply, again] = offeredCalls(structured.next);
  assert.ok(others !== undefined && reply !== undefined && again !== undefined);
  assert.deepEqual(others, { tool: "codex_merge", args: { ...args, task_ids: [first, mine] } });
  assert.deepEqual(again, { tool: "codex_merge", args: { task_id: theirs, into: "other", update_checkout: true } });
  assert.equal((await swarm.call(others.tool, others.args)).isError, false);
  // This agent does nothing about it; the next one does.
  assert.equal((await swarm.call(reply.tool, reply.args)).isError, false);
  const conflict = await merge(swarm, again.args);
  assert.equal(conflict.structured.culprit, theirs);
  const prompt = "fake:run(rm -f text bin link both old gone new1 new2; echo both >text) fake:say(resolved)";
  const { isError, text: resolved } = await swarm.call(reply.tool, { ...reply.args, prompt });
  assert.equal(isError, false, resolved);
  // The commits in a row lack what was resolved.
  const linear = await merge(swarm, { task_ids: [first, mine, theirs], into: "other", mode: "rebase" });
  assert.match(linear.text, /is a merge, which a rebase leaves out: take mode=squash/);
  await succeeds(swarm, again.args);
  assert.equal(await repo.git("show", "other:text"), "both");
  const rebased = await merge(swarm, { task_ids: [first, mine], into: "linear", mode: "rebase" });
  assert.equal(rebased.isError, false);
});

Deno.test(
  { name: "codex_merge hands back what conflicts in a submodule, and merges what does not", ignore },
  async () => {
    await using inner = await tempRepo({ files: { file: "1\n" } });
    const add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add"];
    await using repo = await tempRepo();
    await repo.git(...add, inner.path, "sub");
    await repo.git("commit", "--quiet", "--message=sub");
    await using swarm = await startSwarm({ cwd: repo.path });
    const move = (name: string): string =>
      `git -c protocol.file.allow=always submodule --quiet update --init; cd sub; echo ${name} >file
${GIT} commit --quiet --all --message=${name}; cd ..; git add sub; ${GIT} commit --quiet --message=${name}`;
    const parameters = { sandbox: "danger-full-access" };
    const [one, two, three] = await Promise.all([
      startWork(swarm, move("one"), parameters),
      startWork(swarm, move("two"), parameters),
      startWork(swarm, "echo three >three", parameters),
    ]);
    await swarm.call("codex_wait", { task_ids: [one, two, three] });
    await repo.git("branch", "other");
    const before = await stateOf(repo);
    const { structured, isError } = await merge(swarm, { task_ids: [three, one, two], into: "other" });
    assert.deepEqual([isError, structured.culprit, structured.conflicts], [true, two, ["sub"]]);
    assert.match(structured.hunks, /submodule/);
    assert.deepEqual(await stateOf(repo), before);
    await succeeds(swarm, { task_ids: [three, one], into: "other" });
    assert.equal(await repo.git("ls-tree", "--name-only", "other"), ".gitmodules\nREADME.md\nsub\nthree");
  },
);

Deno.test({ name: "codex_reply starts nothing when there is no such branch to merge", ignore }, async () => {
  await using swarm = await startSwarm();
  const [id = ""] = await worked(swarm, "echo one >one");
  const { thread_id: threadId } = await lookAt(swarm, id);
  const started = await startTask(swarm, "fake:say(plain)");
  const { thread_id: plain } = await waitForTask(swarm, started, ({ status }) => status === "completed");
  for (
    const [args, words] of [
      [{ threadId, merge: "nowhere" }, 'there is no branch "nowhere".'],
      [{ threadId: plain, merge: "main" }, "it has none of its own."],
    ] as const
  ) {
    const { text, isError } = await swarm.call("codex_reply", { prompt: "fake:say(hi)", ...args });
    assert.deepEqual([isError, text], [true, `Cannot merge into the thread's worktree: ${words}`]);
  }
  assert.equal((await swarm.call("codex_status")).structured.tasks.length, 2);
});

Deno.test({ name: "codex_merge says what was changed in a worktree since its agent has ended", ignore }, async () => {
  await using repo = await tempRepo();
  await using swarm = await startSwarm({ cwd: repo.path });
  const [id = "", untouched = ""] = await worked(swarm, "echo one >one", "echo two >two");
  const { worktree_path: path } = await lookAt(swarm, id);
  await Deno.writeTextFile(join(path, "by_hand"), "by hand\n");
  await repo.git("branch", "other");
  const answer = await succeeds(swarm, { task_ids: [id, untouched], into: "other" });
  const note = `Not merged, since it is not committed in ${path}: by_hand. Commit it there and merge again.`;
  assert.deepEqual([answer.structured.notes, answer.text.split("\n")[1]], [[note], note]);
  await repo.git("-C", path, "add", "--all");
  await repo.git("-C", path, "commit", "--quiet", "--message=by hand");
  const again = await succeeds(swarm, { task_ids: [id, untouched], into: "other" });
  assert.equal(again.structured.notes, undefined);
  assert.equal(await repo.git("show", "other:by_hand"), "by hand");
});

Deno.test({ name: "codex_merge says that there is no Codex to hold a check", ignore }, async () => {
  await using repo = await tempRepo();
  await using swarm = await startSwarm({ cwd: repo.path, args: ["--allow-command", "exit 0"] });
  const [id = ""] = await worked(swarm, "echo one >one");
  await repo.git("branch", "other");
  await Deno.remove(swarm.codex.path);
  await refuses(swarm, repo, { task_id: id, into: "other", check: "true" }, /^Cannot use --codex .*Install it/);
  // One that a person lets run outside its sandbox needs none.
  await succeeds(swarm, { task_id: id, into: "other", check: "exit 0" });
});
