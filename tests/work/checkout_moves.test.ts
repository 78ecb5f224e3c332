import assert from "node:assert/strict";
import { join } from "node:path";
import { lockMoves, moveJournal, writeMove } from "../../src/storage/move_journal.ts";
import { namesIn } from "../helpers/temp_directory.ts";
import { workYard } from "../helpers/work_yard.ts";

Deno.test("Work.age() takes back a move that was broken off, but none whose server lives", async () => {
  await using yard = await workYard({ a: "a\n" });
  const { repo, work } = yard;
  await yard.done("0000000a", { a: "more\n", b: "b\n" });
  const [from, to] = await Promise.all(["main", "codex-swarm/0000000a"].map((name) => repo.git("rev-parse", name)))
    .then(([before = "", after = ""]) => [before, after] as const);
  const gitDir = await Deno.realPath(join(repo.path, ".git"));
  const path = await Deno.realPath(repo.path);
  const index = await Deno.readFile(join(gitDir, "index"));
  await repo.git("read-tree", "-m", "-u", from, to);
  await Deno.writeFile(join(gitDir, "index"), index);
  await writeMove(gitDir, { path, ref: "refs/heads/main", from, to, index: "index.test" });
  await Deno.link(moveJournal(gitDir), join(gitDir, "index.lock"));
  const files = (): Promise<string>[] => [Deno.readTextFile(join(path, "a")), Promise.resolve(namesIn(path).join())];
  const living = await lockMoves(gitDir);
  await work.age(new Date(0));
  assert.deepEqual(await Promise.all(files()), ["more\n", ".git,a,b"]);
  living?.[Symbol.dispose]();
  await work.age(new Date(0));
  assert.deepEqual(await Promise.all(files()), ["a\n", ".git,a"]);
  assert.equal(await repo.git("status", "--porcelain"), "");
  const left = namesIn(gitDir).filter((name) => /^index|^codex-swarm\.move/.test(name));
  assert.deepEqual(left.sort(), ["codex-swarm.move.lock", "index"]);
});
