/** A gigabyte as fast as the disk takes it: only the default suite's smaller one is quick enough for every day. */
import assert from "node:assert/strict";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { residentKib } from "../helpers/processes.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { lookAt, startTask, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";
import { wrapCodex } from "../helpers/wrap_codex.ts";

// Elsewhere files are not trimmed.
const ignore = Deno.build.os !== "linux";
const THREAD = '{"type":"thread.started","thread_id":"01a1f744-634e-71b1-a39a-93788d7eea39"}';
const SAID = '{"type":"item.completed","item":{"id":"item_1","type":"agent_message","text":"still here"}}';
/** What main.ts caps the events of a task at. */
const CAP = 256 * 1024 * 1024;

Deno.test(
  { name: "F16: of 1 GB of events the middle is dropped and marked, and the rest can be read", ignore },
  async () => {
    await using codex = await installFakeCodex();
    const command = { type: "command_execution", command: "x", aggregated_output: "y".repeat(1_000), exit_code: 0 };
    const line = JSON.stringify({ type: "item.completed", item: { id: "i", ...command, status: "completed" } });
    const loud = wrapCodex(
      codex,
      `echo '${THREAD}'; yes '${line}' | head -n 1000000; echo '${SAID}'; echo >written; ` +
        `until [ -e go ]; do sleep 0.05; done; echo '{"type":"turn.completed"}'; exit 0`,
    );
    await using swarm = await startSwarm({ codex: loud });
    const before = await residentKib(swarm.process.pid);
    const id = await startTask(swarm, "write");
    let most = 0;
    let looks = 0;
    await waitFor(async () => {
      most = Math.max(most, await residentKib(swarm.process.pid));
      await lookAt(swarm, id);
      const written = await Deno.stat(`${swarm.cwd}/written`).catch(() => null);
      if (written === null) looks++;
      return written;
    }, { timeoutMs: 120_000, message: "1 GB to be written" });
    // One that waits for all events to be read would not be over before they are written.
    assert.ok(looks >= 3, `${looks} looks were answered meanwhile`);
    const { events_file } = await waitForTask(swarm, id, ({ answer }) => answer === "still here");
    // Trimmed in one of the next rounds.
    const blocks = await waitFor(async () => {
      const { size, blocks } = await Deno.stat(events_file);
      assert.ok(size > 1_000_000_000);
      return (blocks ?? 0) * 512 <= CAP && blocks;
    }, { timeoutMs: 60_000, message: "the events to be within their cap" });
    assert.ok(blocks !== null && blocks > 0);
    await Deno.writeTextFile(`${swarm.cwd}/go`, "");
    await swarm.call("codex_wait", { task_ids: [id] });
    const { status, answer, thread_id, unreadable_events = 0 } = await lookAt(swarm, id);
    assert.deepEqual([status, answer, thread_id], ["completed", "still here", "01a1f744-634e-71b1-a39a-93788d7eea39"]);
    assert.ok(unreadable_events <= 2, `${unreadable_events} events could not be read`);
    const [from = 0, to = 0] = (await Deno.readTextFile(`${events_file.slice(0, -"jsonl".length)}dropped`)).split(" ")
      .map(
        Number,
      );
    assert.ok(to - from > 500_000_000, `${from} to ${to} was dropped`);
    assert.ok(most < 2 * before, `${before} KiB before, ${most} KiB at most`);
  },
);
