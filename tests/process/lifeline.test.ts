/** What becomes of a task that is bound to its server when that is gone: it ends, unless another server has it by then. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { noteOwner } from "../../src/process/keeper.ts";
import { readExit, readStopReason } from "../../src/process/run_files.ts";
import { shimHost } from "../../src/process/shim.ts";
import { takeTask } from "../../src/storage/task_lock.ts";
import { writeExecutable } from "../helpers/executable.ts";
import { isAlive, listProcesses } from "../helpers/processes.ts";
import { type ShimYard, shimYard, type YardOptions, type YardRun } from "../helpers/shim_yard.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";
const PATH = Deno.env.get("PATH") ?? "";
const GRACE_MS = 200;
const COMMANDS = ["awk", "cat", "getconf", "grep", "head", "mv", "ps", "rm", "sed", "sleep", "sysctl", "tr", "wc"];

/** When a stop began: the stopping takes a while by itself. The clock of files ticks in coarse steps. */
function stoppedAt({ directory }: YardRun): number {
  return (Deno.statSync(join(directory, "stop")).mtime?.getTime() ?? 0) + 10;
}

/** Waits until a helper of the run has become the command in which it waits. */
async function untilWaiting(run: YardRun, command: string): Promise<void> {
  const { shim } = await run.pids();
  await waitFor(
    async () => (await listProcesses()).some((entry) => entry.group === shim && entry.command.startsWith(command)),
    { message: `the shim to wait in ${command}` },
  );
}

Deno.test({ name: "a task without a grace ends at once when its server is gone", ignore }, async () => {
  await using yard = await shimYard();
  const run = yard.start("exec sleep 1000", { graceMs: 0 });
  const { agent } = await run.pids();
  await run.release();
  await run.ended;
  assert.equal(await isAlive(agent), false);
  assert.deepEqual(await readExit(run.directory, 1), { state: "ended", exitCode: 130, oom: null });
  assert.equal(await readStopReason(run.directory), "server_gone");
});

/** As busybox has it. */
function withSimpleFlock(yard: ShimYard): YardOptions {
  const bin = yard.pathOf(...COMMANDS);
  const text = `#!/bin/sh\nfor word; do [ "$word" != -w ] || exit 1; done\nPATH='${PATH}' exec flock "$@"\n`;
  writeExecutable(join(bin, "flock"), text);
  return { helpers: { PATH: bin }, script: yard.changedScript({ "sleep 5": "sleep 0.05" }) };
}

for (
  const { name, options, waiting } of [
    { name: "", options: () => ({}), waiting: "flock -w" },
    { name: ", with the simplest of flock(1)", options: withSimpleFlock, waiting: "sleep 0.05" },
  ] satisfies readonly { name: string; options: (yard: ShimYard) => YardOptions; waiting: string }[]
) {
  Deno.test({
    name: `a task whose server is gone goes on while another one has it, and a grace longer${name}`,
    ignore: Deno.build.os !== "linux",
  }, async () => {
    await using yard = await shimYard();
    const run = yard.start("exec sleep 1000", { graceMs: GRACE_MS, ...options(yard) });
    const { agent } = await run.pids();
    const first = takeTask(run.directory);
    await run.release();
    await untilWaiting(run, waiting);
    // Two servers after one another, with less than the grace between them.
    first?.[Symbol.dispose]();
    await waitFor(async () => {
      using second = takeTask(run.directory);
      if (second === null) return false;
      await untilWaiting(run, waiting);
      assert.ok(await isAlive(agent));
      assert.equal(await readStopReason(run.directory), null);
      return true;
    }, { message: "another server to take the task" });
    const before = Date.now();
    await run.ended;
    assert.equal(await readStopReason(run.directory), "server_gone");
    assert.ok(stoppedAt(run) - before >= GRACE_MS, `it was given ${stoppedAt(run) - before} ms`);
  });
}

Deno.test(
  {
    name: "a server that only looks at a task as its grace ends has not adopted it",
    ignore: Deno.build.os !== "linux",
  },
  async () => {
    await using yard = await shimYard();
    const bin = yard.pathOf(...COMMANDS);
    const looks = join(yard.path, "looks");
    // The first look finds the lock taken.
    const text =
      `#!/bin/sh\n[ "$*" != "-n 6" ] || { echo look >>'${looks}'; [ "$(wc -l <'${looks}')" != 1 ] || exit 1; }
PATH='${PATH}' exec flock "$@"\n`;
    writeExecutable(join(bin, "flock"), text);
    const run = yard.start("exec sleep 1000", { graceMs: GRACE_MS, helpers: { PATH: bin } });
    await run.pids();
    await run.release();
    await run.ended;
    assert.equal(await readStopReason(run.directory), "server_gone");
    // A third one would come after another grace.
    assert.equal(Deno.readTextFileSync(looks), "look\nlook\n");
  },
);

Deno.test(
  { name: "without flock(1) a task goes on while the server lives that has noted itself", ignore },
  async () => {
    await using yard = await shimYard();
    const helpers = { PATH: yard.pathOf(...COMMANDS) };
    const script = yard.changedScript({ "sleep 5": "sleep 0.05" });
    const run = yard.start("exec sleep 1000", { graceMs: GRACE_MS, helpers, script });
    const { agent } = await run.pids();
    const server = new Deno.Command("sleep", { args: ["1000"] }).spawn();
    const { code } = await new Deno.Command("/bin/sh", {
      args: [script.replace("/shim-", "/keeper-"), "adopt", run.directory, String(server.pid)],
      clearEnv: true,
      env: helpers,
    }).output();
    assert.equal(code, 0);
    await run.release();
    await untilWaiting(run, "sleep 0.05");
    assert.ok(await isAlive(agent));
    const before = Date.now();
    server.kill("SIGKILL");
    await server.status;
    await run.ended;
    assert.equal(await readStopReason(run.directory), "server_gone");
    assert.ok(stoppedAt(run) - before >= GRACE_MS, `it was given ${stoppedAt(run) - before} ms`);
  },
);

Deno.test({ name: "without flock(1) a stranger with a server's number has no task", ignore }, async () => {
  await using yard = await shimYard();
  const helpers = { PATH: yard.pathOf(...COMMANDS) };
  const run = yard.start("exec sleep 1000", { graceMs: 0, helpers });
  await run.pids();
  await noteOwner(yard.keeper, run.directory);
  const owner = Deno.readTextFileSync(join(run.directory, "owner"));
  const [pid, , boot] = owner.trimEnd().split(" ");
  assert.equal(pid, String(Deno.pid));
  Deno.writeTextFileSync(join(run.directory, "owner"), `${pid} 12345 ${boot}\n`);
  await run.release();
  await run.ended;
  assert.equal(await readStopReason(run.directory), "server_gone");
});

Deno.test({ name: "an adoption is noted just where locks cannot tell of it", ignore }, async () => {
  await using yard = await shimYard();
  const places = { prepare: () => Promise.resolve(), script: () => Promise.resolve(yard.script) };
  const host = shimHost(places, { PATH });
  const directory = yard.directory();
  await host.adopt(directory);
  const isNoted = Array.from(Deno.readDirSync(directory)).some(({ name }) => name === "owner");
  assert.equal(isNoted, await host.locks() === "none");
});
