/** Open files and processes run out: what is started waits for them, nothing is lost and nothing is kept. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { RUN_FLAGS } from "../../.github/scripts/run_flags.ts";
import type { RunHost } from "../../src/process/run_host.ts";
import { TaskDrive } from "../../src/supervisor/task_drive.ts";
import { makeGate } from "../helpers/gate.ts";
import { hostYard } from "../helpers/host_yard.ts";
import { MAIN } from "../helpers/server_process.ts";
import { serversYard } from "../helpers/servers_yard.ts";
import type { Swarm } from "../helpers/swarm.ts";
import { lookAt, startTask } from "../helpers/tasks.ts";
import { PLANNED } from "../helpers/tool_calls.ts";
import { waitFor } from "../helpers/wait_for.ts";

// Only there the open files of another process can be counted.
const ignore = Deno.build.os !== "linux";
const OPEN_FILES = 64;

/** A server that may have few open files. */
const COMMAND: readonly [string, ...string[]] = [
  "/bin/sh",
  "-c",
  `ulimit -n ${OPEN_FILES}; exec "$@"`,
  "sh",
  Deno.execPath(),
  "run",
  "--quiet",
  ...RUN_FLAGS,
  MAIN,
];

function openFiles(swarm: Swarm): number {
  return Array.from(Deno.readDirSync(`/proc/${swarm.process.pid}/fd`)).length;
}

Deno.test(
  { name: "F21: with 64 open files agents queue, all of them run, and no file stays open", ignore },
  async () => {
    await using yard = await serversYard({ isQuick: true });
    await using swarm = await yard.start({ command: COMMAND, args: ["--max-concurrent", "4"] });
    const runAll = async (count: number): Promise<void> => {
      const words = Array.from({ length: count }, (_, index) => `quick: exit=${index}`);
      const ids = await Promise.all(words.map((prompt) => startTask(swarm, prompt)));
      await swarm.call("codex_wait", { task_ids: ids });
      const ends = await Promise.all(ids.map((id) => lookAt(swarm, id)));
      assert.deepEqual(ends.map(({ exit_code }) => exit_code), ids.map((_, index) => index));
    };
    await runAll(5);
    const before = openFiles(swarm);
    for (let round = 0; round < 3; round++) await runAll(14);
    await waitFor(() => Math.abs(openFiles(swarm) - before) <= 2, { message: `${before} open files, as before` });
  },
);

Deno.test({
  name: "F21: what 64 open files are too few for is refused with the reason, and nothing of it stays",
  ignore,
}, async () => {
  await using yard = await serversYard({ isQuick: true });
  await using gate = await makeGate();
  await using swarm = await yard.start({ command: COMMAND, args: ["--max-concurrent", "2"] });
  const prompt = `quick: gate=${gate.path}`;
  // Each task that has not ended keeps its lock open.
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => swarm.call("codex_async", { prompt })),
  );
  const refusals = answers.filter(({ isError }) => isError);
  const ids: string[] = answers.filter(({ isError }) => !isError).map(({ structured }) => structured.task_id);
  assert.ok(refusals.length > 0 && ids.length >= 12, `${ids.length} started, ${refusals.length} refused`);
  for (const { text } of refusals) assert.match(text, /Too many open files.*more open files \(ulimit -n\)/);
  const kept = Array.from(Deno.readDirSync(join(yard.stateDir, "tasks")), ({ name }) => name);
  assert.deepEqual(kept.filter((name) => name !== ".index").toSorted(), ids.toSorted());
  await gate.open(ids.length);
  await swarm.call("codex_wait", { task_ids: ids });
  const ends = await Promise.all(ids.map((id) => lookAt(swarm, id)));
  assert.deepEqual([...new Set(ends.map(({ status }) => status))], ["completed"]);
  // And there is room again.
  assert.equal((await swarm.call("codex", { prompt: "quick:" })).isError, false);
});

for (const code of [11, 24]) {
  Deno.test(`F22: a run that finds no room in the system (os error ${code}) stays in the queue until it does`, async () => {
    const seen: string[] = [];
    let refusals = 2;
    await using yard = await hostYard();
    const followed = await yard.follow();
    const host: RunHost = {
      ...yard.host,
      start: async (options) => {
        if (refusals-- <= 0) return await yard.host.start(options);
        throw new Error(`Failed to spawn '/bin/sh': no room (os error ${code})`);
      },
    };
    const log = { ...yard.services.log, warning: (): void => void seen.push(followed.task.state.status) };
    followed.noteDriven();
    const services = { ...yard.services, log, runner: { ...yard.services.runner, host } };
    await new TaskDrive(followed, { runnable: () => Promise.resolve(PLANNED), services }).toEnd();
    assert.deepEqual([seen, yard.asked], [["queued", "queued"], ["start 1"]]);
  });
}

Deno.test("F22: a run that cannot be started for any other reason fails (control)", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow();
  const host: RunHost = { ...yard.host, start: () => Promise.reject(new Error("no such file (os error 2)")) };
  followed.noteDriven();
  const services = { ...yard.services, runner: { ...yard.services.runner, host } };
  await new TaskDrive(followed, { runnable: () => Promise.resolve(PLANNED), services }).toEnd();
  assert.equal(followed.task.state.status, "failed");
});
