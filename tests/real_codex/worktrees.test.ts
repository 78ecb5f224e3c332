/** Worktrees of agents of the real Codex: nothing that they leave is lost, and what they make comes together. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { codexOf } from "../helpers/agent_processes.ts";
import { scripted } from "../helpers/mock_model.ts";
import { plantingScript } from "../helpers/planted.ts";
import { type RealSwarm, startRealSwarm } from "../helpers/real_swarm.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { waitFor } from "../helpers/wait_for.ts";

async function git(cwd: string, ...args: string[]): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command("git", { args: ["-C", cwd, ...args] }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trimEnd();
}

/** Leaves one of each, and says so. */
const LEAVE = "echo changed >>README.md; echo new >untracked; echo made >committed; git add committed; " +
  "git -c user.name=A -c user.email=a@example.com commit --quiet --message=committed -- committed; echo left >../left";

const EVENTS: readonly {
  readonly what: string;
  readonly status: string;
  readonly isHeld: boolean;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly happen: (swarm: RealSwarm, id: string) => Promise<RealSwarm>;
}[] = [
  { what: "it finishes", status: "completed", isHeld: false, happen: (swarm) => Promise.resolve(swarm) },
  {
    what: "it is cancelled",
    status: "cancelled",
    isHeld: true,
    happen: async (swarm, id) => {
      await swarm.call("codex_cancel", { task_id: id });
      return swarm;
    },
  },
  {
    what: "it is killed",
    status: "failed",
    isHeld: true,
    happen: async (swarm, id) => {
      Deno.kill((await codexOf(id)).pid, "SIGKILL");
      return swarm;
    },
  },
  {
    what: "its server is killed, and then it",
    status: "failed",
    isHeld: true,
    happen: async (swarm, id) => {
      swarm.process.kill("SIGKILL");
      await swarm.process.ended;
      Deno.kill((await codexOf(id)).pid, "SIGKILL");
      const { model, home, cwd, stateDir } = swarm;
      return await startRealSwarm({ model, home, cwd, stateDir });
    },
  },
];

for (const { what, status, isHeld, happen } of EVENTS) {
  Deno.test(`what an agent left modified, untracked and committed is restored after ${what}`, async () => {
    await using first = await startRealSwarm();
    const steps = isHeld ? [{ shell: `${LEAVE}; sleep 1000` }, { say: "end" }] : [{ shell: LEAVE }, { say: "end" }];
    const id = await first.begin(scripted(...steps), { worktree: true, sandbox: "danger-full-access" });
    await waitFor(() => Deno.stat(join(first.stateDir, "worktrees", "left")), { message: "the agent's work" });
    const last = await happen(first, id);
    try {
      const [ended] = await last.ends(id);
      assert.equal(ended.status, status);
      await Deno.remove(ended.worktree_path, { recursive: true });
      await git(first.cwd, "reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all");
      await git(first.cwd, "gc", "--quiet", "--prune=now");
      const { structured, text, isError } = await last.call("codex_restore", { task_id: id });
      assert.ok(!isError, text);
      const read = (name: string): Promise<string> => Deno.readTextFile(join(structured.worktree_path, name));
      assert.deepEqual([await read("README.md"), await read("untracked"), await read("committed")], [
        "# Test\nchanged\n",
        "new\n",
        "made\n",
      ]);
      assert.match(await git(structured.worktree_path, "log", "--format=%s"), /^committed$/m);
    } finally {
      if (last !== first) await last[Symbol.asyncDispose]();
    }
  });
}

