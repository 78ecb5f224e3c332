import assert from "node:assert/strict";
import { join } from "node:path";
import { commitTurn } from "../../src/git/commit_turn.ts";
import { openContent } from "../../src/git/content_directory.ts";
import { Git } from "../../src/git/git.ts";
import { readHeadHistory } from "../../src/git/head_history.ts";
import { checkOut, identify, registerWorktree, type WorktreeIdentity } from "../../src/git/worktree.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { type TempRepo, tempRepo } from "../helpers/temp_repo.ts";

const git = new Git(Deno.env.toObject());
const IDENTITY = { name: "Agent", email: "agent@example.com" };

interface Made extends WorktreeIdentity {
  readonly path: string;
  readonly commonDir: string;
  readonly base: string;
  readonly content: Awaited<ReturnType<typeof openContent>>;
}

async function make(repo: TempRepo, state: string): Promise<Made> {
  const commonDir = join(await Deno.realPath(repo.path), ".git");
  const path = join(state, "worktrees", "0123abcd");
  const base = await repo.git("rev-parse", "HEAD");
  const content = await openContent(git, { commonDir, directory: join(state, "content") });
  const plan = { commonDir, path, branch: "codex-swarm/0123abcd", base, reason: "codex-swarm:0123abcd" };
  const identity = await registerWorktree(git, plan);
  await checkOut(git, { path, gitDir: identity.gitDir, base, content: content("text") });
  return { ...identity, path, commonDir, base, content };
}

async function commit(made: Made, state: string): ReturnType<typeof commitTurn> {
  return await commitTurn(git, {
    ...made,
    branch: "codex-swarm/0123abcd",
    content: made.content("text"),
    index: join(state, "text.index"),
    message: "What the agent did\n\nCodex-Task: 0123abcd\n",
    identity: IDENTITY,
    at: new Date(),
  });
}

/** Hooks and drivers that leave a trace when they run. */
async function plant(repo: TempRepo, trap: string): Promise<void> {
  for (const hook of ["post-commit", "post-checkout", "reference-transaction", "pre-commit", "prepare-commit-msg"]) {
    await repo.write(`.git/hooks/${hook}`, `#!/bin/sh\necho ${hook} >>${trap}\n`);
    await Deno.chmod(join(repo.path, ".git/hooks", hook), 0o755);
  }
  for (const command of ["clean", "smudge"]) {
    await repo.git("config", `filter.trap.${command}`, `echo ${command} >>${trap}; cat`);
  }
  await repo.git("config", "core.fsmonitor", `echo fsmonitor >>${trap}; false`);
  await repo.git("config", "diff.trap.textconv", `echo textconv >>${trap}; cat`);
}

Deno.test("an agent's worktree is made with its own branch, and its turn is committed there; nothing planted runs", async () => {
  await using state = await tempDirectory();
  await using repo = await tempRepo({
    files: { ".gitattributes": "*.t filter=trap diff=trap\n", "a.t": "a\n", "d/b": "b\n" },
  });
  const trap = join(state.path, "trap");
  await plant(repo, trap);
  const made = await make(repo, state.path);
  assert.equal(await Deno.readTextFile(join(made.path, "a.t")), "a\n");
  assert.equal((await commit(made, state.path)).kind, "committed");
  await Deno.writeTextFile(join(made.path, "a.t"), "changed\n");
  await Deno.writeTextFile(join(made.path, "new"), "new\n");
  await Deno.remove(join(made.path, "d"), { recursive: true });
  const done = await commit(made, state.path);
  assert.ok(done.kind === "committed" && done.isNew);
  await assert.rejects(Deno.stat(trap), Deno.errors.NotFound);
  // What a person does runs what stands in their repository (control).
  assert.equal(await repo.git("-C", made.path, "status", "--porcelain"), "");
  await repo.git("merge", "--quiet", "codex-swarm/0123abcd");
  assert.equal(await Deno.readTextFile(join(repo.path, "a.t")), "changed\n");
  assert.match(await Deno.readTextFile(trap), /post-checkout|reference-transaction/);
  assert.equal(
    await repo.git("log", "-1", "--format=%an %ae%n%B", "codex-swarm/0123abcd"),
    "Agent agent@example.com\nWhat the agent did\n\nCodex-Task: 0123abcd",
  );
  assert.match(await repo.git("worktree", "list", "--porcelain"), /locked codex-swarm:0123abcd/);
});

Deno.test("commitTurn() commits nothing where the agent has gone elsewhere or left a merge open", async () => {
  await using state = await tempDirectory();
  await using repo = await tempRepo();
  const made = await make(repo, state.path);
  await Deno.writeTextFile(join(made.path, "new"), "new\n");
  await repo.git("-C", made.path, "checkout", "--quiet", "--detach");
  assert.deepEqual(await commit(made, state.path), { kind: "left", reason: "elsewhere" });
  await repo.git("-C", made.path, "checkout", "--quiet", "codex-swarm/0123abcd");
  await Deno.writeTextFile(join(made.gitDir, "MERGE_HEAD"), `${made.base}\n`);
  assert.deepEqual(await commit(made, state.path), { kind: "left", reason: "under way" });
});

Deno.test("identify() knows a worktree of the repository, and nothing else", async () => {
  await using state = await tempDirectory();
  await using repo = await tempRepo();
  const { path, commonDir, inode } = await make(repo, state.path);
  assert.equal((await identify(path, commonDir))?.inode, inode);
  assert.equal(await identify(repo.path, commonDir), null);
  await Deno.rename(path, `${path}.moved`);
  assert.equal(await identify(path, commonDir), null);
  assert.equal(await identify(`${path}.moved`, commonDir), null);
});

Deno.test("a worktree knows where its HEAD has been, though the user wants no reflogs", async () => {
  await using state = await tempDirectory();
  await using repo = await tempRepo();
  await repo.git("config", "core.logAllRefUpdates", "false");
  const made = await make(repo, state.path);
  const inside = (...args: readonly string[]): Promise<string> => repo.git("-C", made.path, ...args);
  await inside("checkout", "--quiet", "--detach");
  await inside("commit", "--quiet", "--allow-empty", "--message=Detached");
  const detached = await inside("rev-parse", "HEAD");
  await inside("checkout", "--quiet", "codex-swarm/0123abcd");
  assert.deepEqual(await readHeadHistory(git, { gitDir: made.gitDir, known: [made.base] }), [detached]);
});
