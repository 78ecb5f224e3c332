import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { readExit, readStopReason } from "../../src/process/run_files.ts";
import { isAlive, listProcesses } from "../helpers/processes.ts";
import { shimYard, type YardRun } from "../helpers/shim_yard.ts";
import { waitFor } from "../helpers/wait_for.ts";

// Windows has no POSIX shell.
const ignore = Deno.build.os === "windows";

/** Says which signals came, and ends after the last one that it heeds. */
function heeding(signals: { readonly INT: string; readonly TERM: string }): string {
  return `trap '${signals.INT}' INT; trap '${signals.TERM}' TERM; while :; do sleep 0.02; done`;
}

async function end(run: YardRun): Promise<{ readonly exitCode: number | null; readonly reason: string | null }> {
  await run.ended;
  const ended = await readExit(run.directory, 1);
  assert.ok(ended !== null, "the run left no exit file");
  return { exitCode: ended.exitCode, reason: await readStopReason(run.directory) };
}

for (
  const [text, exitCode] of [
    ["exit 0", 0],
    ["exit 3", 3],
    ["exit 137", 137],
    ["kill -KILL $$", 137],
    ["ulimit -c 0; kill -SEGV $$", 139],
    ["exit 71", 71],
  ] as const
) {
  Deno.test({ name: `the shim tells that \`${text}\` ended with ${exitCode}`, ignore }, async () => {
    await using yard = await shimYard();
    const run = yard.start(text);
    assert.deepEqual(await end(run), { exitCode, reason: null });
    assert.deepEqual(Array.from(Deno.readDirSync(yard.bell), ({ name }) => name), [basename(run.directory)]);
  });
}

Deno.test({ name: "the shim gives the agent the prompt and keeps its two outputs apart", ignore }, async () => {
  await using yard = await shimYard();
  const run = yard.start("cat; echo trouble >&2");
  await run.ended;
  assert.equal(run.output(), "a prompt\n");
  assert.equal(Deno.readTextFileSync(join(run.directory, "stderr.log")), "trouble\n");
});

Deno.test({ name: "the shim keeps what the agent writes from other users", ignore }, async () => {
  await using yard = await shimYard();
  const run = yard.start("echo out; echo err >&2");
  await run.ended;
  for (const name of ["events.jsonl", "stderr.log", "exit", "process"]) {
    const { mode } = Deno.statSync(join(run.directory, name));
    assert.equal((mode ?? 0) & 0o777, 0o600, name);
  }
});

Deno.test({ name: "the shim's wall clock ends an agent by INT, else by TERM, else by KILL", ignore }, async () => {
  await using yard = await shimYard();
  const gentle = yard.start(heeding({ INT: "echo INT; exit 5", TERM: "echo TERM; exit 6" }), { limitMs: 200 });
  const stubborn = yard.start(heeding({ INT: "echo INT", TERM: "echo TERM; exit 6" }), { limitMs: 200 });
  const deaf = yard.start(heeding({ INT: "echo INT", TERM: "echo TERM" }), { limitMs: 200 });
  const ends = await Promise.all([gentle, stubborn, deaf].map(end));
  assert.deepEqual(ends, [
    { exitCode: 5, reason: "timeout" },
    { exitCode: 6, reason: "timeout" },
    { exitCode: 137, reason: "timeout" },
  ]);
  assert.deepEqual([gentle, stubborn, deaf].map((run) => run.output()), ["INT\n", "INT\nTERM\n", "INT\nTERM\n"]);
});

Deno.test({ name: "an agent is ended a grace after its server let go of it, and not before", ignore }, async () => {
  await using yard = await shimYard();
  const held = yard.start("exec sleep 1000", { graceMs: 100 });
  const left = yard.start("exec sleep 1000", { graceMs: 500 });
  const { agent } = await held.pids();
  await left.pids();
  const before = Date.now();
  await left.release();
  assert.deepEqual(await end(left), { exitCode: 130, reason: "server_gone" });
  // When stopping began: it takes a while by itself. The clock of files ticks in coarse steps.
  const stopped = Deno.statSync(join(left.directory, "stop")).mtime?.getTime() ?? 0;
  assert.ok(stopped - before >= 450, `the agent was given ${stopped - before} ms of its grace`);
  assert.ok(await isAlive(agent), "an agent whose server holds on was ended too");
  await yard.stop(held.directory, "cancelled");
  assert.deepEqual(await end(held), { exitCode: 130, reason: "cancelled" });
});

Deno.test({ name: "an agent that is bound to no server is not ended when its server lets go", ignore }, async () => {
  await using yard = await shimYard();
  const run = yard.start("cat >/dev/null; until [ -e go ]; do sleep 0.02; done; exit 4");
  await run.release();
  Deno.writeTextFileSync(join(yard.path, "go"), "");
  assert.deepEqual(await end(run), { exitCode: 4, reason: null });
});

Deno.test({ name: "the first reason to stop stays, however many follow", ignore }, async () => {
  await using yard = await shimYard();
  const run = yard.start("exec sleep 1000");
  await run.pids();
  await yard.stop(run.directory, "cancelled");
  await Promise.all(["timeout", "offline", "server_exit"].map((reason) => yard.stop(run.directory, reason)));
  assert.deepEqual(await end(run), { exitCode: 130, reason: "cancelled" });
});

Deno.test({ name: "one reason is kept whole when many come at the same time", ignore }, async () => {
  await using yard = await shimYard();
  const reasons = ["cancelled", "timeout", "offline", "server_exit"];
  const run = yard.start("exec sleep 1000");
  await run.pids();
  await Promise.all(reasons.map((reason) => yard.stop(run.directory, reason)));
  const { exitCode, reason } = await end(run);
  assert.equal(exitCode, 130);
  assert.ok(reason !== null && reasons.includes(reason), `${reason} is no reason that was given`);
});

Deno.test({ name: "an agent that is stopped before it could start never starts", ignore }, async () => {
  await using yard = await shimYard();
  const directory = yard.directory();
  await yard.stop(directory, "cancelled");
  const run = yard.start("echo started", { directory });
  assert.deepEqual(await end(run), { exitCode: null, reason: "cancelled" });
  assert.equal(run.output(), "");
});

Deno.test({ name: "two hundred runs leave no process behind", ignore }, async () => {
  await using yard = await shimYard();
  const groups = new Set<number>();
  for (let done = 0; done < 200; done += 10) {
    const runs = Array.from({ length: 10 }, () => yard.start("exit 3", { graceMs: 1_000 }));
    const ends = await Promise.all(runs.map(end));
    for (const run of runs) groups.add((await run.pids()).shim);
    assert.deepEqual(ends, runs.map(() => ({ exitCode: 3, reason: null })));
  }
  assert.equal(groups.size, 200);
  await waitFor(
    async () =>
      (await listProcesses()).every((entry) => !groups.has(entry.group) && !entry.command.includes(yard.script)),
    { message: "all processes of the runs to be gone" },
  );
});
