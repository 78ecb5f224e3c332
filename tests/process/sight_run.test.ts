import assert from "node:assert/strict";
import { join } from "node:path";
import type { RunSighting } from "../../src/process/run_host.ts";
import { sightRun } from "../../src/process/shim.ts";
import { isAlive } from "../helpers/processes.ts";
import { type ShimYard, shimYard } from "../helpers/shim_yard.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";

/** Environment of a shim that finds all it needs, but no flock(1). */
function withoutFlock(yard: ShimYard): { readonly helpers: { readonly PATH: string } } {
  return { helpers: { PATH: yard.pathOf("sleep", "cat", "ps", "sysctl") } };
}

function sight(yard: ShimYard, directory: string, run = 1): Promise<RunSighting> {
  return sightRun(yard.script, { directory, run, env: { PATH: Deno.env.get("PATH") ?? "" } });
}

async function gone(pid: number): Promise<void> {
  Deno.kill(pid, "SIGKILL");
  await waitFor(async () => !await isAlive(pid), { message: `process ${pid} to be gone` });
}

for (const locks of ["flock", "none"] as const) {
  Deno.test({ name: `sightRun() tells who of a run lives, with locks=${locks}`, ignore }, async () => {
    await using yard = await shimYard();
    const options = locks === "none" ? withoutFlock(yard) : {};
    const run = yard.start("until [ -e go ]; do sleep 0.02; done; exit 3", options);
    await run.pids();
    const noted = Deno.readTextFileSync(join(run.directory, "process")).trimEnd();
    if (locks === "none") assert.ok(noted.endsWith(" none"), noted);
    assert.deepEqual(await sight(yard, run.directory), { state: "running", isShimLost: false });
    Deno.writeTextFileSync(join(yard.path, "go"), "");
    await run.ended;
    assert.deepEqual(await sight(yard, run.directory), { state: "ended", exitCode: 3, oom: null });
    assert.deepEqual(await sight(yard, run.directory, 2), { state: "lost" });
  });

  Deno.test({ name: `sightRun() tells that a shim was killed, with locks=${locks}`, ignore }, async () => {
    await using yard = await shimYard();
    const run = yard.start("exec sleep 1000", locks === "none" ? withoutFlock(yard) : {});
    const { shim, agent } = await run.pids();
    await gone(shim);
    assert.deepEqual(await sight(yard, run.directory), { state: "running", isShimLost: true });
    await gone(agent);
    assert.deepEqual(await sight(yard, run.directory), { state: "lost" });
  });

  Deno.test({ name: `sightRun() takes nobody for an agent that is gone, with locks=${locks}`, ignore }, async () => {
    await using yard = await shimYard();
    const text = `${yard.idle("child")} & until [ -e child.pid ]; do sleep 0.02; done; exec sleep 1000`;
    const run = yard.start(text, locks === "none" ? withoutFlock(yard) : {});
    const { shim, agent } = await run.pids();
    const child = await yard.pidOf("child");
    await gone(shim);
    assert.deepEqual(await sight(yard, run.directory), { state: "running", isShimLost: true });
    await gone(agent);
    // It has the lock of its agent's still, where there is one.
    assert.ok(await isAlive(child));
    assert.deepEqual(await sight(yard, run.directory), { state: "lost" });
  });

  Deno.test({ name: `an agent whose shim was killed can be stopped, with locks=${locks}`, ignore }, async () => {
    await using yard = await shimYard();
    const run = yard.start("exec sleep 1000", locks === "none" ? withoutFlock(yard) : {});
    const { shim, agent } = await run.pids();
    await gone(shim);
    await yard.stop(run.directory, "cancelled");
    assert.equal(await isAlive(agent), false);
    assert.deepEqual(await sight(yard, run.directory), { state: "lost" });
  });
}

Deno.test({ name: "sightRun() calls a run lost of which nothing was written", ignore }, async () => {
  await using yard = await shimYard();
  assert.deepEqual(await sight(yard, yard.directory()), { state: "lost" });
});

Deno.test({ name: "sightRun() waits for the whole line of an exit", ignore }, async () => {
  await using yard = await shimYard();
  const directory = yard.directory();
  Deno.writeTextFileSync(join(directory, "exit"), "1 1");
  assert.deepEqual(await sight(yard, directory), { state: "lost" });
  Deno.writeTextFileSync(join(directory, "exit"), "1 13\n");
  assert.deepEqual(await sight(yard, directory), { state: "ended", exitCode: 13, oom: null });
});
