/** Whatever of its state directory somebody removes while a server runs, it goes on. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { makeGate } from "../helpers/gate.ts";
import { serversYard } from "../helpers/servers_yard.ts";
import { startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";
import { tempDirectory } from "../helpers/temp_directory.ts";
import { waitFor } from "../helpers/wait_for.ts";

// There is no shim, and no script of one.
const ignore = Deno.build.os === "windows";

/** Removes whatever matches in a state directory. */
async function removeIn(stateDir: string, names: RegExp): Promise<void> {
  const found = Array.from(Deno.readDirSync(stateDir), ({ name }) => name).filter((name) => names.test(name));
  assert.notDeepEqual(found, []);
  for (const name of found) await Deno.remove(join(stateDir, name), { recursive: true });
}

for (
  const { what, remove } of [
    { what: "whole state directory", remove: (stateDir) => Deno.remove(stateDir, { recursive: true }) },
    { what: "shim", remove: (stateDir) => removeIn(stateDir, /^shim-/) },
    { what: "keeper", remove: (stateDir) => removeIn(stateDir, /^keeper-/) },
    { what: "directory of ended tasks", remove: (stateDir) => removeIn(stateDir, /^ended$/) },
    { what: "directory of tasks", remove: (stateDir) => removeIn(stateDir, /^tasks$/) },
    { what: "directory of slots", remove: (stateDir) => removeIn(stateDir, /^slots$/) },
  ] satisfies readonly { what: string; remove: (stateDir: string) => Promise<void> }[]
) {
  Deno.test({ name: `a server whose ${what} was removed makes it anew for the next start`, ignore }, async () => {
    await using yard = await serversYard({ isQuick: true });
    await using swarm = await yard.start();
    await waitForStatus(swarm, await startTask(swarm, "quick:"), "completed");
    const listing = (): string[] =>
      Array.from(Deno.readDirSync(yard.stateDir), ({ name }) => name)
        .filter((name) => /^(shim|keeper|format|ended|tasks|slots)/.test(name)).sort();
    const before = listing();
    await remove(yard.stateDir);
    const id = await startTask(swarm, "quick: events=1");
    const { structured: { tasks: [task] } } = await swarm.call("codex_wait", { task_ids: [id] });
    assert.deepEqual([task.status, task.exit_code], ["completed", 0]);
    assert.deepEqual(listing(), before);
    await waitFor(() => Deno.statSync(join(yard.stateDir, "ended", id)).isFile, { message: "the bell" });
  });
}

Deno.test("a server whose directory of tasks was removed, which is elsewhere, makes it anew", async () => {
  await using elsewhere = await tempDirectory();
  await using yard = await serversYard({ isQuick: true });
  const tasksDir = join(elsewhere.path, "tasks");
  await using swarm = await yard.start({ env: { CODEX_SWARM_TASK_DIR: tasksDir } });
  await waitForStatus(swarm, await startTask(swarm, "quick:"), "completed");
  await Deno.remove(tasksDir, { recursive: true });
  await waitForStatus(swarm, await startTask(swarm, "quick:"), "completed");
});

Deno.test({ name: "a server whose scripts were removed looks at an agent and ends it", ignore }, async () => {
  await using yard = await serversYard({ isQuick: true });
  await using gate = await makeGate();
  await using swarm = await yard.start({ args: ["--stall-after", "1"] });
  const id = await startTask(swarm, `quick: gate=${gate.path}`);
  // Until the agent is there the shim needs its own script.
  await waitForTask(swarm, id, ({ thread_id }) => thread_id !== undefined);
  await removeIn(yard.stateDir, /\.sh$/);
  const { silence } = await waitForTask(swarm, id, (task) => task.silence !== undefined);
  assert.match(silence, /\(process sleeping\)/);
  await removeIn(yard.stateDir, /\.sh$/);
  const { structured } = await swarm.call("codex_cancel", { task_id: id });
  assert.equal(structured.status, "cancelled");
});
