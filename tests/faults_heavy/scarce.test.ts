/** Processes, memory and open files run out for real. */
import assert from "node:assert/strict";
import { RUN_FLAGS } from "../../.github/scripts/run_flags.ts";
import { canBound, type Cgroup, makeCgroup } from "../helpers/cgroup.ts";
import { makeGate } from "../helpers/gate.ts";
import { MAIN } from "../helpers/server_process.ts";
import { type ServersYard, serversYard } from "../helpers/servers_yard.ts";
import type { Swarm } from "../helpers/swarm.ts";
import { lookAt, startTask, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { wrapCodex } from "../helpers/wrap_codex.ts";

const ignore = Deno.build.os !== "linux";

Deno.test({ name: "F21: after a thousand tasks a server has as many open files as after ten", ignore }, async () => {
  await using yard = await serversYard({ isQuick: true });
  await using swarm = await yard.start({ args: ["--max-concurrent", "8"] });
  const openFiles = (): number => Array.from(Deno.readDirSync(`/proc/${swarm.process.pid}/fd`)).length;
  const runAll = async (count: number): Promise<void> => {
    const ids = await Promise.all(Array.from({ length: count }, () => startTask(swarm, "quick:")));
    await swarm.call("codex_wait", { task_ids: ids });
  };
  await runAll(10);
  const before = openFiles();
  for (let done = 0; done < 1_000; done += 50) await runAll(50);
  await waitFor(() => Math.abs(openFiles() - before) <= 2, { message: `${before} open files, as before` });
});

/** A server that is in the group with all that it starts, and has all its threads. */
async function startIn(group: Cgroup, yard: ServersYard, maxConcurrent: number): Promise<Swarm> {
  const enter = ["/bin/sh", "-c", `${group.enter}; exec "$@"`, "sh"] as const;
  const swarm = await yard.start({
    command: [...enter, Deno.execPath(), "run", "--quiet", ...RUN_FLAGS, MAIN],
    args: ["--max-concurrent", String(maxConcurrent)],
  });
  const ids = await Promise.all(Array.from({ length: 20 }, () => startTask(swarm, "quick:")));
  await swarm.call("codex_wait", { task_ids: ids });
  return swarm;
}

/** Leaves room for so many processes more. */
async function leaveRoom(group: Cgroup, count: number): Promise<void> {
  await group.set("pids.max", String(Number(await group.get("pids.current")) + count));
}

Deno.test({
  name: "F22: where no process can be forked agents queue, and run when they can",
  ignore: !canBound("pids"),
}, async () => {
  await using group = await makeCgroup("pids");
  await using yard = await serversYard({ isQuick: true });
  await using gate = await makeGate();
  await using swarm = await startIn(group, yard, 20);
  const first = yard.codex.ledger().length;
  // For some agents with their shims, each of which consists of four processes.
  await leaveRoom(group, 18);
  const ids = await Promise.all(
    Array.from({ length: 20 }, (_, index) => startTask(swarm, `quick: gate=${gate.path} exit=${index}`)),
  );
  await waitFor(() => yard.codex.ledger().length > first, { timeoutMs: 60_000, message: "some agents to work" });
  await waitFor(() => swarm.process.stderr.includes("no room"), {
    timeoutMs: 60_000,
    message: "the trouble in the log",
  });
  const statuses = await Promise.all(ids.map(async (id) => (await lookAt(swarm, id)).status));
  assert.deepEqual(statuses.filter((status) => status !== "queued" && status !== "running"), []);
  await gate.open(ids.length);
  await group.set("pids.max", "max");
  await swarm.call("codex_wait", { task_ids: ids });
  const ends = await Promise.all(ids.map((id) => lookAt(swarm, id)));
  assert.deepEqual(ends.map(({ exit_code }) => exit_code), ids.map((_, index) => index));
  // No agent was started twice.
  assert.equal(yard.codex.ledger().length, first + ids.length);
});

Deno.test({
  name: "F22: where no process can be forked a stop says so, and the next one works",
  ignore: !canBound("pids"),
}, async () => {
  await using group = await makeCgroup("pids");
  await using yard = await serversYard({ isQuick: true });
  await using gate = await makeGate();
  await using swarm = await startIn(group, yard, 1);
  const id = await startTask(swarm, `quick: gate=${gate.path}`);
  await waitForTask(swarm, id, ({ thread_id }) => thread_id !== undefined);
  // Without any the stop cannot begin, with one it breaks off.
  for (const room of [0, 1]) {
    await leaveRoom(group, room);
    const { text } = await swarm.call("codex_cancel", { task_id: id });
    assert.match(text, /could not be stopped yet.*try again/);
    assert.equal((await lookAt(swarm, id)).status, "running");
  }
  await group.set("pids.max", "max");
  await swarm.call("codex_cancel", { task_id: id });
  const { status, exit_code } = await lookAt(swarm, id);
  assert.deepEqual([status, exit_code], ["cancelled", 130]);
});

Deno.test(
  { name: "F4: an agent that the system ends for want of memory is told so", ignore: !canBound("memory") },
  async () => {
    await using group = await makeCgroup("memory");
    for (const file of ["memory.limit_in_bytes", "memory.max"]) {
      await group.set(file, "32000000").catch(() => undefined);
    }
    await using yard = await serversYard();
    // Not before the shim has counted for the first time.
    const hungry =
      `case "$(cat)" in *hungry*) sleep 2; ${group.enter}; exec tail /dev/zero ;; *) sleep 4; exit 0 ;; esac`;
    await using swarm = await yard.start({ codex: wrapCodex(yard.codex, hungry) });
    const other = await startTask(swarm, "modest");
    const id = await startTask(swarm, "hungry");
    const { exit_code, failure } = await waitForTask(swarm, id, ({ status }) => status === "failed");
    assert.equal(exit_code, 137);
    assert.match(failure.message, /\(oom: yes\)/);
    assert.equal((await waitForTask(swarm, other, ({ ended_at }) => ended_at !== undefined)).exit_code, 0);
  },
);
