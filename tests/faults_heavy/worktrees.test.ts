/** Many worktrees of one repository at once, by several servers: git's own registry does not stand that. */
import assert from "node:assert/strict";
import { serversYard } from "../helpers/servers_yard.ts";
import { startTask } from "../helpers/tasks.ts";
import { tempRepo } from "../helpers/temp_repo.ts";

const ROUNDS = 12;
const AT_ONCE = 32;

Deno.test({
  name: "32 worktrees at once, 12 times over, from two servers: none fails and none is left behind",
  ignore: Deno.build.os === "windows",
}, async () => {
  const files = Object.fromEntries(
    Array.from({ length: 200 }, (_, index) => [`d${index % 10}/f${index}`, `${index}\n`]),
  );
  await using repo = await tempRepo({ files });
  await using yard = await serversYard({ repo, isQuick: true });
  await using one = await yard.start({ args: ["--max-concurrent", String(AT_ONCE)] });
  await using two = await yard.start({ args: ["--max-concurrent", String(AT_ONCE)] });
  const all: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const ids = await Promise.all(
      Array.from(
        { length: AT_ONCE },
        (_, index) => startTask(index % 2 === 0 ? one : two, "quick: exit=0", { worktree: true }),
      ),
    );
    const { structured } = await one.call("codex_wait", { task_ids: ids });
    const ends = structured.tasks.map((
      task: Record<string, Record<string, unknown>>,
    ) => [task.status, task.work?.problem]);
    assert.deepEqual(ends, ids.map(() => ["completed", undefined]));
    all.push(...ids);
  }
  const branches = (await repo.git("branch", "--format=%(refname:short)", "--list", "codex-swarm/*")).split("\n");
  assert.deepEqual(branches.sort(), all.map((id) => `codex-swarm/${id}`).sort());
  const worktrees = (await repo.git("worktree", "list", "--porcelain")).match(/^worktree /gm);
  assert.equal(worktrees?.length, all.length + 1);
  // Nothing has changed in them, so all go: as many at a time as a client waits for.
  for (;;) {
    const { text, structured } = await one.call("codex_cleanup", { dry_run: false });
    assert.match(text, /^Removed [1-9]/);
    if (structured.left_for_later === undefined) break;
    assert.match(text, /\nThere was no time for \d+ of them: call again, or name some\.\n/);
  }
  assert.equal(await repo.git("branch", "--list", "codex-swarm/*"), "");
  assert.equal((await repo.git("worktree", "list", "--porcelain")).match(/^worktree /gm)?.length, 1);
});
