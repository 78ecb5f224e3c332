/** A slot is a lock: it is held exactly as long as an agent lives, whatever becomes of its shim. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readExit } from "../../src/process/run_files.ts";
import { sightRun } from "../../src/process/shim.ts";
import { type SlotClaim, SlotFiles } from "../../src/storage/slot_files.ts";
import { isAlive } from "../helpers/processes.ts";
import { type ShimYard, shimYard, type YardRun } from "../helpers/shim_yard.ts";
import { waitFor } from "../helpers/wait_for.ts";

// macOS has no flock(1); its servers hold the slots.
const ignore = Deno.build.os !== "linux";

async function isFree(slot: string): Promise<boolean> {
  using file = await Deno.open(slot, { write: true, create: true });
  if (!await file.tryLock(true)) return false;
  await file.unlock();
  return true;
}

/** Kills the shim and the agent of a run whose agent has left its descriptors to a child. */
async function killAllButChild(yard: ShimYard, run: YardRun): Promise<void> {
  await yard.pidOf("child");
  const { shim, agent } = await run.pids();
  for (const pid of [shim, agent]) Deno.kill(pid, "SIGKILL");
  for (const pid of [shim, agent]) await waitFor(async () => !await isAlive(pid), { message: "it to be gone" });
}

/** What servers know of a slot, and how old they take its last holder to be. */
function serverOf(yard: ShimYard): SlotFiles {
  return new SlotFiles({
    directory: yard.path,
    limit: 1,
    isHandedOver: () => Promise.resolve(true),
    isGone: async ({ id, run }) => {
      const directory = join(yard.path, id);
      return (await sightRun(yard.script, { directory, run, env: yard.keeper.env })).state !== "running";
    },
  });
}

function makeOld(path: string): void {
  const date = new Date(Date.now() - 120_000);
  Deno.utimeSync(path, date, date);
}

function names(directory: string): string[] {
  return Array.from(Deno.readDirSync(directory), ({ name }) => name).sort();
}

Deno.test({ name: "a run whose slot is taken is not started and leaves no trace", ignore }, async () => {
  await using yard = await shimYard();
  const slot = join(yard.path, "slot");
  const directory = yard.directory();
  {
    using file = await Deno.open(slot, { write: true, create: true });
    assert.ok(await file.tryLock(true));
    const late = yard.start("echo started", { slot, directory });
    assert.equal(await late.ended, "slot_taken");
    // A process that is being forked has a copy of each descriptor.
    await file.unlock();
  }
  assert.deepEqual(names(directory), ["prompt.txt"]);
  assert.deepEqual(names(yard.bell), []);
  const again = yard.start("echo started", { slot, directory });
  assert.equal(await again.ended, "ended");
  assert.equal(again.output(), "started\n");
});

for (
  const { name, changes, isFreed } of [
    { name: "a slot is freed at a run's end also where the bell was removed", changes: {}, isFreed: true },
    {
      name: "a slot stays with what an agent has left where the bell ends the shim (control)",
      changes: { 'true >"$bell': ': >"$bell' },
      isFreed: false,
    },
  ]
) {
  Deno.test({ name, ignore }, async () => {
    await using yard = await shimYard();
    const slot = join(yard.path, "slot");
    const script = yard.changedScript(changes);
    const run = yard.start(`setsid ${yard.idle("child")} & until [ -e go ]; do sleep 0.02; done`, { slot, script });
    await yard.pidOf("child");
    Deno.removeSync(yard.bell);
    Deno.writeTextFileSync(join(yard.path, "go"), "");
    await run.ended;
    assert.equal(await isFree(slot), isFreed);
  });
}

Deno.test({ name: "of many runs that want one slot, one gets it", ignore }, async () => {
  await using yard = await shimYard();
  const slot = join(yard.path, "slot");
  const runs = Array.from({ length: 8 }, () => yard.start("until [ -e go ]; do sleep 0.02; done", { slot }));
  const ends: string[] = [];
  for (const run of runs) void run.ended.then((end) => ends.push(end));
  await waitFor(() => ends.length === 7, { message: "seven runs to give up" });
  assert.equal(await isFree(slot), false);
  Deno.writeTextFileSync(join(yard.path, "go"), "");
  await Promise.all(runs.map(({ ended }) => ended));
  assert.deepEqual(ends.sort(), ["ended", ...Array.from({ length: 7 }, () => "slot_taken")]);
  assert.ok(await isFree(slot));
});

