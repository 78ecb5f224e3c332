/** The end of one run, after which its task goes on with another. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readExit, readStopReason } from "../../src/process/run_files.ts";
import type { StopReport } from "../../src/process/run_host.ts";
import { interruptThroughShim } from "../../src/process/shim.ts";
import { isAlive } from "../helpers/processes.ts";
import { type ShimYard, shimYard } from "../helpers/shim_yard.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";
const NOBODY: StopReport = { signals: [], isGone: true, swept: 0 };

function interrupt(yard: ShimYard, directory: string, run: number): Promise<StopReport> {
  return interruptThroughShim({ ...yard.keeper, directory, run });
}

Deno.test({ name: "an interrupt ends one run and nobody but its agent, and another run follows", ignore }, async () => {
  await using yard = await shimYard();
  const run = yard.start(`nohup ${yard.idle("child")} >/dev/null 2>&1 & echo one; exec sleep 1000`);
  const child = await yard.pidOf("child");
  await run.pids();
  assert.deepEqual(await interrupt(yard, run.directory, 1), { signals: ["INT"], isGone: true, swept: 0 });
  await run.ended;
  assert.deepEqual(await readExit(run.directory, 1), { state: "ended", exitCode: 130, oom: null });
  assert.equal(await readStopReason(run.directory), null);
  assert.ok(await isAlive(child));
  const next = yard.start("echo two; exit 4", { directory: run.directory, run: 2 });
  await next.ended;
  assert.deepEqual(await readExit(run.directory, 2), { state: "ended", exitCode: 4, oom: null });
  assert.equal(next.output(), "one\ntwo\n");
});

Deno.test({ name: "an interrupt of a run that has ended spares the next one", ignore }, async () => {
  await using yard = await shimYard();
  const first = yard.start("exit 0");
  await first.ended;
  const next = yard.start("exec sleep 1000", { directory: first.directory, run: 2 });
  const { agent } = await next.pids();
  assert.deepEqual(await interrupt(yard, first.directory, 1), NOBODY);
  assert.ok(await isAlive(agent));
  assert.deepEqual(await interrupt(yard, first.directory, 2), { signals: ["INT"], isGone: true, swept: 0 });
  await next.ended;
});

Deno.test(
  { name: "a run that is interrupted before it could start never starts, and another one does", ignore },
  async () => {
    await using yard = await shimYard();
    const directory = yard.directory();
    assert.deepEqual(await interrupt(yard, directory, 1), NOBODY);
    const run = yard.start("echo one", { directory });
    await run.ended;
    assert.deepEqual(await readExit(directory, 1), { state: "ended", exitCode: null, oom: null });
    const next = yard.start("echo two", { directory, run: 2 });
    await next.ended;
    assert.equal(next.output(), "two\n");
  },
);

Deno.test({ name: "a stop after an interrupt is for good", ignore }, async () => {
  await using yard = await shimYard();
  const run = yard.start("exec sleep 1000");
  await run.pids();
  await interrupt(yard, run.directory, 1);
  await run.ended;
  await yard.stop(run.directory, "cancelled");
  const next = yard.start("echo two", { directory: run.directory, run: 2 });
  await next.ended;
  assert.deepEqual(await readExit(run.directory, 2), { state: "ended", exitCode: null, oom: null });
  assert.equal(await readStopReason(run.directory), "cancelled");
});

Deno.test({ name: "no run starts beside an agent of an earlier one whose shim was killed", ignore }, async () => {
  await using yard = await shimYard();
  const run = yard.start("exec sleep 1000");
  const { shim, agent } = await run.pids();
  Deno.kill(shim, "SIGKILL");
  await waitFor(async () => !await isAlive(shim), { message: "the shim to be gone" });
  const next = yard.start("echo two", { directory: run.directory, run: 2 });
  await next.ended;
  assert.equal(next.output(), "");
  assert.ok(await isAlive(agent));
  Deno.kill(agent, "SIGKILL");
  await waitFor(async () => !await isAlive(agent), { message: "the agent to be gone" });
  const last = yard.start("echo three", { directory: run.directory, run: 3 });
  await last.ended;
  assert.equal(last.output(), "three\n");
});

Deno.test({ name: "a shim of an earlier run that comes late leaves no trace in a later one", ignore }, async () => {
  await using yard = await shimYard();
  const directory = yard.directory();
  await interrupt(yard, directory, 1);
  const run = yard.start("until [ -e go ]; do sleep 0.02; done; exit 5", { directory, run: 2 });
  await run.pids();
  const noted = Deno.readTextFileSync(join(directory, "process"));
  const late = yard.start("echo late", { directory });
  Deno.writeTextFileSync(join(yard.path, "go"), "");
  await Promise.all([run.ended, late.ended]);
  assert.equal(Deno.readTextFileSync(join(directory, "exit")), "2 5\n");
  assert.equal(Deno.readTextFileSync(join(directory, "process")), noted);
  assert.equal(run.output(), "");
});

Deno.test({ name: "a run of which a later one was interrupted never starts", ignore }, async () => {
  await using yard = await shimYard();
  const directory = yard.directory();
  await interrupt(yard, directory, 1);
  await interrupt(yard, directory, 2);
  await yard.start("echo late >started", { directory }).ended;
  const names = Array.from(Deno.readDirSync(directory), ({ name }) => name).filter((name) => !name.endsWith(".lock"));
  assert.deepEqual(names.sort(), ["interrupt", "prompt.txt"]);
  await assert.rejects(Deno.stat(join(yard.path, "started")), Deno.errors.NotFound);
});

Deno.test({ name: "neither an agent nor a shim writes over what a later run has noted", ignore }, async () => {
  await using yard = await shimYard();
  const run = yard.start("until [ -e go ]; do sleep 0.02; done; exit 3");
  await run.pids();
  const later = { process: "2 999999998 5 999999999 7 8 none\n", exit: "2 5\n" };
  for (const [name, text] of Object.entries(later)) Deno.writeTextFileSync(join(run.directory, name), text);
  const { code } = await new Deno.Command("/bin/sh", {
    args: [yard.script, "agent", run.directory, "1", "none", "1", "1", "/bin/sh", "-c", "exit 0"],
    clearEnv: true,
    env: { ...yard.keeper.env },
  }).output();
  assert.equal(code, 75);
  Deno.writeTextFileSync(join(yard.path, "go"), "");
  await run.ended;
  for (const [name, text] of Object.entries(later)) {
    assert.equal(Deno.readTextFileSync(join(run.directory, name)), text);
  }
});

for (
  const { name, field, isSpared } of [
    { name: "with another start time", field: 4, isSpared: true },
    { name: "of another boot", field: 5, isSpared: true },
    { name: "that it really is (control)", field: null, isSpared: false },
  ]
) {
  Deno.test({ name: `an interrupt ${isSpared ? "spares" : "ends"} a process ${name}`, ignore }, async () => {
    await using yard = await shimYard();
    const stranger = yard.start("exec sleep 1000");
    const { agent } = await stranger.pids();
    const directory = yard.directory();
    const fields = Deno.readTextFileSync(join(stranger.directory, "process")).trimEnd().split(" ");
    if (field !== null) fields[field] = "12345";
    Deno.writeTextFileSync(join(directory, "process"), `${fields.join(" ")}\n`);
    const { signals } = await interrupt(yard, directory, 1);
    assert.deepEqual([signals, await isAlive(agent)], isSpared ? [[], true] : [["INT"], false]);
  });
}
