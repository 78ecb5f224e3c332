import assert from "node:assert/strict";
import { join } from "node:path";
import { commitCheckout, gitDirOf, leftOutFiles, resolveBase } from "../../src/git/base.ts";
import { openContent } from "../../src/git/content_directory.ts";
import { diffFiles, diffPatch } from "../../src/git/diff.ts";
import { Git } from "../../src/git/git.ts";
import { NEUTRAL, userIdentity } from "../../src/git/identity.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { tempRepo } from "../helpers/temp_repo.ts";

const git = new Git({ ...Deno.env.toObject(), HOME: "/nonexistent", XDG_CONFIG_HOME: "" });

Deno.test("commitCheckout() makes a commit of a checkout as it stands, and diffFiles() tells what is new in it", async () => {
  await using state = await tempDirectory();
  await using repo = await tempRepo({ files: { "a": "1\n2\n3\n4\n5\n", "b": "b\n", "c": "c\n" } });
  const commonDir = join(repo.path, ".git");
  const content = (await openContent(git, { commonDir, directory: join(state.path, "content") }))("text");
  const options = { top: repo.path, gitDir: await gitDirOf(git, repo.path), commonDir, content };
  const head = await repo.git("rev-parse", "HEAD");
  const index = join(state.path, "i");
  const wip = { ...options, oid: head, index, message: "m", identity: NEUTRAL, at: new Date() };
  const clean = await commitCheckout(git, wip);
  assert.deepEqual(clean, { oid: head, leftOut: [] });
  await repo.git("mv", "a", "moved a");
  await repo.write("b", "b\nmore\n");
  await repo.write("bin", "\0\u0001");
  await Deno.remove(join(repo.path, "c"));
  const before = await repo.git("status", "--porcelain");
  assert.deepEqual((await leftOutFiles(git, options)).sort(), ["a", "b", "bin", "c", "moved a"]);
  const { oid } = await commitCheckout(git, wip);
  assert.equal(await repo.git("status", "--porcelain"), before);
  assert.deepEqual(await diffFiles(git, { content, from: head, to: oid }), [
    { path: "b", kind: "update", added: 1, removed: 0 },
    { path: "bin", kind: "add", added: null, removed: null },
    { path: "c", kind: "delete", added: 0, removed: 1 },
    { path: "moved a", from: "a", kind: "rename", added: 0, removed: 0 },
  ]);
  assert.match(
    (await diffPatch(git, { content, from: head, to: oid, paths: ["b"] })).text,
    /^diff --git a\/b b\/b\n[^]*\+more\n$/,
  );
  assert.deepEqual(await diffPatch(git, { content, from: head, to: oid, paths: ["*"] }), { text: "", length: 0 });
});

Deno.test("commitCheckout() leaves out what only a filter could bring into a commit", async () => {
  await using state = await tempDirectory();
  const files = { ".gitattributes": "secret* filter=hide\n", a: "a\n", secret: "s\n", "secret too": "t\n" };
  await using repo = await tempRepo({ files });
  // As git has them that were hidden when they were committed.
  await repo.git("config", "filter.hide.clean", "tr a-z A-Z");
  await repo.git("add", "--renormalize", ".");
  await repo.git("commit", "--quiet", "--message=hidden");
  const commonDir = join(repo.path, ".git");
  const content = (await openContent(git, { commonDir, directory: join(state.path, "content") }))("text");
  const oid = await repo.git("rev-parse", "HEAD");
  assert.equal(await repo.git("show", "HEAD:secret"), "S");
  for (const name of ["a", "secret", "secret new"]) await repo.write(name, "changed\n");
  const options = { top: repo.path, gitDir: commonDir, commonDir, content, oid, index: join(state.path, "i") };
  const made = await commitCheckout(git, { ...options, message: "m", identity: NEUTRAL, at: new Date() });
  assert.deepEqual(made.leftOut.toSorted(), ["secret", "secret new"]);
  assert.equal(await repo.git("diff", "--name-only", "HEAD", made.oid), "a");
});

Deno.test("resolveBase() knows HEAD, the remote's branch and any commit, and says what is not there", async () => {
  await using repo = await tempRepo();
  await using clone = await tempDirectory();
  await repo.git("clone", "--quiet", repo.path, join(clone.path, "c"));
  const at = join(clone.path, "c");
  const gitDir = await gitDirOf(git, at);
  const oid = await repo.git("rev-parse", "HEAD");
  await repo.git(
    "-C",
    at,
    "-c",
    "user.name=n",
    "-c",
    "user.email=e",
    "commit",
    "--quiet",
    "--allow-empty",
    "--message=mine",
  );
  const mine = await repo.git("-C", at, "rev-parse", "HEAD");
  assert.deepEqual(await resolveBase(git, "head", { gitDir }), { oid: mine, branch: "refs/heads/main" });
  assert.deepEqual(await resolveBase(git, "remote", { gitDir }), { oid, branch: null });
  assert.deepEqual(await resolveBase(git, "HEAD~1", { gitDir }), { oid, branch: null });
  for (const name of ["nowhere", "--help", "main:README.md"]) {
    assert.equal(await resolveBase(git, name, { gitDir }), null);
  }
});

Deno.test("userIdentity() is the user's, or a neutral one", async () => {
  await using repo = await tempRepo();
  const gitDir = join(repo.path, ".git");
  assert.deepEqual(await userIdentity(git, gitDir), { name: "Test", email: "test@example.com" });
  await repo.git("config", "--unset", "user.email");
  assert.deepEqual(await userIdentity(git, gitDir), NEUTRAL);
});
