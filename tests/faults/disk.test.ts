/** The state directory's disk is full or read-only: nothing is lost, and all goes on as soon as there is room again. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { serversYard } from "../helpers/servers_yard.ts";
import { CAN_MOUNT, smallDisk } from "../helpers/small_disk.ts";
import { lookAt, release, startTask, waitForStatus, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

// Without the right to mount, tests/bad_input/broken_state.test.ts shows the same with files of limited size.
const ignore = !CAN_MOUNT;

for (
  const { number, what, reason, isRoomKept, fill } of [
    { number: "F19", what: "no space", isRoomKept: true, reason: /No space left/, fill: (disk) => disk.fill("bytes") },
    {
      number: "F20",
      what: "no inodes",
      isRoomKept: true,
      reason: /No space left/,
      fill: (disk) => disk.fill("inodes"),
    },
    {
      number: "F20",
      what: "no right to write",
      isRoomKept: false,
      reason: /Read-only file system/,
      fill: (disk) => disk.setReadOnly(true),
    },
  ] satisfies readonly {
    number: string;
    what: string;
    reason: RegExp;
    isRoomKept: boolean;
    fill: (disk: Awaited<ReturnType<typeof smallDisk>>) => Promise<void>;
  }[]
) {
  Deno.test(
    { name: `${number}: with ${what} agents go on, starts are refused, and later nothing is lost`, ignore },
    async () => {
      await using disk = await smallDisk();
      await using yard = await serversYard({ stateDir: disk.path });
      await using swarm = await yard.start({ args: ["--max-concurrent", "2"] });
      const ended = await startTask(swarm, "fake:hold(first) fake:say(one)");
      const running = await startTask(swarm, "fake:hold(second) fake:say(two)");
      for (const id of [ended, running]) await waitForTask(swarm, id, ({ thread_id }) => thread_id !== undefined);
      const queued = await startTask(swarm, "fake:say(three)");
      // Where the shim notes how often memory has run out is room for the exit code, from its first second on.
      await waitFor(() => Deno.stat(join(yard.task(ended), "oom")), { message: "the shim to have counted" });
      await fill(disk);

      const { text, isError } = await swarm.call("codex_async", { prompt: "fake:say(never)" });
      assert.match(text, reason);
      assert.match(text, /^Cannot write .*--state-dir/);
      assert.equal(isError, true);
      assert.deepEqual((await lookAt(swarm, running)).status, "running");
      await release(swarm, "first");
      const { structured } = await swarm.call("codex_wait", { task_ids: [ended] });
      assert.deepEqual(structured.tasks.map(({ status, answer }: Record<string, string>) => [status, answer]), [
        ["completed", "one"],
      ]);
      await waitFor(() => swarm.process.stderr.includes("could not be saved yet"), {
        message: "the trouble in the log",
      });
      assert.equal((await swarm.call("codex_status")).structured.tasks.length, 3);

      await disk.setReadOnly(false);
      await disk.clear();
      await release(swarm, "second");
      await swarm.call("codex_wait", { task_ids: [running, queued] });
      const later = await startTask(swarm, "fake:say(four)");
      await waitForStatus(swarm, later, "completed");
      // Another server knows only what is on disk.
      await using other = await yard.start();
      for (const [id, answer] of [[ended, "one"], [running, "two"], [queued, "three"], [later, "four"]]) {
        await waitForTask(other, id ?? "", (task) => task.status === "completed" && task.answer === answer);
      }
      assert.equal((await lookAt(other, ended)).exit_code, isRoomKept ? 0 : null);
      assert.deepEqual(yard.codex.ledger().map(({ exitCode }) => exitCode), [0, 0, 0, 0]);
    },
  );
}
