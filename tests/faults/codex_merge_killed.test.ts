/** What becomes of a checkout while whose files are moved the server is killed. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type ServersYard, serversYard } from "../helpers/servers_yard.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { type TempRepo, tempRepo } from "../helpers/temp_repo.ts";
import { worked } from "../helpers/worked.ts";

const ignore = Deno.build.os === "windows";

const FILES = { a: "a\n", b: "b\n", gone: "gone\n", "dir/in": "in\n", lines: "lines\n" };
const WORK =
  "echo more >>a; echo more >>b; rm gone; rm -r dir; mkdir -p new/er; echo n >new/er/n; rm lines; ln -s a lines";

/** Kills a server in the midst of a merge, after git's command `last`; gives the id of the task. */
async function killMerging(
  yard: ServersYard,
  { last, bin }: { readonly last: string; readonly bin: string },
): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", "command -v git"] }).output();
  const git = new TextDecoder().decode(stdout).trim();
  const armed = join(bin, "armed");
  const script = `#!/bin/sh
case " $* " in
*" ${last} "*)
  ${git} "$@"; code=$?
  if [ -e ${armed} ]; then rm ${armed}; kill -KILL $PPID; fi
  exit $code ;;
esac
exec ${git} "$@"
`;
  await Deno.writeTextFile(join(bin, "git"), script, { mode: 0o755 });
  await using swarm = await yard.start({ env: { PATH: `${bin}:${Deno.env.get("PATH")}` } });
  const [id = ""] = await worked(swarm, WORK);
  await Deno.writeTextFile(armed, "");
  await assert.rejects(swarm.call("codex_merge", { task_id: id, update_checkout: true }));
  await swarm.process.ended;
  return id;
}

async function gitFiles(repo: TempRepo): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(join(repo.path, ".git")), ({ name }) => name);
  return names.filter((name) => /^index\.|^codex-swarm\.move$/.test(name)).sort();
}

for (const [last, end] of [["read-tree -m -u", "taken back"], ["update-ref", "finished"]] as const) {
  Deno.test(
    { name: `codex_merge makes good that a server was killed after git ${last}: it is ${end}`, ignore },
    async () => {
      await using repo = await tempRepo({ files: FILES });
      await using bin = await tempDirectory();
      await using yard = await serversYard({ repo });
      const from = await repo.git("rev-parse", "main");
      const id = await killMerging(yard, { last, bin: bin.path });
      // It was killed where it was to be.
      assert.equal(await Deno.readTextFile(join(repo.path, "a")), "a\nmore\n");
      assert.equal(await repo.git("rev-parse", "main") === from, end === "taken back");
      await assert.rejects(repo.git("add", "--all"), /index\.lock/);
      assert.deepEqual((await gitFiles(repo)).filter((name) => !/^index\.[0-9a-f]{8}-/.test(name)), [
        "codex-swarm.move",
        "index.lock",
      ]);
      await using next = await yard.start();
      const refused = await next.call("codex_merge", { task_id: id });
      assert.equal(refused.isError, end === "taken back", refused.text);
      assert.match(
        refused.text,
        new RegExp(`A server was killed while it brought main from ${from} to .* That was ${end}\\.`),
      );
      assert.equal(await repo.git("status", "--porcelain"), "");
      assert.deepEqual(await gitFiles(repo), []);
      const head = end === "taken back" ? FILES.a : "a\nmore\n";
      assert.equal(await Deno.readTextFile(join(repo.path, "a")), head);
      const merged = await next.call("codex_merge", { task_id: id, update_checkout: true });
      assert.ok(!merged.isError, merged.text);
      assert.doesNotMatch(merged.text, /killed/);
      assert.equal(await repo.git("status", "--porcelain"), "");
      assert.equal(await repo.git("ls-files"), "a\nb\nlines\nnew/er/n");
    },
  );
}

Deno.test(
  { name: "codex_merge takes back no file that somebody has changed since a server was killed", ignore },
  async () => {
    await using repo = await tempRepo({ files: FILES });
    await using bin = await tempDirectory();
    await using yard = await serversYard({ repo });
    const id = await killMerging(yard, { last: "read-tree -m -u", bin: bin.path });
    await repo.write("b", "mine\n");
    await repo.write("gone", "mine too\n");
    await repo.write("new/mine", "new\n");
    await Deno.symlink("/nowhere", join(repo.path, "dir"));
    await using next = await yard.start();
    const { text, isError } = await next.call("codex_merge", { task_id: id, update_checkout: true });
    assert.ok(isError, text);
    assert.match(text, /has changes of its own: b, dir\/in, gone\..*Nothing has changed\./);
    assert.match(
      text,
      /Before that:\nA server was killed .* taken back, but for .*left as they are: b, dir\/in, gone\./,
    );
    const read = (name: string): Promise<string> => Deno.readTextFile(join(repo.path, name));
    assert.deepEqual(await Promise.all(["a", "b", "gone", "new/mine", "lines"].map(read)), [
      "a\n",
      "mine\n",
      "mine too\n",
      "new\n",
      "lines\n",
    ]);
    assert.equal(await Deno.readLink(join(repo.path, "dir")), "/nowhere");
    assert.equal(await repo.git("status", "--porcelain"), " M b\n D dir/in\n M gone\n?? dir\n?? new/");
    assert.deepEqual(await gitFiles(repo), []);
  },
);

Deno.test(
  { name: "codex_merge takes back nothing under another git's lock, nor once somebody has gone on", ignore },
  async () => {
    await using repo = await tempRepo({ files: FILES });
    await using bin = await tempDirectory();
    await using yard = await serversYard({ repo });
    const id = await killMerging(yard, { last: "read-tree -m -u", bin: bin.path });
    await repo.write("keep", "");
    await Deno.remove(join(repo.path, ".git/index.lock"));
    await repo.write(".git/index.lock", "");
    await using next = await yard.start();
    const args = { task_id: id, update_checkout: true };
    const locked = await next.call("codex_merge", args);
    assert.ok(locked.isError);
    assert.match(
      locked.text,
      /^Cannot merge: a merge was broken off, .* the index of .* is locked by another git \(.*index\.lock\)\.$/,
    );
    assert.equal(await Deno.readTextFile(join(repo.path, "a")), "a\nmore\n");
    await Deno.remove(join(repo.path, ".git/index.lock"));
    await repo.git("add", "--all");
    await repo.git("commit", "--quiet", "--message=gone on");
    const { text } = await next.call("codex_merge", args);
    assert.match(text, /It no longer stands on either, so the files were left as they are/);
    assert.equal(await repo.git("status", "--porcelain"), "");
    assert.equal(await Deno.readTextFile(join(repo.path, "a")), "a\nmore\n");
    assert.deepEqual(await gitFiles(repo), []);
  },
);
