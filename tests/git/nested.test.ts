/** Repositories that an agent has made in its worktree, some of them to do harm. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { openContent } from "../../src/git/content_directory.ts";
import { Git } from "../../src/git/git.ts";
import { keepNested, nestedWords, readNested, restoreNested } from "../../src/git/nested.ts";
import { namesIn, tempDirectory } from "../helpers/temp_directory.ts";
import { type TempRepo, tempRepo } from "../helpers/temp_repo.ts";

const git = new Git(Deno.env.toObject());

interface Kept {
  readonly paths: readonly string[];
  readonly unreadable: readonly string[];
}

/** Has `inside` of a repository kept as a snapshot has it: what its refs reach is referred to. */
async function keep(repo: TempRepo): Promise<Kept> {
  await using state = await tempDirectory();
  const commonDir = join(repo.path, ".git");
  const content = (await openContent(git, { commonDir, directory: state.path }))("raw");
  const own = { index: join(state.path, "index"), identity: { name: "n", email: "e" } };
  const options = { commonDir, path: repo.path, content, paths: ["inside"], ...own };
  const { nested, unreadable } = await keepNested(git, options);
  for (const [number, oid] of nested.flatMap(({ refs }) => Object.values(refs)).entries()) {
    await repo.git("update-ref", `refs/codex-swarm/${number}`, oid);
  }
  return { paths: nested.map(({ path }) => path), unreadable };
}

async function withClone(...options: readonly string[]): Promise<TempRepo> {
  const repo = await tempRepo();
  await using origin = await tempRepo({ files: { file: "first\n" } });
  await origin.write("file", "second\n");
  await origin.git("commit", "--quiet", "--all", "--message=Second");
  await origin.git("config", "uploadpack.allowFilter", "true");
  await repo.git("clone", "--quiet", ...options, `file://${origin.path}`, "inside");
  return repo;
}

const WHOLE: Kept = { paths: ["inside"], unreadable: [] };
const NONE: Kept = { paths: [], unreadable: ["inside/.git"] };

Deno.test("keepNested() keeps a clone, and the repository around it stays whole", async () => {
  await using repo = await withClone();
  assert.deepEqual(await keep(repo), WHOLE);
  await repo.git("gc", "--quiet", "--prune=now");
  assert.equal(await repo.git("log", "--format=%s", "refs/codex-swarm/0"), "Second\nFirst commit");
});

Deno.test("keepNested() refers to no shallow clone, which would break the repository around it", async () => {
  await using repo = await withClone("--depth=1");
  assert.deepEqual(await keep(repo), NONE);
  await repo.git("gc", "--quiet", "--prune=now");
  await repo.git("fsck", "--connectivity-only");
});

Deno.test("keepNested() names a partial clone and fetches nothing for it", async () => {
  await using repo = await withClone("--filter=blob:none", "--no-checkout");
  const mark = join(repo.path, "was-run");
  await repo.git("-C", "inside", "config", "remote.origin.uploadpack", `touch ${mark}; false`);
  assert.deepEqual(await keep(repo), NONE);
  await assert.rejects(Deno.lstat(mark), Deno.errors.NotFound);
});

Deno.test("keepNested() names a repository whose objects are gone, or whose refs are", async () => {
  for (const gone of ["objects/pack", "packed-refs"]) {
    await using repo = await withClone();
    await Deno.remove(join(repo.path, "inside", ".git", gone), { recursive: true });
    if (gone === "packed-refs") {
      await Deno.remove(join(repo.path, "inside", ".git", "refs"), { recursive: true });
      await Deno.mkdir(join(repo.path, "inside", ".git", "refs"));
    }
    assert.deepEqual(await keep(repo), NONE, gone);
  }
});

Deno.test("keepNested() keeps what the repository's own settings hide", async () => {
  await using repo = await withClone();
  for (const hidden of ["refs", "HEAD"]) {
    await repo.git("-C", "inside", "config", "--add", "transfer.hideRefs", hidden);
    await repo.git("-C", "inside", "config", "--add", "uploadpack.hideRefs", hidden);
  }
  // What hides them does so.
  assert.equal(await repo.git("ls-remote", join(repo.path, "inside")), "");
  assert.deepEqual(await keep(repo), WHOLE);
});

Deno.test("keepNested() keeps what is staged, every stash, and commits that no ref has", async () => {
  for (const isSubmodule of [true, false]) {
    await using repo = await withClone();
    const inside = (...args: readonly string[]): Promise<string> =>
      repo.git("-C", "inside", "-c", "user.name=n", "-c", "user.email=e", ...args);
    if (isSubmodule) {
      await repo.git("submodule", "--quiet", "add", "./inside", "inside");
      await repo.git("submodule", "absorbgitdirs");
    }
    await inside("checkout", "--quiet", "--detach");
    const texts = ["detached\n", "first stash\n", "second stash\n", "staged\n"];
    const [detached = "", first = "", second = "", staged = ""] = texts;
    await repo.write("inside/file", detached);
    await inside("commit", "--quiet", "--all", "--message=Detached");
    await inside("checkout", "--quiet", "main");
    for (const text of [first, second]) {
      await repo.write("inside/file", text);
      await inside("stash", "--quiet");
    }
    await repo.write("inside/file", staged);
    await inside("add", "file");
    await repo.write("inside/file", "changed since\n");
    // The outer repository's index may not be what keeps them.
    assert.deepEqual(await keep(repo), WHOLE);
    await repo.git("rm", "--cached", "--quiet", "--force", "--ignore-unmatch", "inside");
    await Deno.remove(join(repo.path, "inside"), { recursive: true });
    await repo.git("gc", "--quiet", "--prune=now");
    const refs = (await repo.git("for-each-ref", "--format=%(refname)", "refs/codex-swarm")).split("\n");
    const found = await Promise.all(refs.map((ref) => repo.git("show", `${ref}:file`)));
    for (const text of texts) assert.ok(found.includes(text.trimEnd()), `${text} in ${found.join(", ")}`);
  }
});

