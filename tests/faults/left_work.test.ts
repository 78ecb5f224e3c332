/** However an agent ends, and whatever becomes of its server meanwhile: all that it left in its worktree can be restored. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fingerprint, isWhole, KINDS, MID_REBASE, repoForAll, scriptOf } from "../helpers/left_work.ts";
import { listProcesses } from "../helpers/processes.ts";
import { killServer, type ServersYard, serversYard } from "../helpers/servers_yard.ts";
import { CAN_MOUNT, type SmallDisk, smallDisk } from "../helpers/small_disk.ts";
import type { Swarm } from "../helpers/swarm.ts";
import { startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";

/** How an agent goes on that has done its work, and what happens then until it has ended; gives the server to ask. */
interface Event {
  readonly what: string;
  readonly goesOn: string;
  readonly status: string;
  readonly happen?: (swarm: Swarm, ids: readonly string[], yard: ServersYard) => Promise<Swarm>;
}

async function killAgents({ codex }: ServersYard): Promise<void> {
  for (const { pid, exitCode } of codex.ledger()) if (exitCode === null) Deno.kill(pid, "SIGKILL");
  await Promise.resolve();
}

const EVENTS: readonly Event[] = [
  { what: "it finishes", goesOn: "fake:say(end)", status: "completed" },
  { what: "it fails", goesOn: "fake:fail(no more)", status: "failed" },
  { what: "it is killed", goesOn: "fake:kill_self(SIGKILL)", status: "failed" },
  {
    what: "it is cancelled",
    goesOn: "fake:hold(never)",
    status: "cancelled",
    happen: async (swarm, ids) => {
      await Promise.all(ids.map((id) => swarm.call("codex_cancel", { task_id: id })));
      return swarm;
    },
  },
  {
    what: "its server is killed, and then it",
    goesOn: "fake:hold(never)",
    status: "failed",
    happen: async (swarm, _ids, yard) => {
      await killServer(swarm);
      await killAgents(yard);
      return await yard.start();
    },
  },
  {
    what: "its server, its shim and it are killed at once",
    goesOn: "fake:hold(never)",
    status: "interrupted",
    happen: async (swarm, ids, yard) => {
      const shims = (await listProcesses()).filter(({ command }) => ids.some((id) => command.includes(yard.task(id))));
      await killServer(swarm);
      for (const { pid } of shims) Deno.kill(pid, "SIGKILL");
      await killAgents(yard);
      return await yard.start();
    },
  },
];

for (const { what, goesOn, status, happen } of EVENTS) {
  Deno.test({ name: `an agent's work of every kind is restored after ${what}`, ignore }, async (t) => {
    await using repo = await repoForAll();
    await using yard = await serversYard({ repo });
    await using first = await yard.start();
    const ids: string[] = [];
    const lefts = [KINDS, [MID_REBASE]];
    const befores: ReadonlyMap<string, string>[] = [];
    for (const [index, kinds] of lefts.entries()) {
      const script = join(yard.codex.home, `work_${index}.sh`);
      await Deno.writeTextFile(script, scriptOf(kinds));
      const prompt = `fake:run(sh ${script}) fake:say(left) fake:hold(../go) ${goesOn}`;
      ids.push(await startTask(first, prompt, { worktree: true, sandbox: "danger-full-access" }));
    }
    for (const id of ids) {
      const { worktree_path } = await waitForTask(first, id, ({ answer }) => answer === "left");
      befores.push(await fingerprint(worktree_path));
    }
    await Deno.writeTextFile(join(yard.stateDir, "worktrees", "go"), "");
    await using stack = new AsyncDisposableStack();
    const next = await happen?.(first, ids, yard) ?? first;
    const last = next === first ? first : stack.use(next);
    for (const id of ids) {
      const { work } = await waitForStatus(last, id, status);
      assert.equal(work.problem, undefined);
    }
    for (const id of ids) await Deno.remove(join(yard.stateDir, "worktrees", id), { recursive: true });
    await repo.git("reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all");
    await repo.git("gc", "--quiet", "--prune=now");
    for (const [index, kinds] of lefts.entries()) {
      const { structured, isError, text } = await last.call("codex_restore", { task_id: ids[index] });
      assert.ok(!isError, text);
      const before = befores[index] ?? new Map();
      for (const kind of kinds) {
        await t.step(kind.name, async () => {
          assert.ok(await isWhole(kind, { path: structured.worktree_path, before }));
        });
      }
      assert.deepEqual(await fingerprint(structured.worktree_path), before);
    }
  });
}

Deno.test({
  name: "an agent's work is left where it is while no disk has room for it, and restored later",
  ignore: ignore || !CAN_MOUNT,
}, async () => {
  await using disk: SmallDisk = await smallDisk({ kib: 16_384 });
  await using repo = await repoForAll();
  await using yard = await serversYard({ repo, stateDir: disk.path });
  await using swarm = await yard.start();
  const script = join(yard.codex.home, "work.sh");
  await Deno.writeTextFile(script, scriptOf(KINDS));
  const prompt = `fake:run(sh ${script}) fake:say(left) fake:hold(../go)`;
  const id = await startTask(swarm, prompt, { worktree: true, sandbox: "danger-full-access" });
  const { worktree_path } = await waitForTask(swarm, id, ({ answer }) => answer === "left");
  const before = await fingerprint(worktree_path);
  await Deno.writeTextFile(join(disk.path, "worktrees", "go"), "");
  await disk.fill("bytes");
  await waitFor(() => yard.codex.ledger()[0]?.exitCode === 0, { message: "the agent to end" });
  await disk.clear();
  await waitForStatus(swarm, id, "completed");
  assert.deepEqual(await fingerprint(worktree_path), before);
  const { structured, isError, text } = await swarm.call("codex_restore", { task_id: id });
  assert.ok(!isError, text);
  assert.deepEqual(await fingerprint(structured.worktree_path), before);
});