Deno.test("what an agent left is restored after it has aged out with its task", async () => {
  await using first = await startRealSwarm();
  const { model, home, cwd, stateDir } = first;
  const id = await first.begin(scripted({ shell: LEAVE }, { say: "end" }), {
    worktree: true,
    sandbox: "danger-full-access",
  });
  const [{ worktree_path }] = await first.ends(id);
  await first.process.closeInput();
  await first.process.ended;
  // Long ago.
  for (const file of [join(stateDir, "tasks", id, "task.json"), join(stateDir, "work", id, "work.json")]) {
    const text = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, text.replaceAll(/\d{4}(-\d\d-\d\dT\d\d:\d\d:\d\d)/g, "2001$1"));
  }
  await Deno.remove(join(stateDir, "tasks", ".index"), { recursive: true });
  await using next = await startRealSwarm({ model, home, cwd, stateDir, env: { CODEX_SWARM_TASK_MAX_AGE: "1s" } });
  await waitFor(() => Deno.lstat(worktree_path).then(() => false, () => true), { message: "the worktree to age out" });
  await waitFor(() => Deno.lstat(join(stateDir, "tasks", id)).then(() => false, () => true), {
    message: "the task too",
  });
  const { structured, text, isError } = await next.call("codex_restore", { task_id: id });
  assert.ok(!isError, text);
  assert.equal(await Deno.readTextFile(join(structured.worktree_path, "untracked")), "new\n");
});

Deno.test("three agents work at once, and one merge brings all of it into the checkout", async () => {
  await using swarm = await startRealSwarm();
  const ids = await Promise.all(
    ["a", "b", "c"].map((name) =>
      swarm.begin(scripted({ shell: `echo ${name} >${name}.txt` }, { say: `Wrote ${name}.` }), { worktree: true })
    ),
  );
  const tasks = await swarm.ends(...ids);
  assert.deepEqual(
    tasks.map(({ sandbox }) => [sandbox.mode, sandbox.source]),
    ids.map(() => ["workspace-write", "worktree"]),
  );
  const { structured, text, isError } = await swarm.call("codex_merge", { task_ids: ids, update_checkout: true });
  assert.ok(!isError, text);
  for (const name of ["a", "b", "c"]) {
    assert.equal(await Deno.readTextFile(join(swarm.cwd, `${name}.txt`)), `${name}\n`);
  }
  assert.equal(await git(swarm.cwd, "status", "--porcelain"), "");
  assert.equal(await git(swarm.cwd, "rev-parse", "HEAD"), structured.to);
  assert.match(await git(swarm.cwd, "log", "--format=%B"), new RegExp(`Codex-Task: ${ids[0]}\nCodex-Thread: `));
});

