import assert from "node:assert/strict";
import { join } from "node:path";
import { countLeft, observeRuns } from "../../src/process/keeper.ts";
import { readExit } from "../../src/process/run_files.ts";
import type { Activity } from "../../src/process/run_host.ts";
import { type ShimYard, shimYard } from "../helpers/shim_yard.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os !== "linux";
/** Nobody else's: tests run beside each other. */
const THREAD = crypto.randomUUID();

async function observe(yard: ShimYard, directory: string): Promise<Activity | undefined> {
  return (await observeRuns(yard.keeper, [directory])).get(directory);
}

Deno.test(
  { name: "observeRuns() tells what each of many runs does, and leaves out those that are gone", ignore },
  async () => {
    await using yard = await shimYard();
    const idle = yard.start(`exec ${yard.idle("idle")}`);
    const family = yard.start(
      `setsid ${yard.idle("near")} & (setsid ${yard.idle("far")} &) ; exec ${yard.idle("self")}`,
    );
    const busy = yard.start("while :; do :; done");
    const ended = yard.start("exit 0");
    await Promise.all([...["idle", "near", "far", "self"].map((name) => yard.pidOf(name)), busy.pids(), ended.ended]);
    const directories = [idle, family, busy, ended].map(({ directory }) => directory);
    const seen = await waitFor(async () => {
      const seen = await observeRuns(yard.keeper, [...directories, yard.directory()]);
      return (seen.get(busy.directory)?.cpuMs ?? 0) >= 50 && seen;
    }, { message: "the busy agent to have been busy" });
    assert.deepEqual([...seen.keys()].sort(), directories.slice(0, 3).sort());
    const { cpuMs, ...still } = seen.get(idle.directory) ?? {};
    assert.deepEqual(still, { state: "S", processes: 1 });
    assert.ok(cpuMs !== undefined && cpuMs < 50, `the idle agent has used ${cpuMs} ms`);
    assert.equal(seen.get(family.directory)?.processes, 3);
    assert.equal(seen.get(busy.directory)?.state, "R");
  },
);

Deno.test(
  { name: "observeRuns() counts what the children of an agent have used, those too that have ended", ignore },
  async () => {
    await using yard = await shimYard();
    const work = "n=0; while [ $n -lt 100000 ]; do n=$((n + 1)); done";
    const run = yard.start(`/bin/sh -c '${work}'; : >done; exec ${yard.idle("self")}`);
    await yard.pidOf("self");
    assert.ok(((await observe(yard, run.directory))?.cpuMs ?? 0) >= 20);
  },
);

Deno.test({ name: "observeRuns() sees an agent that was suspended", ignore }, async () => {
  await using yard = await shimYard();
  const run = yard.start("exec sleep 1000");
  const { agent } = await run.pids();
  Deno.kill(agent, "SIGSTOP");
  await waitFor(async () => (await observe(yard, run.directory))?.state === "T", {
    message: "the agent to stand still",
  });
});

for (
  const { name, field, isSeen } of [
    { name: "with another start time", field: 4, isSeen: false },
    { name: "of another boot", field: 5, isSeen: false },
    { name: "that it really is (control)", field: null, isSeen: true },
  ]
) {
  Deno.test(
    { name: `observeRuns() takes ${isSeen ? "the process" : "no process"} ${name} for an agent`, ignore },
    async () => {
      await using yard = await shimYard();
      const stranger = yard.start("exec sleep 1000");
      await stranger.pids();
      const directory = yard.directory();
      const fields = Deno.readTextFileSync(join(stranger.directory, "process")).trimEnd().split(" ");
      if (field !== null) fields[field] = "12345";
      Deno.writeTextFileSync(join(directory, "process"), `${fields.join(" ")}\n`);
      assert.equal(await observe(yard, directory) !== undefined, isSeen);
    },
  );
}

Deno.test({ name: "countLeft() counts what an ended run has left, and nobody else", ignore }, async () => {
  await using yard = await shimYard();
  const clean = yard.start("exit 0");
  const run = yard.start(
    `echo '{"type":"thread.started","thread_id":"${THREAD}"}'
    setsid ${yard.idle("marked")} & (env -i CODEX_THREAD_ID=${THREAD} setsid ${yard.idle("threaded")} &)
    (env -i CODEX_SWARM_TASK_ID=another1 CODEX_THREAD_ID=${THREAD} setsid ${yard.idle("nested")} &)
    until [ -e marked.pid ] && [ -e threaded.pid ] && [ -e nested.pid ]; do sleep 0.02; done; exit 3`,
  );
  await Promise.all([clean.ended, run.ended]);
  assert.equal((await readExit(run.directory, 1))?.exitCode, 3);
  assert.equal(await countLeft(yard.keeper, run.directory), 2);
  assert.equal(await countLeft(yard.keeper, clean.directory), 0);
  assert.equal(await countLeft(yard.keeper, yard.directory()), 0);
  assert.deepEqual(await yard.stop(run.directory, "cancelled"), { signals: [], isGone: true, swept: 2 });
  assert.equal(await countLeft(yard.keeper, run.directory), 0);
});