Deno.test("keepNested() keeps what is staged where nothing is committed", async () => {
  await using repo = await tempRepo();
  await repo.git("init", "--quiet", "inside");
  await repo.write("inside/file", "staged\n");
  await repo.git("-C", "inside", "add", "file");
  assert.deepEqual(await keep(repo), WHOLE);
  await repo.git("gc", "--quiet", "--prune=now");
  assert.equal(await repo.git("show", "refs/codex-swarm/0:file"), "staged");
});

Deno.test("keepNested() names a repository of which something staged is gone, and keeps what is committed", async () => {
  await using repo = await withClone();
  await repo.write("inside/file", "staged\n");
  await repo.git("-C", "inside", "add", "file");
  const oid = await repo.git("-C", "inside", "rev-parse", ":file");
  await Deno.remove(join(repo.path, "inside", ".git", "objects", oid.slice(0, 2), oid.slice(2)));
  assert.deepEqual(await keep(repo), { paths: ["inside"], unreadable: ["inside/.git"] });
});

Deno.test("keepNested() waits for no pipe in the place of what is read there", async () => {
  for (const name of ["logs/HEAD", "index"]) {
    await using repo = await withClone();
    const place = join(repo.path, "inside", ".git", name);
    await Deno.remove(place).catch(() => undefined);
    assert.ok((await new Deno.Command("mkfifo", { args: [place] }).output()).success);
    assert.deepEqual(await keep(repo), WHOLE, name);
  }
});

Deno.test("keepNested() names a ref to what is no commit", async () => {
  await using repo = await withClone();
  await repo.git("-C", "inside", "tag", "blob", await repo.git("-C", "inside", "rev-parse", "HEAD:file"));
  const unreadable = ["inside/.git: refs/tags/blob, which is no commit"];
  assert.deepEqual(await keep(repo), { paths: ["inside"], unreadable });
});

Deno.test("readNested() reads any path as it was, and nothing else", () => {
  const oid = "0".repeat(40);
  const odd = `x\nNested: ${oid} refs/heads/main .\n\r\u2028Nested: ${oid} HEAD "y"`;
  const nested = [{ path: odd, refs: { "HEAD": oid, "refs/heads/main": oid } }, { path: "a/b c", refs: { HEAD: oid } }];
  assert.deepEqual(readNested(`Snapshot\n${nestedWords(nested)}`), nested);
});

Deno.test("restoreNested() makes a repository of nothing but a directory of the worktree's without one", async () => {
  await using state = await tempDirectory();
  await using repo = await tempRepo({ files: { "d/file": "file\n" } });
  const main = await repo.git("rev-parse", "HEAD");
  await repo.git("checkout", "--quiet", "-b", "side");
  await repo.git("commit", "--quiet", "--allow-empty", "--message=evil");
  const refs = { "refs/heads/main": await repo.git("rev-parse", "HEAD") };
  const top = join(state.path, "worktree");
  await repo.git("worktree", "add", "--quiet", "--detach", top, main);
  const outside = join(state.path, "outside");
  await Deno.mkdir(join(outside, "below"), { recursive: true });
  await Deno.symlink(outside, join(top, "link"));
  const restore = (path: string): Promise<boolean> =>
    restoreNested(git, { path, refs, top, commonDir: join(repo.path, ".git") });
  for (const path of ["", ".", "..", "../outside", "link", "link/below", "d/../d", "/d", ".git", "d/file"]) {
    assert.equal(await restore(path), false, path);
  }
  assert.deepEqual(namesIn(outside), ["below"]);
  assert.deepEqual(namesIn(join(outside, "below")), []);
  assert.equal(await restore("d"), true);
  assert.equal(await restore("without/files"), true);
  assert.equal(await restore("d"), false, "it is one already");
  assert.equal(await repo.git("rev-parse", "main"), main);
  assert.equal(await repo.git("-C", join(top, "d"), "log", "-1", "--format=%s", "main"), "evil");
});

Deno.test("restoreNested() makes a repository with the hash of the one around it", async () => {
  await using repo = await tempRepo({ files: { "d/file": "file\n" }, init: ["--object-format=sha256"] });
  const oid = await repo.git("rev-parse", "HEAD");
  await using place = await tempDirectory();
  await Deno.mkdir(join(place.path, "d"));
  const refs = { HEAD: oid, "refs/heads/main": oid };
  assert.ok(await restoreNested(git, { path: "d", refs, top: place.path, commonDir: join(repo.path, ".git") }));
  assert.equal(await repo.git("-C", join(place.path, "d"), "rev-parse", "HEAD"), oid);
});
