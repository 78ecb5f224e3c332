/** What repositories hold that is no plain file: it stays as it was, on branches, in worktrees and in the checkout. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { repoWithSubmodule } from "../helpers/repo_with_submodule.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { type TempRepo, tempRepo } from "../helpers/temp_repo.ts";
import { waitFor } from "../helpers/wait_for.ts";
import type { Swarm } from "../helpers/swarm.ts";
import { changed, work, yardIn } from "../helpers/worktree_calls.ts";

const ignore = Deno.build.os === "windows";

const UPDATE = "git -c protocol.file.allow=always submodule --quiet update --init sub";

for (
  const { what, prompt, leftOut } of [
    { what: "was never fetched", prompt: "fake:say(done)", leftOut: undefined },
    { what: "the agent has fetched", prompt: `fake:run(${UPDATE})`, leftOut: ["sub"] },
    { what: "the agent has edited", prompt: `fake:run(${UPDATE}; echo edited >>sub/file)`, leftOut: ["sub"] },
    {
      what: "the agent has committed in",
      prompt:
        `fake:run(${UPDATE}; echo edited >>sub/file; git -C sub -c user.name=A -c user.email=a@b.c commit -qam in)`,
      leftOut: ["sub"],
    },
  ]
) {
  Deno.test({ name: `a submodule that ${what} stays on the branch where it was`, ignore }, async () => {
    await using repo = await repoWithSubmodule();
    await using yard = await yardIn(repo);
    const task = await work(yard.swarm, `${prompt} fake:write(new, new)`);
    assert.deepEqual(await changed(yard.swarm, repo, task), { told: ["new"], committed: ["new"] });
    const link = (commit: string): Promise<string> => repo.git("ls-tree", commit, "sub");
    assert.match(await link("main"), /^160000 commit /);
    assert.equal(await link(task.worktree_branch), await link("main"));
    assert.deepEqual(task.work.left_out, leftOut);
    const kept = await repo.git("ls-tree", "-r", "--name-only", task.work.snapshot);
    assert.equal(kept.split("\n").includes("sub/file"), leftOut !== undefined);
    if (!prompt.includes("edited")) return;
    assert.equal(await repo.git("show", `${task.work.snapshot}:sub/file`), "file\nedited");
    const { text } = await yard.swarm.call("codex_wait", { task_ids: [task.task_id] });
    assert.match(text, /^Not on the branch, repositories of their own: sub$/m);
  });
}

Deno.test({ name: "a worktree is made of a submodule too", ignore }, async () => {
  await using repo = await repoWithSubmodule();
  await using yard = await yardIn(repo);
  const task = await work(yard.swarm, "fake:write(file, changed)", { cwd: "sub" });
  assert.deepEqual(task.work.files, 1);
  assert.equal(await repo.git("-C", "sub", "show", `${task.worktree_branch}:file`), "changed");
  assert.deepEqual([await repo.git("status", "--porcelain"), await repo.git("-C", "sub", "status", "--porcelain")], [
    "",
    "",
  ]);
});

const POINTER = `version https://git-lfs.github.com/spec/v1
oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
size 12345
`;

/** A repository whose large files are pointers, as whoever has Git LFS sees it: filled, by filters that leave a trace. */
async function withLfs(trap: string): Promise<TempRepo> {
  const repo = await tempRepo({
    files: { ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "a.bin": POINTER, "b.txt": "b\n" },
  });
  const filter = (kind: string, text: string): Promise<string> =>
    repo.git("config", `filter.lfs.${kind}`, `echo ${kind} >>${trap}; cat >/dev/null; printf '${text}'`);
  await filter("clean", POINTER.replaceAll("\n", "\\n"));
  await filter("smudge", "large content\\n");
  await repo.git("config", "filter.lfs.required", "true");
  await Deno.remove(join(repo.path, "a.bin"));
  await repo.git("checkout", "--", "a.bin");
  assert.equal(await Deno.readTextFile(join(repo.path, "a.bin")), "large content\n");
  // Of a file as old as the index git cannot tell without its filter whether it has changed.
  const secondOf = async (name: string): Promise<number> =>
    Math.floor(((await Deno.stat(join(repo.path, name))).mtime?.getTime() ?? 0) / 1000);
  await waitFor(async () => {
    await repo.git("update-index", "--force-write-index");
    return await secondOf(".git/index") > await secondOf("a.bin");
  }, { message: "an index that is younger than its files" });
  return repo;
}

