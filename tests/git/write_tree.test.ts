import assert from "node:assert/strict";
import { join } from "node:path";
import { openContent } from "../../src/git/content_directory.ts";
import { Git } from "../../src/git/git.ts";
import { writeTree, type WrittenTree } from "../../src/git/write_tree.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { type TempRepo, tempRepo } from "../helpers/temp_repo.ts";

const git = new Git(Deno.env.toObject());

async function treeOf(repo: TempRepo, state: string, head: string | null = null): Promise<WrittenTree> {
  const commonDir = join(repo.path, ".git");
  const content = await openContent(git, { commonDir, directory: join(state, "content") });
  return await writeTree(git, {
    content: content("raw"),
    path: repo.path,
    index: join(state, "index"),
    head,
    nested: "take",
  });
}

/** All files of a tree, with their modes and their bytes as text. */
async function filesOf(repo: TempRepo, tree: string): Promise<Record<string, string>> {
  const names = (await repo.git("ls-tree", "-r", "--format=%(objectmode) %(objectname) %(path)", tree)).split("\n");
  const files: Record<string, string> = {};
  for (const line of names) {
    const [mode = "", oid = "", ...name] = line.split(" ");
    files[name.join(" ")] = `${mode} ${await repo.git("cat-file", "blob", oid)}`;
  }
  return files;
}

Deno.test("writeTree() takes all files as they are, whatever attributes and filters say, and touches nothing", async () => {
  await using state = await tempDirectory();
  await using repo = await tempRepo({ files: { ".gitignore": "*.o\n", "kept.txt": "kept\n" } });
  const trap = join(state.path, "trap");
  await repo.git("config", "filter.trap.clean", `touch ${trap}; cat`);
  await repo.git("config", "filter.trap.required", "true");
  await repo.git("config", "core.fsmonitor", `touch ${trap}`);
  await repo.git("config", "core.autocrlf", "true");
  await repo.write(
    ".gitattributes",
    "*.crlf text eol=lf\n*.id ident\n*.trap filter=trap\n*.u16 working-tree-encoding=UTF-16\n",
  );
  const own = {
    "a.crlf": "x\r\ny\r\n",
    "b.id": "$Id: mine $\n",
    "c.trap": "trapped\n",
    "d.u16": "no UTF-16\n",
    "e f/g": "",
  };
  for (const [name, text] of Object.entries(own)) await repo.write(name, text);
  await repo.write("ignored.o", "object");
  await Deno.symlink("nowhere", join(repo.path, "link"));
  await Deno.chmod(join(repo.path, "e f/g"), 0o755);
  await Deno.remove(join(repo.path, "kept.txt"));
  const index = await Deno.readFile(join(repo.path, ".git/index"));
  const { tree, nested, unreadable } = await treeOf(repo, state.path);
  const files = await filesOf(repo, tree);
  assert.deepEqual(Object.keys(files).sort(), [
    ".gitattributes",
    ".gitignore",
    "a.crlf",
    "b.id",
    "c.trap",
    "d.u16",
    "e f/g",
    "link",
  ]);
  for (const [name, text] of Object.entries(own)) assert.equal(files[name]?.slice(7), text.trimEnd(), name);
  assert.deepEqual([files["link"], files["e f/g"]], ["120000 nowhere", "100755 "]);
  assert.deepEqual([nested, unreadable], [[], []]);
  assert.deepEqual(await Deno.readFile(join(repo.path, ".git/index")), index);
  await assert.rejects(Deno.stat(trap), Deno.errors.NotFound);
  // The same with the repository's own git runs what was planted (control).
  await repo.git("add", "c.trap");
  await Deno.stat(trap);
});

Deno.test("writeTree() takes the files of repositories inside, with and without a commit", async () => {
  await using state = await tempDirectory();
  await using repo = await tempRepo();
  for (const name of ["with", "without", "with/below"]) {
    await repo.git("init", "--quiet", name);
    await repo.write(`${name}/file`, name);
  }
  await repo.git("-C", "with", "add", "file");
  await repo.git("-C", "with", "-c", "user.name=n", "-c", "user.email=e", "commit", "--quiet", "--message=inside");
  for (let time = 0; time < 2; time++) {
    const { tree, nested } = await treeOf(repo, state.path);
    assert.deepEqual([...nested].sort(), ["with", "with/below", "without"]);
    assert.deepEqual(await filesOf(repo, tree), {
      "README.md": "100644 # Test",
      "with/below/file": "100644 with/below",
      "with/file": "100644 with",
      "without/file": "100644 without",
    });
  }
});

