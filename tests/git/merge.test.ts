import assert from "node:assert/strict";
import { join } from "node:path";
import { openContent } from "../../src/git/content_directory.ts";
import { Git } from "../../src/git/git.ts";
import { type Branch, mergeBranches, type MergedBranches, type MergeMode } from "../../src/git/merge_branches.ts";
import { dirtyFiles, moveCheckout } from "../../src/git/update_checkout.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { type TempRepo, tempRepo } from "../helpers/temp_repo.ts";

const git = new Git(Deno.env.toObject());
const IDENTITY = { name: "Merger", email: "merger@example.com" };

async function contentOf(repo: TempRepo, state: string): Promise<Readonly<Record<string, string>>> {
  return (await openContent(git, { commonDir: join(repo.path, ".git"), directory: join(state, "content") }))("text");
}

/** A branch from main on which a file was written in one commit each. */
async function branch(
  repo: TempRepo,
  name: string,
  ...commits: readonly (readonly [string, string])[]
): Promise<Branch> {
  const base = await repo.git("rev-parse", "main");
  await repo.git("checkout", "--quiet", "-b", name, "main");
  for (const [path, text] of commits) {
    await repo.write(path, text);
    await repo.git("add", "--all");
    await repo.git("commit", "--quiet", `--message=${name} writes ${path}`);
  }
  const oid = await repo.git("rev-parse", "HEAD");
  await repo.git("checkout", "--quiet", "main");
  return { oid, base, message: `Merge ${name}` };
}

async function merge(
  repo: TempRepo,
  state: string,
  mode: MergeMode,
  branches: readonly Branch[],
): Promise<MergedBranches> {
  const onto = await repo.git("rev-parse", "main");
  const content = await contentOf(repo, state);
  return await mergeBranches(git, { content, onto, branches, mode, identity: IDENTITY, at: new Date() });
}

for (
  const { mode, log } of [
    { mode: "merge", log: ["First commit", "a writes a", "a writes a2", "b writes b", "Merge a", "Merge b"] },
    { mode: "squash", log: ["First commit", "Merge a", "Merge b"] },
    { mode: "rebase", log: ["First commit", "a writes a", "a writes a2", "b writes b"] },
  ] as const
) {
  Deno.test(`mergeBranches() brings branches together in memory: ${mode}`, async () => {
    await using state = await tempDirectory();
    await using repo = await tempRepo();
    const branches = [await branch(repo, "a", ["a", "a\n"], ["a2", "a2\n"]), await branch(repo, "b", ["b", "b\n"])];
    const merged = await merge(repo, state.path, mode, branches);
    assert.ok(merged.kind === "merged");
    const tip = merged.tips.at(-1) ?? "";
    assert.deepEqual((await repo.git("log", "--format=%s", tip)).split("\n").sort(), [...log].sort());
    assert.equal(await repo.git("ls-tree", "--name-only", tip), "README.md\na\na2\nb");
    assert.equal(await repo.git("rev-parse", "main"), branches[0]?.base);
    const author = await repo.git("log", "-1", "--format=%an, %cn", tip);
    assert.equal(author, mode === "rebase" ? "Test, Merger" : "Merger, Merger");
    // What is in there already changes nothing.
    await repo.git("reset", "--quiet", "--hard", tip);
    const again = await merge(repo, state.path, mode, branches);
    const trees = await Promise.all(
      [tip, again.kind === "merged" ? again.tips.at(-1) ?? "" : ""].map((oid) =>
        repo.git("rev-parse", `${oid}^{tree}`)
      ),
    );
    assert.equal(trees[0], trees[1]);
  });

  Deno.test(`mergeBranches() names the branch that conflicts, and its files: ${mode}`, async () => {
    await using state = await tempDirectory();
    await using repo = await tempRepo({ files: { "a b": "1\n2\n3\n" } });
    const branches = [
      await branch(repo, "a", ["a b", "ours\n2\n3\n"]),
      await branch(repo, "b", ["other", "other\n"]),
      await branch(repo, "c", ["a b", "theirs\n2\n3\n"]),
    ];
    const merged = await merge(repo, state.path, mode, branches);
    assert.ok(merged.kind === "conflict");
    assert.deepEqual([merged.at, merged.merged.files], [2, ["a b"]]);
    assert.match(merged.merged.messages.join(), /^CONFLICT \(content\): Merge conflict in a b$/);
    assert.match(await repo.git("cat-file", "-p", `${merged.merged.tree}:a b`), /<{7}.*\nours\n={7}\ntheirs\n>{7}/);
  });
}

Deno.test("moveCheckout() moves a branch with its files, and leaves all as it is when that cannot be done", async () => {
  await using state = await tempDirectory();
  await using repo = await tempRepo({ files: { "a": "a\n", "gone": "gone\n" } });
  const from = await repo.git("rev-parse", "main");
  await repo.git("checkout", "--quiet", "-b", "other");
  await repo.git("rm", "--quiet", "gone");
  await repo.write("a", "b\n");
  await repo.write("new", "new\n");
  await repo.git("add", "--all");
  await repo.git("commit", "--quiet", "--message=other");
  const to = await repo.git("rev-parse", "HEAD");
  await repo.git("checkout", "--quiet", "main");
  const commonDir = join(repo.path, ".git");
  const content = await contentOf(repo, state.path);
  const checkout = { path: repo.path, gitDir: commonDir };
  const move = { commonDir, ref: "refs/heads/main", from, to, message: "test", checkout, content };
  // In the way, and not git's.
  await repo.write("new", "mine\n");
  assert.deepEqual(await dirtyFiles(git, { ...checkout, content, untracked: true }), ["new"]);
  await assert.rejects(moveCheckout(git, move), /new/);
  assert.deepEqual([await repo.git("rev-parse", "main"), await Deno.readTextFile(join(repo.path, "a"))], [from, "a\n"]);
  await Deno.remove(join(repo.path, "new"));
  // Moved by somebody else meanwhile.
  await assert.rejects(moveCheckout(git, { ...move, from: to, to: from }), /stands on [0-9a-f]{40} by now/);
  await Deno.writeTextFile(join(commonDir, "index.lock"), "");
  await assert.rejects(moveCheckout(git, move), /locked by another git/);
  await Deno.remove(join(commonDir, "index.lock"));
  assert.equal(await repo.git("status", "--porcelain"), "");
  await moveCheckout(git, move);
  assert.deepEqual([await repo.git("rev-parse", "HEAD"), await repo.git("status", "--porcelain")], [to, ""]);
  assert.deepEqual(await dirtyFiles(git, { ...checkout, content }), []);
  await assert.rejects(Deno.stat(join(repo.path, "gone")), Deno.errors.NotFound);
});