for (const base of ["head", "wip"]) {
  Deno.test({ name: `pointers of Git LFS stay pointers in a worktree that begins at ${base}`, ignore }, async () => {
    await using place = await tempDirectory();
    const trap = join(place.path, "trap");
    await using repo = await withLfs(trap);
    await repo.write("b.txt", "mine\n");
    await Deno.remove(trap);
    await using yard = await yardIn(repo);
    const task = await work(yard.swarm, "fake:write(new, new)", { worktree: { base } });
    assert.match(
      task.notes.join("\n"),
      base === "wip" ? /Git LFS/ : /not what has changed in [^:]+: b\.txt\. .*\n.*Git LFS/,
    );
    assert.equal(await Deno.readTextFile(join(task.worktree_path, "a.bin")), POINTER);
    assert.deepEqual(await changed(yard.swarm, repo, task), { told: ["new"], committed: ["new"] });
    assert.equal(await repo.git("show", `${task.worktree_branch}:a.bin`), POINTER.trimEnd());
    assert.equal(
      await repo.git("show", `${task.worktree_branch}:b.txt`),
      base === "wip" ? "mine" : "b",
    );
    await assert.rejects(Deno.stat(trap), Deno.errors.NotFound);
    // Git itself runs them (control).
    await Deno.writeTextFile(join(repo.path, "a.bin"), "other\n");
    await repo.git("add", "a.bin");
    assert.equal(await Deno.readTextFile(trap), "clean\n");
  });
}

Deno.test({
  name: "files of Git LFS that an agent has filled are not committed, those that it has changed are",
  ignore,
}, async () => {
  await using place = await tempDirectory();
  await using repo = await withLfs(join(place.path, "trap"));
  await using yard = await yardIn(repo);
  // What git-lfs pull does.
  const fill = "rm a.bin; git checkout -- a.bin";
  const task = await work(yard.swarm, `fake:run(${fill}) fake:write(new, new)`);
  assert.equal(await Deno.readTextFile(join(task.worktree_path, "a.bin")), "large content\n");
  assert.deepEqual(await changed(yard.swarm, repo, task), { told: ["new"], committed: ["new"] });
  assert.equal(await repo.git("show", `${task.work.snapshot}:a.bin`), "large content");
  const other = await work(yard.swarm, `fake:run(${fill}; echo changed >>a.bin)`);
  assert.deepEqual(await changed(yard.swarm, repo, other), { told: ["a.bin"], committed: ["a.bin"] });
});

for (
  const { what, config, files } of [
    { what: "core.autocrlf", config: ["core.autocrlf", "true"], files: { "a.txt": "a\nb\n" } },
    { what: "core.eol", config: ["core.eol", "crlf"], files: { ".gitattributes": "* text=auto\n", "a.txt": "a\nb\n" } },
    {
      what: "eol attributes",
      config: ["core.eol", "lf"],
      files: { ".gitattributes": "*.txt text eol=crlf\n", "a.txt": "a\nb\n" },
    },
    {
      what: "ident and encodings",
      config: ["core.eol", "lf"],
      files: { ".gitattributes": "*.txt ident working-tree-encoding=UTF-16LE\n", "a.txt": "$Id$\n" },
    },
  ]
) {
  Deno.test({ name: `with ${what} nothing is committed that an agent has left as it was`, ignore }, async () => {
    await using repo = await tempRepo({ files: {} });
    await repo.git("config", ...config);
    // As git itself writes them.
    for (const [name, text] of Object.entries(files)) {
      if (name === ".gitattributes") await repo.write(name, text);
      else {
        const oid = await repo.git(
          "hash-object",
          "-w",
          "--no-filters",
          "--",
          await (async () => {
            await repo.write(".git/blob", text);
            return ".git/blob";
          })(),
        );
        await repo.git("update-index", "--add", "--cacheinfo", `100644,${oid},${name}`);
      }
    }
    if (".gitattributes" in files) await repo.git("add", ".gitattributes");
    await repo.git("commit", "--quiet", "--message=files");
    await repo.git("checkout", "--", ".");
    assert.equal(await repo.git("status", "--porcelain"), "");
    await using yard = await yardIn(repo);
    for (const base of ["head", "wip"]) {
      const task = await work(yard.swarm, "fake:write(new, new)", { worktree: { base } });
      const read = async (path: string): Promise<Uint8Array> => await Deno.readFile(join(path, "a.txt"));
      assert.deepEqual(await read(task.worktree_path), await read(repo.path));
      assert.deepEqual(await changed(yard.swarm, repo, task), { told: ["new"], committed: ["new"] });
      assert.equal(await repo.git("-C", task.worktree_path, "status", "--porcelain"), "");
    }
  });
}

