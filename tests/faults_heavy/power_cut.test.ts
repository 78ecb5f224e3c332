/** Whenever the power goes: what the state directory was then is enough to restore all that an agent has left. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fingerprint, KINDS, repoForAll, scriptOf } from "../helpers/left_work.ts";
import { serversYard } from "../helpers/servers_yard.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { startTask, waitForTask } from "../helpers/tasks.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";

const FINAL = ["completed", "failed", "cancelled", "timed_out", "interrupted"];

/** Copies a state directory but for its worktrees, as it is at one moment or shortly after. */
async function copyState(from: string, to: string): Promise<void> {
  const script =
    'cd "$1" && tar --create --exclude=./worktrees --ignore-failed-read --warning=none . | tar --extract -C "$2"';
  await Deno.mkdir(to, { recursive: true });
  await new Deno.Command("sh", { args: ["-c", script, "sh", from, to], stderr: "null" }).output();
}

/** What of a state directory decides about tasks and worktrees. */
async function stamp(stateDir: string): Promise<string> {
  const script =
    'find "$1/tasks" "$1/work" -type f \\( -name "*.json" -o -name exit -o -name "*.index" \\) -printf "%p %T@ %s\\n" 2>/dev/null';
  const { stdout } = await new Deno.Command("sh", { args: ["-c", script, "sh", stateDir] }).output();
  return new TextDecoder().decode(stdout);
}

async function stateOf(stateDir: string, id: string): Promise<string | null> {
  try {
    return JSON.parse(await Deno.readTextFile(join(stateDir, "tasks", id, "task.json"))).state?.status ?? null;
  } catch {
    return null;
  }
}

Deno.test({
  name: "after a power cut at any write all that an agent left is restored",
  ignore: Deno.build.os === "windows",
}, async (t) => {
  await using copies = await tempDirectory();
  await using repo = await repoForAll();
  await using yard = await serversYard({ repo });
  const taken: string[] = [];
  let before: ReadonlyMap<string, string>;
  let id: string;
  {
    await using swarm = await yard.start();
    const script = join(yard.codex.home, "work.sh");
    await Deno.writeTextFile(script, scriptOf(KINDS));
    const prompt = `fake:run(sh ${script}) fake:say(left) fake:hold(../go) fake:say(end)`;
    let isOver = false;
    const copying = (async (): Promise<void> => {
      for (let last = ""; !isOver;) {
        const now = await stamp(yard.stateDir);
        if (now === last) continue;
        last = now;
        const path = join(copies.path, String(taken.length));
        await copyState(yard.stateDir, path);
        taken.push(path);
      }
    })();
    id = await startTask(swarm, prompt, { worktree: true, sandbox: "danger-full-access" });
    const { worktree_path } = await waitForTask(swarm, id, ({ answer }) => answer === "left");
    before = await fingerprint(worktree_path);
    await Deno.writeTextFile(join(yard.stateDir, "worktrees", "go"), "");
    await waitForTask(swarm, id, ({ status }) => FINAL.includes(status));
    isOver = true;
    await copying;
  }
  await repo.git("reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all");
  await repo.git("gc", "--quiet", "--prune=now");
  let restored = 0;
  for (const [index, stateDir] of taken.entries()) {
    const status = await stateOf(stateDir, id);
    // Whoever finds it queued has its agent begin.
    if (status === null || status === "queued") continue;
    await t.step(`copy ${index} of ${taken.length}, ${status}`, async () => {
      await using next = await startSwarm({ codex: yard.codex, stateDir, cwd: yard.cwd });
      await waitForTask(next, id, (task) => FINAL.includes(task.status));
      const { structured, isError, text } = await next.call("codex_restore", { task_id: id });
      assert.ok(!isError, text);
      assert.deepEqual(await fingerprint(structured.worktree_path), before);
    });
    restored++;
  }
  assert.ok(restored >= 3, `only ${restored} copies of ${taken.length} tell of an agent that has begun`);
});