Deno.test("writeTree() lets git into no repository inside, whose settings may run anything", async () => {
  await using state = await tempDirectory();
  await using repo = await tempRepo();
  const trap = join(state.path, "trap");
  const inside = join(repo.path, "inside");
  await repo.git("init", "--quiet", "inside");
  await repo.write("inside/.gitattributes", "* filter=trap\n");
  await repo.write("inside/file", "1");
  const commit = ["-c", "user.name=n", "-c", "user.email=e", "commit", "--quiet", "--message=inside"];
  await repo.git("-C", inside, "add", "--all");
  await repo.git("-C", inside, ...commit);
  for (const part of ["clean", "smudge", "process"]) {
    await repo.git("-C", inside, "config", `filter.trap.${part}`, `touch ${trap}; cat`);
  }
  await repo.git("-C", inside, "config", "core.fsmonitor", `touch ${trap}; :`);
  for (const text of ["2", "3"]) {
    await repo.write("inside/file", text);
    const { tree } = await treeOf(repo, state.path);
    assert.equal((await filesOf(repo, tree))["inside/file"], `100644 ${text}`);
  }
  await assert.rejects(Deno.stat(trap), Deno.errors.NotFound);
  // Whoever adds twice as git has it, runs what was planted (control).
  await repo.git("add", "--all");
  await repo.write("inside/file", "4");
  await repo.git("add", "--all");
  await Deno.stat(trap);
});

Deno.test("writeTree() leaves submodules where the commit has them, fetched or not, unless their directory goes", async () => {
  await using state = await tempDirectory();
  await using other = await tempRepo();
  await using repo = await tempRepo();
  for (const name of ["fetched", "never", "gone", "files"]) {
    await repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other.path, name);
  }
  await repo.git("commit", "--quiet", "--message=four submodules");
  const commit = await repo.git("rev-parse", "HEAD");
  for (const name of ["never", "gone", "files"]) await Deno.remove(join(repo.path, name), { recursive: true });
  await Deno.mkdir(join(repo.path, "never"));
  await repo.write("files/own", "own");
  await repo.write("fetched/new", "new");
  await repo.git("-C", "fetched", "add", "--all");
  await repo.git("-C", "fetched", "-c", "user.name=n", "-c", "user.email=e", "commit", "--quiet", "--message=new");
  const content = (await openContent(git, { commonDir: join(repo.path, ".git"), directory: join(state.path, "c") }))(
    "text",
  );
  const treeIndex = join(state.path, "tree.index");
  for (let time = 0; time < 2; time++) {
    const { tree, nested } = await writeTree(git, {
      content,
      path: repo.path,
      index: join(state.path, "index"),
      head: commit,
      nested: "leave",
      treeIndex,
    });
    assert.deepEqual(nested, ["fetched"]);
    const diff = await repo.git("diff", "--name-status", commit, tree);
    assert.deepEqual(diff.split("\n"), ["D\tfiles", "A\tfiles/own", "D\tgone"]);
    assert.equal(await git.text(["write-tree"], { env: { ...content, GIT_INDEX_FILE: treeIndex } }), tree);
  }
});

Deno.test("writeTree() takes what HEAD tracks, ignored or not, and what is ignored only then", async () => {
  await using state = await tempDirectory();
  await using repo = await tempRepo({ files: { ".gitignore": "dist/\n" } });
  for (const name of ["dist/tracked", "dist/own", "dist/later"]) await repo.write(name, name);
  await repo.git("add", "--force", "dist/tracked");
  await repo.git("commit", "--quiet", "--message=tracked");
  const files = async (): Promise<string[]> => {
    const { tree } = await treeOf(repo, state.path, await repo.git("rev-parse", "HEAD"));
    return Object.keys(await filesOf(repo, tree)).filter((name) => name.startsWith("dist/"));
  };
  assert.deepEqual(await files(), ["dist/tracked"]);
  await repo.git("add", "--force", "dist/later");
  await repo.git("commit", "--quiet", "--message=later");
  assert.deepEqual(await files(), ["dist/later", "dist/tracked"]);
  await repo.git("rm", "--quiet", "--cached", "dist/tracked");
  await repo.git("commit", "--quiet", "--message=no more");
  assert.deepEqual(await files(), ["dist/later"]);
  await Deno.remove(join(repo.path, "dist/later"));
  assert.deepEqual(await files(), []);
});