for (const isCone of [true, false]) {
  Deno.test({
    name: `what a sparse checkout ${isCone ? "with a sparse index " : ""}leaves out is not deleted on any branch`,
    ignore,
  }, async () => {
    await using repo = await tempRepo({ files: { "in/a": "a\n", "out/b": "b\n", top: "top\n" } });
    const how = isCone ? ["--cone", "--sparse-index", "in"] : ["--no-cone", "/in/"];
    await repo.git("sparse-checkout", "set", ...how);
    await assert.rejects(Deno.stat(join(repo.path, "out")), Deno.errors.NotFound);
    await repo.write("in/a", "mine\n");
    await using yard = await yardIn(repo);
    for (const base of ["head", "wip"]) {
      const task = await work(yard.swarm, "fake:write(in/new, new)", { worktree: { base } });
      assert.deepEqual(await changed(yard.swarm, repo, task), { told: ["in/new"], committed: ["in/new"] });
      assert.equal(await repo.git("show", `${task.worktree_branch}:out/b`), "b");
      assert.equal(await repo.git("show", `${task.worktree_branch}:in/a`), base === "wip" ? "mine" : "a");
    }
    // An agent whose own git leaves them out.
    const task = await work(
      yard.swarm,
      "fake:run(git sparse-checkout set in && test ! -e out) fake:write(in/new, new)",
    );
    await assert.rejects(Deno.stat(join(task.worktree_path, "out")), Deno.errors.NotFound);
    assert.deepEqual(await changed(yard.swarm, repo, task), { told: ["in/new"], committed: ["in/new"] });
    const restored = await yard.swarm.call("codex_restore", { task_id: task.task_id });
    assert.ok(!restored.isError, restored.text);
    assert.equal(await Deno.readTextFile(join(restored.structured.worktree_path, "out/b")), "b\n");
    await repo.write("in/a", "a\n");
    const merged = await yard.swarm.call("codex_merge", { task_id: task.task_id, update_checkout: true });
    assert.ok(!merged.isError, merged.text);
    assert.deepEqual([await Deno.readTextFile(join(repo.path, "in/new")), await repo.git("status", "--porcelain")], [
      "new",
      "",
    ]);
    await assert.rejects(Deno.stat(join(repo.path, "out")), Deno.errors.NotFound);
  });
}

/** Brings a task's work into the checkout, which has to be clean before and after. */
async function mergeHere(swarm: Swarm, repo: TempRepo, id: string): Promise<void> {
  assert.equal(await repo.git("status", "--porcelain"), "");
  const { isError, text } = await swarm.call("codex_merge", { task_id: id, update_checkout: true });
  assert.ok(!isError, text);
  assert.equal(await repo.git("status", "--porcelain"), "");
  assert.equal(await Deno.readTextFile(join(repo.path, "new")), "new");
}

Deno.test({ name: "a merge leaves submodules of the checkout as they are", ignore }, async () => {
  await using repo = await repoWithSubmodule();
  await using yard = await yardIn(repo);
  const task = await work(yard.swarm, "fake:write(new, new)");
  await mergeHere(yard.swarm, repo, task.task_id);
  assert.equal(await Deno.readTextFile(join(repo.path, "sub/file")), "file\n");
  assert.equal(await repo.git("submodule", "status"), await repo.git("submodule", "status", "--cached"));
});

Deno.test({ name: "a merge leaves files of Git LFS that the checkout has filled as they are", ignore }, async () => {
  await using place = await tempDirectory();
  await using repo = await withLfs(join(place.path, "trap"));
  await using yard = await yardIn(repo);
  const task = await work(yard.swarm, "fake:write(new, new)");
  await mergeHere(yard.swarm, repo, task.task_id);
  assert.equal(await Deno.readTextFile(join(repo.path, "a.bin")), "large content\n");
});

Deno.test({ name: "a merge writes line ends as the checkout has them", ignore }, async () => {
  await using repo = await tempRepo({ files: { ".gitattributes": "*.txt text eol=crlf\n", "a.txt": "a\r\n" } });
  await using yard = await yardIn(repo);
  const task = await work(yard.swarm, "fake:write(new, new) fake:run(printf 'a\\r\\nb\\r\\n' >a.txt)");
  await mergeHere(yard.swarm, repo, task.task_id);
  assert.equal(await Deno.readTextFile(join(repo.path, "a.txt")), "a\r\nb\r\n");
  assert.equal(await repo.git("show", "HEAD:a.txt"), "a\nb");
});
