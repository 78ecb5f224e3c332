/** An agent writes more than anybody could read: the server stays small and quick, and says what it left out. */
import assert from "node:assert/strict";
import { installFakeCodex } from "../helpers/fake_codex.ts";
import { residentKib } from "../helpers/processes.ts";
import { startSwarm } from "../helpers/swarm.ts";
import { lookAt, startTask, waitForTask } from "../helpers/tasks.ts";
import { wrapCodex } from "../helpers/wrap_codex.ts";

const ignore = Deno.build.os === "windows";
const THREAD = '{"type":"thread.started","thread_id":"01a1f744-634e-71b1-a39a-93788d7eea39"}';
const SAID = '{"type":"item.completed","item":{"id":"item_1","type":"agent_message","text":"still here"}}';

Deno.test(
  { name: "F16: a line of 48 MB is passed over and counted, and leaves no trace in memory", ignore },
  async () => {
    await using codex = await installFakeCodex();
    const loud = wrapCodex(
      codex,
      `echo '${THREAD}'; { printf '{"type":"item.completed","item":{"text":"'; head -c 48000000 /dev/zero | tr '\\0' x; ` +
        `echo '"}}'; }; echo '${SAID}'; until [ -e go ]; do sleep 0.05; done; echo '{"type":"turn.completed"}'; exit 0`,
    );
    await using swarm = await startSwarm({ codex: loud });
    const before = await residentKib(swarm.process.pid);
    const id = await startTask(swarm, "write");
    const { unreadable_events } = await waitForTask(swarm, id, ({ answer }) => answer === "still here");
    assert.equal(unreadable_events, 1);
    const tookMs: number[] = [];
    for (let look = 0; look < 20; look++) {
      const from = performance.now();
      await lookAt(swarm, id);
      tookMs.push(performance.now() - from);
    }
    assert.ok(Math.min(...tookMs) < 50, `the quickest look took ${Math.min(...tookMs)} ms`);
    const after = await residentKib(swarm.process.pid);
    assert.ok(after < 2 * before, `${before} KiB before, ${after} KiB after`);
    await Deno.writeTextFile(`${swarm.cwd}/go`, "");
    await swarm.call("codex_wait", { task_ids: [id] });
    const { status, answer } = await lookAt(swarm, id);
    assert.deepEqual([status, answer], ["completed", "still here"]);
  },
);
