import assert from "node:assert/strict";
import { join } from "node:path";
import { type Answer, startSwarm, type Swarm } from "../helpers/swarm.ts";
import { lookAt, release, startTask, waitForTask } from "../helpers/tasks.ts";
import { tempRepo } from "../helpers/temp_repo.ts";
import { startWork, worked } from "../helpers/worked.ts";

const ignore = Deno.build.os === "windows";

const diff = (swarm: Swarm, id: string, more: Readonly<Record<string, unknown>> = {}): Promise<Answer> =>
  swarm.call("codex_diff", { task_id: id, ...more });

/** Below the heading. */
async function names(swarm: Swarm, id: string, more: Readonly<Record<string, unknown>> = {}): Promise<string[]> {
  const { text, isError } = await diff(swarm, id, { format: "names", ...more });
  return isError ? [text] : text.split("\n").slice(1);
}

const ODD = `printf 'more\\n' >>'b b'; chmod +x mode; mv old new; ln -s a link; printf 'a\\0b' >binary; rm a
printf 'x\\ny\\n' >"$(printf 'tab\\tname')"; printf 'u\\n' >>é; mkdir -p dir/d; echo z >dir/d/e; echo s >'*'; echo q >':(glob)*'`;

Deno.test(
  { name: "codex_diff tells of files of every kind and name, and takes paths as they are", ignore },
  async () => {
    const files = { a: "a\n", "b b": "b\n", mode: "#!/bin/sh\n", old: "1\n2\n3\n", "é": "e\n" };
    await using repo = await tempRepo({ files });
    await using swarm = await startSwarm({ cwd: repo.path });
    const [id = "", empty = ""] = await worked(swarm, ODD, "true");
    const stat = await diff(swarm, id);
    assert.deepEqual(stat.text.split("\n").slice(1), [
      "add * (+1 -0)",
      "add :(glob)* (+1 -0)",
      "delete a (+0 -1)",
      "update b b (+1 -0)",
      "add binary (binary)",
      "add dir/d/e (+1 -0)",
      "add link (+1 -0)",
      "update mode (+0 -0)",
      "rename old -> new (+0 -0)",
      "add tab\tname (+2 -0)",
      "update é (+1 -0)",
    ]);
    assert.deepEqual(stat.structured.files.filter(({ path }: { path: string }) => /binary|new|tab/.test(path)), [
      { path: "binary", kind: "add", binary: true },
      { path: "new", kind: "rename", from: "old", added: 0, removed: 0 },
      { path: "tab\tname", kind: "add", added: 2, removed: 0 },
    ]);
    const { text: patch } = await diff(swarm, id, { format: "patch" });
    for (const part of ["old mode 100644\nnew mode 100755", "rename from old\nrename to new", "new file mode 120000"]) {
      assert.ok(patch.includes(part), patch);
    }
    const { worktree_path: top } = await lookAt(swarm, id);
    const all = await names(swarm, id);
    for (
      const [path, expected] of [
        ["b b", ["b b"]],
        ["é", ["é"]],
        ["*", ["*"]],
        [":(glob)*", [":(glob)*"]],
        [":!a", []],
        [":/", []],
        ["dir/", ["dir/d/e"]],
        ["./dir/../b b", ["b b"]],
        [join(top, "b b"), ["b b"]],
        [".", all],
        [top, all],
        ["../a", [`Cannot compare task ${id}: "../a" is not below ${top}.`]],
        ["/etc/hosts", [`Cannot compare task ${id}: "/etc/hosts" is not below ${top}.`]],
      ] as const
    ) assert.deepEqual([path, await names(swarm, id, { paths: [path] })], [path, expected]);
    assert.deepEqual(await names(swarm, id, { against: `codex-swarm/${id}` }), []);
    assert.deepEqual(await names(swarm, empty), []);
    for (const against of ["nowhere", "--output=x", "main:a", ""]) {
      assert.deepEqual(await names(swarm, id, { against }), [
        `Cannot compare task ${id}: there is no commit "${against}".`,
      ]);
    }
    const plain = await diff(swarm, await startTask(swarm, "fake:say(x)"));
    assert.ok(plain.isError);
    assert.match(plain.text, /worked in no worktree of its own. Run git diff in /);
  },
);

Deno.test({
  name: "codex_diff shows what a running agent has done, and what one has done whose worktree is gone",
  ignore,
}, async () => {
  await using swarm = await startSwarm();
  const id = await startWork(swarm, "echo 1 >one", {
    goesOn: `fake:say(first) fake:hold(${swarm.cwd}/go) fake:write(two)`,
  });
  await waitForTask(swarm, id, ({ answer }) => answer === "first");
  assert.deepEqual(await names(swarm, id), ["one"]);
  await release(swarm, "go");
  await swarm.call("codex_wait", { task_ids: [id] });
  assert.deepEqual(await names(swarm, id), ["one", "two"]);
  await swarm.call("codex_cleanup", { task_ids: [id], dry_run: false });
  const { text, structured } = await diff(swarm, id);
  assert.match(text, /: 2 files differ from .* \(the end of its branch; the worktree is gone\)\n/);
  assert.equal(structured.of, "branch");
});

for (const clientName of ["codex-mcp-client", "claude-code", "test"]) {
  Deno.test(
    { name: `codex_diff stays within what ${clientName} passes on, and says how to get the rest`, ignore },
    async () => {
      await using swarm = await startSwarm({ clientName });
      const [many = "", large = ""] = await worked(
        swarm,
        "i=1000; while [ $i -lt 4000 ]; do : >f$i; i=$((i+1)); done",
        `i=0; while [ $i -lt 9000 ]; do printf '"%s"\\t\\001\\001\\n' $i; i=$((i+1)); done >large`,
      );
      const room = { "codex-mcp-client": 10_000, "claude-code": 40_000 }[clientName] ?? 20_000;
      for (const format of ["stat", "names", "patch"]) {
        const { text, structured } = await diff(swarm, many, { format });
        assert.equal(structured.files.length + structured.files_not_shown, 3_000);
        assert.ok(structured.files.length * 70 > room / 4, `only ${structured.files.length} files`);
        assert.match(
          text,
          new RegExp(`\\n… ${structured.files_not_shown} more files: name directories or files in paths`),
        );
        assert.ok(Math.max(text.length, JSON.stringify(structured).length) <= room);
      }
      const { text, structured } = await diff(swarm, large, { format: "patch" });
      assert.match(
        text,
        /\+"0"\t[^]*\[… [\d,]+ characters in all, the middle is left out; whole: file by file with paths, or by git diff in .* …\][^]*\+"8999"\t/,
      );
      assert.match(structured.patch, /^diff --git [^]*the middle is left out[^]*"8999"/);
      assert.ok(JSON.stringify(structured).length <= room);
      assert.ok(JSON.stringify(structured).length > room / 3);
    },
  );
}
