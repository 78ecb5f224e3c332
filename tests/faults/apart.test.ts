/** What agents in worktrees are given so that they do not get into each other's way, and where they are given none. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { CAN_MOUNT, smallDisk } from "../helpers/small_disk.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { startTask, waitForTask } from "../helpers/tasks.ts";

const ignore = Deno.build.os === "windows";
const SHOW = 'fake:run(echo "$CODEX_SWARM_PORT_BASE $COMPOSE_PROJECT_NAME" >apart) fake:say(told) fake:hold(go)';

Deno.test({ name: "agents in worktrees are told of ports and a container project of their own", ignore }, async () => {
  // An agent that starts agents has some of its own.
  const env = { CODEX_SWARM_PORT_BASE: "1", COMPOSE_PROJECT_NAME: "outer" };
  await using swarm = await startSwarm({ env });
  const ids = [
    await startTask(swarm, SHOW, { worktree: true, sandbox: "workspace-write" }),
    await startTask(swarm, SHOW, { worktree: true, sandbox: "workspace-write" }),
    await startTask(swarm, SHOW, { worktree: true, sandbox: "workspace-write", env: { COMPOSE_PROJECT_NAME: "mine" } }),
    await startTask(swarm, SHOW, { sandbox: "workspace-write" }),
  ];
  const told: string[][] = [];
  for (const id of ids) {
    const { worktree_path, cwd } = await waitForTask(swarm, id, ({ answer }) => answer === "told");
    const directory = worktree_path ?? cwd ?? swarm.cwd;
    told.push((await Deno.readTextFile(join(directory, "apart"))).replace("\n", "").split(" "));
    await Deno.writeTextFile(join(directory, "go"), "");
  }
  const [ports, projects] = [0, 1].map((at) => told.map((words) => words[at]));
  assert.equal(new Set(ports?.slice(0, 3)).size, 3);
  for (const port of ports?.slice(0, 3) ?? []) assert.match(port ?? "", /^20\d\d0$/);
  assert.deepEqual(projects, [`codex-swarm-${ids[0]}`, `codex-swarm-${ids[1]}`, "mine", "outer"]);
  assert.equal(ports?.[3], "1");
});

Deno.test({ name: "no worktree is begun on a disk that is nearly full", ignore: ignore || !CAN_MOUNT }, async () => {
  await using disk = await smallDisk();
  await using swarm = await startSwarm({ env: { CODEX_SWARM_WORKTREE_DIR: join(disk.path, "worktrees") } });
  await disk.fill("bytes");
  const { text, isError } = await swarm.call("codex", { prompt: "go", worktree: true });
  assert.equal(isError, true);
  assert.match(text, /^Cannot make a worktree in .*worktrees: only 0 MiB of its disk are free\. .*codex_cleanup/);
  assert.deepEqual((await swarm.call("codex_status", { all: true })).structured.tasks, []);
  await disk.clear();
  const again = await swarm.call("codex", { prompt: "fake:say(went on)", worktree: true });
  assert.ok(!again.isError, again.text);
});
