/** What a run's shim does where its own helpers fail it, or it fails them. */
import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { readExit, readNotedRun, readStopReason } from "../../src/process/run_files.ts";
import { stopThroughShim } from "../../src/process/shim.ts";
import type { StopReport } from "../../src/process/run_host.ts";
import { writeExecutable } from "../helpers/executable.ts";
import { isAlive, listProcesses } from "../helpers/processes.ts";
import { shimYard } from "../helpers/shim_yard.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";
const PATH = Deno.env.get("PATH") ?? "";

for (
  const { missing, commands, what } of [
    { missing: "sleep", commands: ["cat", "flock", "ps", "sysctl"], what: "time limit" },
    { missing: "cat", commands: ["sleep", "flock", "ps", "sysctl"], what: "tie to the server" },
  ]
) {
  Deno.test({ name: `a run goes on where the shim has no ${missing}, and says what it lacks`, ignore }, async () => {
    await using yard = await shimYard();
    const helpers = { PATH: yard.pathOf(...commands) };
    const run = yard.start("until [ -e go ]; do sleep 0.02; done; exit 4", { helpers, graceMs: 50 });
    const log = join(run.directory, "stderr.log");
    await waitFor(() => Deno.readTextFile(log).then((text) => text.includes(what), () => false), {
      message: "the shim to tell what it lacks",
    });
    Deno.writeTextFileSync(join(yard.path, "go"), "");
    await run.ended;
    assert.deepEqual(await readExit(run.directory, 1), { state: "ended", exitCode: 4, oom: null });
    assert.equal(await readStopReason(run.directory), null);
  });
}

Deno.test({ name: "the helpers of a shim that was killed end soon after its agent", ignore }, async () => {
  await using yard = await shimYard();
  const script = yard.changedScript({ "slice=60": "slice=1" });
  const run = yard.start("exec sleep 1000", { script, limitMs: 3_600_000 });
  const { shim, agent } = await run.pids();
  Deno.kill(shim, "SIGKILL");
  const others = async (): Promise<number> =>
    (await listProcesses()).filter((entry) => entry.group === shim && entry.pid !== agent && !entry.isZombie).length;
  await waitFor(async () => await others() === 2 && !await isAlive(shim), {
    message: "only clock and agent to be left",
  });
  Deno.kill(agent, "SIGKILL");
  await waitFor(async () => await others() === 0, { message: "the clock to notice that nobody is left" });
});

Deno.test({ name: "a clock of several slices ends its agent, and not before its time", ignore }, async () => {
  await using yard = await shimYard();
  const run = yard.start("exec sleep 1000", { script: yard.changedScript({ "slice=60": "slice=1" }), limitMs: 2_500 });
  const before = performance.now();
  await run.ended;
  assert.ok(performance.now() - before >= 2_500, "the clock was fast");
  assert.equal(await readStopReason(run.directory), "timeout");
});

Deno.test({ name: "the clock of a killed shim goes on while its agent lives", ignore }, async () => {
  await using yard = await shimYard();
  const run = yard.start("exec sleep 1000", { script: yard.changedScript({ "slice=60": "slice=1" }), limitMs: 2_500 });
  const { shim, agent } = await run.pids();
  Deno.kill(shim, "SIGKILL");
  await waitFor(async () => !await isAlive(agent), { message: "the agent to be ended" });
  assert.equal(await readStopReason(run.directory), "timeout");
});

Deno.test({ name: "a clock whose time comes when the agent has ended ends nothing", ignore }, async () => {
  await using yard = await shimYard();
  const go = join(yard.path, "go");
  const script = yard.changedScript({
    'accompany sleep "$rest$fraction"': `accompany sh -c 'until [ -e "${go}" ]; do sleep 0.02; done'`,
  });
  const run = yard.start("exec sleep 1000", { script, limitMs: 500 });
  const { shim, agent } = await run.pids();
  // A shim that was killed dismisses nobody.
  for (const pid of [shim, agent]) Deno.kill(pid, "SIGKILL");
  for (const pid of [shim, agent]) await waitFor(async () => !await isAlive(pid), { message: "it to be gone" });
  Deno.writeTextFileSync(go, "");
  const isClock = async (): Promise<boolean> =>
    (await listProcesses()).some(({ group, isZombie }) => group === shim && !isZombie);
  await waitFor(async () => !await isClock(), { message: "the clock to end" });
  assert.equal(await readStopReason(run.directory), null);
});

