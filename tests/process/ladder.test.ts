/** How a run is stopped: which signals come, in which order, and what the stop reports of them. */
import assert from "node:assert/strict";
import { readExit, readStopReason } from "../../src/process/run_files.ts";
import type { Ladder, StopReport } from "../../src/process/run_host.ts";
import { listProcesses } from "../helpers/processes.ts";
import { type ShimYard, shimYard, type YardRun } from "../helpers/shim_yard.ts";
import { waitFor } from "../helpers/wait_for.ts";

const ignore = Deno.build.os === "windows";
const QUICK = 300;

/** An agent that says which of INT and TERM came, and ends by those in `heeded`. */
async function start(yard: ShimYard, heeded: readonly string[] = []): Promise<YardRun> {
  const traps = ["INT", "TERM"].map((signal) =>
    `trap 'echo ${signal}${heeded.includes(signal) ? "; exit 5" : ""}' ${signal}`
  );
  const run = yard.start(`${traps.join("; ")}; echo ready; while :; do sleep 0.02; done`);
  await waitFor(() => run.output().startsWith("ready\n"), { message: "the agent to have its traps" });
  return run;
}

for (
  const { name, ladder, heeded, said, report, exitCode } of [
    {
      name: "by INT alone, when it heeds that",
      heeded: ["INT", "TERM"],
      said: "ready\nINT\n",
      report: { signals: ["INT"], isGone: true, swept: 0 },
      exitCode: 5,
    },
    {
      name: "by INT, then TERM, then KILL, when it heeds none",
      ladder: [
        { signal: "INT", waitMs: QUICK },
        { signal: "TERM", waitMs: QUICK },
        { signal: "KILL", waitMs: 2_000 },
      ],
      said: "ready\nINT\nTERM\n",
      report: { signals: ["INT", "TERM", "KILL"], isGone: true },
      exitCode: 137,
    },
    {
      name: "by TERM first, when that is asked for",
      ladder: [{ signal: "TERM", waitMs: 5_000 }, { signal: "KILL", waitMs: 2_000 }],
      heeded: ["TERM"],
      said: "ready\nTERM\n",
      report: { signals: ["TERM"], isGone: true, swept: 0 },
      exitCode: 5,
    },
    {
      name: "by TERM, then KILL, when that is asked for",
      ladder: [{ signal: "TERM", waitMs: QUICK }, { signal: "KILL", waitMs: 2_000 }],
      said: "ready\nTERM\n",
      report: { signals: ["TERM", "KILL"], isGone: true },
      exitCode: 137,
    },
    {
      name: "by KILL alone, when that is asked for",
      ladder: [{ signal: "KILL", waitMs: 2_000 }],
      heeded: ["INT", "TERM"],
      said: "ready\n",
      report: { signals: ["KILL"], isGone: true },
      exitCode: 137,
    },
    {
      name: "by the sweep at last, when its ladder was too short",
      ladder: [{ signal: "INT", waitMs: QUICK }],
      said: "ready\nINT\n",
      report: { signals: ["INT", "KILL"], isGone: true },
      exitCode: 137,
    },
  ] satisfies readonly {
    name: string;
    ladder?: Ladder;
    heeded?: readonly string[];
    said: string;
    report: Partial<StopReport>;
    exitCode: number;
  }[]
) {
  Deno.test({ name: `F13: an agent is ended ${name}`, ignore }, async () => {
    await using yard = await shimYard();
    const run = await start(yard, heeded);
    const seen = await yard.stop(run.directory, "cancelled", ladder === undefined ? {} : { ladder });
    // A sleep(1) of the agent's may or may not be there to be swept.
    assert.deepEqual({ ...seen, swept: 0 }, { swept: 0, ...report });
    await run.ended;
    assert.equal(run.output(), said);
    const ended = await readExit(run.directory, 1);
    assert.equal(ended?.exitCode, exitCode);
    assert.equal(await readStopReason(run.directory), "cancelled");
  });
}

Deno.test({ name: "a rung's time is given: an agent that ends within it gets no further signal", ignore }, async () => {
  await using yard = await shimYard();
  const run = yard.start("trap 'sleep 0.4; echo INT; exit 5' INT; echo ready; while :; do sleep 0.02; done");
  await waitFor(() => run.output().startsWith("ready\n"), { message: "the agent to have its trap" });
  const { signals } = await yard.stop(run.directory, "cancelled");
  assert.deepEqual(signals, ["INT"]);
  await run.ended;
  assert.equal(run.output(), "ready\nINT\n");
});

Deno.test({ name: "a stop that is itself told to end goes on to its end", ignore }, async () => {
  await using yard = await shimYard();
  const run = await start(yard);
  const ladder = [{ signal: "INT", waitMs: 2_000 }, { signal: "KILL", waitMs: 2_000 }] as const;
  const stopping = yard.stop(run.directory, "cancelled", { ladder });
  await waitFor(() => run.output() === "ready\nINT\n", { message: "the first signal" });
  const keeper = (await listProcesses()).find(({ pid, group, command }) =>
    pid === group && command.includes(` stop ${run.directory} `)
  );
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) Deno.kill(keeper?.pid ?? NaN, signal);
  assert.deepEqual({ ...await stopping, swept: 0 }, { signals: ["INT", "KILL"], isGone: true, swept: 0 });
  await run.ended;
});

Deno.test({ name: "a stop of a run that has ended, or never began, reports no signal", ignore }, async () => {
  await using yard = await shimYard();
  const run = yard.start("exit 0");
  await run.ended;
  assert.deepEqual(await yard.stop(run.directory, "cancelled"), { signals: [], isGone: true, swept: 0 });
  assert.deepEqual(await yard.stop(yard.directory(), "cancelled"), { signals: [], isGone: true, swept: 0 });
});

Deno.test(
  { name: "F15: two hundred runs that are stopped as soon as they are started leave nobody", ignore },
  async () => {
    await using yard = await shimYard();
    const exitCodes = new Set<number | null | undefined>();
    for (let done = 0; done < 200; done += 20) {
      const runs = Array.from({ length: 20 }, () => yard.start(`exec ${yard.idle("agent")}`));
      const reports = await Promise.all(runs.map(async ({ directory }, index) => {
        // Each of them at another moment of the start.
        for (let looks = 0; looks < index * 5; looks++) await Deno.stat(directory);
        return await yard.stop(directory, "cancelled");
      }));
      await Promise.all(runs.map(({ ended }) => ended));
      assert.ok(reports.every(({ isGone }) => isGone));
      for (const { directory } of runs) exitCodes.add((await readExit(directory, 1))?.exitCode);
    }
    // Never started, or ended by the first signal.
    assert.deepEqual([...exitCodes].filter((code) => code !== null && code !== 130), []);
    const left = (await listProcesses()).filter(({ command }) => command.includes(`${yard.path}/`));
    assert.deepEqual(left, []);
  },
);