Deno.test("of two agents that conflict the second changes nothing, and its own agent resolves it", async () => {
  await using swarm = await startRealSwarm();
  const ids = await Promise.all(
    ["one", "two"].map((word) =>
      swarm.begin(scripted({ shell: `echo ${word} >file` }, { say: `Wrote ${word}.` }), { worktree: true })
    ),
  );
  await swarm.ends(...ids);
  const before = await git(swarm.cwd, "rev-parse", "HEAD");
  const failed = await swarm.call("codex_merge", { task_ids: ids, update_checkout: true });
  assert.deepEqual([failed.isError, failed.structured.culprit, failed.structured.conflicts], [true, ids[1], ["file"]]);
  assert.match(
    failed.structured.next,
    /^First merge the others: codex_merge\(.*codex_reply\(threadId=".*", merge="main"/,
  );
  assert.deepEqual([await git(swarm.cwd, "rev-parse", "HEAD"), await git(swarm.cwd, "status", "--porcelain")], [
    before,
    "",
  ]);
  const overlaps = (await swarm.call("codex_status", { task_ids: ids })).structured.tasks.map(
    (task: Record<string, unknown>) => task.overlaps,
  );
  assert.deepEqual(overlaps, [[{ task_id: ids[1], files: ["file"], conflicts: ["file"] }], [{
    task_id: ids[0],
    files: ["file"],
    conflicts: ["file"],
  }]]);

  const first = await swarm.call("codex_merge", { task_id: ids[0], update_checkout: true });
  assert.ok(!first.isError, first.text);
  const threadId = (await swarm.look(ids[1] ?? "")).thread_id;
  const resolve = scripted({ shell: "cat file; printf 'one\\ntwo\\n' >file" }, { say: "Resolved." });
  const reply = await swarm.call("codex_reply", { threadId, prompt: resolve, merge: "main" });
  assert.equal(reply.isError, false, reply.text);
  const second = await swarm.call("codex_merge", { task_id: ids[1], update_checkout: true });
  assert.ok(!second.isError, second.text);
  assert.equal(await Deno.readTextFile(join(swarm.cwd, "file")), "one\ntwo\n");
});

Deno.test("a check that fails moves no ref, and one that reaches beyond its copy fails", async () => {
  await using home = await tempDirectory();
  const touched = join(home.path, "touched");
  const approved = `echo out >${touched}`;
  await using swarm = await startRealSwarm({ args: ["--allow-command", approved] });
  const id = await swarm.begin(scripted({ shell: "echo a >a.txt" }, { say: "Wrote a." }), { worktree: true });
  await swarm.ends(id);
  const before = await git(swarm.cwd, "rev-parse", "main");
  const check = async (command: string): Promise<string> => {
    const { text, isError } = await swarm.call("codex_merge", { task_id: id, check: command, update_checkout: true });
    if (isError) assert.equal(await git(swarm.cwd, "rev-parse", "main"), before);
    return isError ? text : "merged";
  };
  assert.match(await check("cat a.txt; echo wrong; exit 3"), /the check failed on it[^]*exit code 3:\n[^]*a\nwrong/);
  assert.match(await check(`echo out >${join(home.path, "other")}`), /the check failed on it[^]*(Read-only|denied)/);
  assert.match(await check(`echo out >"$HOME/codex_swarm_test"`), /the check failed on it[^]*(Read-only|denied)/);
  const connect = `exec 3<>/dev/tcp/127.0.0.1/${swarm.model.port}`;
  assert.match(await check(`bash -c '${connect}'`), /the check failed on it/);
  // Whoever is not in the sandbox reaches it (control).
  assert.ok((await new Deno.Command("bash", { args: ["-c", connect] }).output()).success);
  assert.deepEqual(Array.from(Deno.readDirSync(home.path)), []);
  // What a person has approved runs outside; what succeeds inside may write into its copy.
  assert.equal(await check("test -f a.txt && echo b >a.txt"), "merged");
  await git(swarm.cwd, "update-ref", "refs/heads/other", before);
  const outside = await swarm.call("codex_merge", { task_id: id, check: approved, into: "other" });
  assert.ok(!outside.isError, outside.text);
  assert.equal(await Deno.readTextFile(touched), "out\n");
  assert.equal(await Deno.readTextFile(join(swarm.cwd, "a.txt")), "a\n");
});

Deno.test("what an agent plants for git to run never runs", async () => {
  await using place = await tempDirectory();
  await using swarm = await startRealSwarm();
  const ran = join(place.path, "ran");
  const script = await plantingScript({ directory: place.path, checkout: swarm.cwd, ran });
  const evil = scripted({ shell: `sh ${script}` }, { say: "Planted." });
  const id = await swarm.begin(evil, { worktree: true, sandbox: "danger-full-access" });
  await swarm.ends(id);
  for (
    const [tool, args] of [
      ["codex_diff", { task_id: id, format: "patch" }],
      ["codex_merge", { task_id: id, update_checkout: true }],
      ["codex_cleanup", { task_ids: [id], dry_run: false }],
      ["codex_restore", { task_id: id }],
    ] as const
  ) {
    const { text, isError } = await swarm.call(tool, args);
    assert.ok(!isError, text);
  }
  assert.equal(await Deno.readTextFile(ran).catch(() => "nothing"), "nothing");
  // Git itself runs them (control).
  await Deno.writeTextFile(join(swarm.cwd, "README.md"), "changed\n");
  await git(swarm.cwd, "add", "--all");
  await git(swarm.cwd, "-c", "commit.gpgSign=false", "commit", "--quiet", "--message=m");
  assert.match(await Deno.readTextFile(ran), /filter[^]*reference-transaction/);
});