Deno.test({ name: "a shim dismisses no stranger who has got the number of one of its helpers", ignore }, async () => {
  await using yard = await shimYard();
  const stranger = new Deno.Command("/bin/sh", { args: ["-c", `exec ${yard.idle("stranger")}`], stdin: "null" })
    .spawn();
  const pid = await yard.pidOf("stranger");
  const script = yard.changedScript({ "for helper in $helpers; do": `for helper in $helpers ${pid}; do` });
  try {
    assert.equal(await yard.start("exit 0", { script }).ended, "ended");
    assert.ok(await isAlive(pid));
  } finally {
    stranger.kill("SIGKILL");
    await stranger.status;
  }
});

Deno.test(
  { name: "a shim outlives the sweep of its task whatever its environment says, and notes the end", ignore },
  async () => {
    await using yard = await shimYard();
    const directory = yard.directory();
    const helpers = { PATH, CODEX_SWARM_TASK_ID: basename(directory) };
    // It takes its time.
    const script = yard.changedScript({ "  status=$?\n  for": "  status=$?; sleep 0.3\n  for" });
    const run = yard.start("exec sleep 1000", { directory, helpers, script });
    await run.pids();
    assert.equal((await yard.stop(directory, "cancelled", { script })).isGone, true);
    await run.ended;
    assert.deepEqual(await readExit(directory, 1), { state: "ended", exitCode: 130, oom: null });
  },
);

Deno.test({ name: "an agent's own exit code 71 is kept when somebody asked it to stop", ignore }, async () => {
  await using yard = await shimYard();
  const run = yard.start("trap 'exit 71' INT; while :; do sleep 0.02; done");
  await run.pids();
  await yard.stop(run.directory, "cancelled");
  await run.ended;
  assert.deepEqual(await readExit(run.directory, 1), { state: "ended", exitCode: 71, oom: null });
});

Deno.test({ name: "a stop that cannot be carried out throws, and its reason stays", ignore }, async () => {
  await using yard = await shimYard();
  const directory = yard.directory();
  const stop = (reason: string, env: Readonly<Record<string, string>>): Promise<StopReport> =>
    stopThroughShim({ script: yard.script, directory, reason, env });
  // No process can be given such a variable.
  await assert.rejects(stop("cancelled", { PATH: "\0" }));
  assert.equal(await readStopReason(directory), "cancelled");
  await stop("timeout", { PATH });
  assert.equal(await readStopReason(directory), "cancelled");
});

Deno.test({ name: "without /proc a process is known by its start date, whatever the time zone", ignore }, async () => {
  await using yard = await shimYard();
  const script = yard.changedScript({ "/proc/": "/nowhere/" });
  const run = yard.start("exec sleep 1000", { script, helpers: { PATH, TZ: "Asia/Tokyo", LC_ALL: "C" } });
  const { agent } = await run.pids();
  assert.match((await readNotedRun(run.directory))?.agent.mark ?? "", /_\d\d:\d\d:\d\d_\d{4}_$/);
  await yard.stop(run.directory, "cancelled", { script, helpers: { PATH, TZ: "America/Lima" } });
  assert.equal(await isAlive(agent), false);
  await run.ended;
  assert.deepEqual(await readExit(run.directory, 1), { state: "ended", exitCode: 130, oom: null });
});

for (const { state, sighting } of [{ state: "S+", sighting: "shim" }, { state: "Z+", sighting: "gone" }]) {
  Deno.test({ name: `without /proc a process in state ${state} is seen as ${sighting}`, ignore }, async () => {
    await using yard = await shimYard();
    const script = yard.changedScript({ "/proc/": "/nowhere/" });
    const bin = yard.pathOf("sleep");
    const ps = `#!/bin/sh\necho '${state}      1 Thu Jan  1 00:00:00 1970'\n`;
    writeExecutable(join(bin, "ps"), ps);
    const directory = yard.directory();
    const mark = "Thu_Jan_1_00:00:00_1970_";
    await Deno.writeTextFile(join(directory, "process"), `1 12 ${mark} 13 ${mark} - none\n`);
    const { stdout } = await new Deno.Command("/bin/sh", {
      args: [script.replace("/shim-", "/keeper-"), "sight", directory],
      clearEnv: true,
      env: { PATH: bin },
    }).output();
    assert.equal(new TextDecoder().decode(stdout), `${sighting}\n`);
  });
}