Deno.test(
  { name: "an agent whose shim was killed holds its slot until it ends; its helpers never do", ignore },
  async () => {
    await using yard = await shimYard();
    const slot = join(yard.path, "slot");
    // A clock that does not look within this test.
    const script = yard.changedScript({ "first=1 slice=60": "first=60 slice=60" });
    const run = yard.start("exec sleep 1000", { slot, script, graceMs: 60_000 });
    const { shim, agent } = await run.pids();
    Deno.kill(shim, "SIGKILL");
    await waitFor(async () => !await isAlive(shim), { message: "the shim to be gone" });
    assert.equal(await isFree(slot), false);
    Deno.kill(agent, "SIGKILL");
    await waitFor(() => isFree(slot), { message: "the slot to be free" });
  },
);

Deno.test(
  { name: "a slot is free, and that is told, when an agent ends that left its descriptor to a child", ignore },
  async () => {
    await using yard = await shimYard();
    const slot = join(yard.path, "slot");
    const run = yard.start(`${yard.idle("child")} & until [ -e child.pid ]; do sleep 0.02; done; exit 3`, { slot });
    await run.ended;
    assert.ok(await isFree(slot));
    assert.deepEqual(names(yard.bell).includes("slots"), true);
    assert.deepEqual(await readExit(run.directory, 1), { state: "ended", exitCode: 3, oom: null });
    // The child has it indeed: its other lock is still held.
    assert.equal(await isFree(join(run.directory, "tree.lock")), false);
    Deno.kill(await yard.pidOf("child"), "SIGKILL");
  },
);

Deno.test({ name: "a run without a slot tells nothing of slots", ignore }, async () => {
  await using yard = await shimYard();
  await yard.start("exit 0").ended;
  assert.equal(names(yard.bell).includes("slots"), false);
});

Deno.test(
  { name: "a slot that only a child of a killed agent holds is replaced, once for all servers", ignore },
  async () => {
    await using yard = await shimYard();
    const slot = join(yard.path, "slot_1");
    const run = yard.start(`${yard.idle("child")} & exec sleep 1000`, { slot });
    await killAllButChild(yard, run);
    const servers = Array.from({ length: 4 }, () => serverOf(yard));
    const claimAll = async (): Promise<SlotClaim[]> =>
      (await Promise.all(servers.map((server) => server.claim()))).filter((claim) => claim !== null);
    // Its shim might only just have begun.
    assert.equal((await claimAll()).length, 0);
    makeOld(slot);
    const first = await waitFor(async () => (await claimAll())[0], { message: "the slot to be replaced" });
    const next = yard.start("exec sleep 1000", { slot });
    await next.pids();
    first[Symbol.dispose]();
    makeOld(slot);
    for (let look = 0; look < 3; look++) assert.equal((await claimAll()).length, 0);
    assert.deepEqual(names(yard.path).filter((name) => name.endsWith(".stale")), []);
    await yard.stop(next.directory, "cancelled");
  },
);

Deno.test({ name: "an agent whose shim was killed keeps its slot, however old", ignore }, async () => {
  await using yard = await shimYard();
  const slot = join(yard.path, "slot_1");
  const run = yard.start("exec sleep 1000", { slot });
  const { shim } = await run.pids();
  Deno.kill(shim, "SIGKILL");
  await waitFor(async () => !await isAlive(shim), { message: "the shim to be gone" });
  makeOld(slot);
  assert.equal(await serverOf(yard).claim(), null);
});

Deno.test(
  { name: "no shim takes a slot that is being replaced, and a sign left behind is removed", ignore },
  async () => {
    await using yard = await shimYard();
    const slot = join(yard.path, "slot_1");
    Deno.writeTextFileSync(`${slot}.stale`, "");
    assert.equal(await yard.start("echo started", { slot }).ended, "slot_taken");
    using claim = await serverOf(yard).claim();
    assert.equal(claim?.path, slot);
    assert.equal(await yard.start("echo started", { slot }).ended, "ended");
  },
);

Deno.test({ name: "a shim that opened a slot before it was replaced does not take it", ignore }, async () => {
  await using yard = await shimYard();
  const slot = join(yard.path, "slot_1");
  const script = yard.changedScript({ "flock -n 7\n": `rm -f '${slot}'; flock -n 7\n` });
  const run = yard.start("echo started", { slot, script });
  assert.equal(await run.ended, "slot_taken");
  assert.deepEqual(names(run.directory), ["prompt.txt"]);
});

Deno.test({ name: "a slot that cannot be replaced stays taken, and nothing is thrown", ignore }, async () => {
  await using yard = await shimYard();
  const slot = join(yard.path, "slot_1");
  const run = yard.start(`${yard.idle("child")} & exec sleep 1000`, { slot });
  await killAllButChild(yard, run);
  makeOld(slot);
  Deno.mkdirSync(`${slot}.stale/full`, { recursive: true });
  assert.equal(await serverOf(yard).claim(), null);
  Deno.removeSync(`${slot}.stale`, { recursive: true });
  using claim = await serverOf(yard).claim();
  assert.equal(claim?.path, slot);
});
