/** Clocks are set and machines sleep: nobody's patience ends by that, and nobody loses what is his. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Rounds } from "../../src/supervisor/rounds.ts";
import { SteadyTime } from "../../src/supervisor/steady_time.ts";
import { hostYard } from "../helpers/host_yard.ts";
import { serversYard } from "../helpers/servers_yard.ts";
import { lookAt, release, startTask, waitForTask } from "../helpers/tasks.ts";
import { waitFor } from "../helpers/wait_for.ts";

const HOUR = 3_600_000;
const OFFLINE = '{"type":"error","message":"Reconnecting... waiting for network (no route)"}\n';

for (const jumpMs of [HOUR, -HOUR]) {
  const jump = `${jumpMs > 0 ? "forward" : "back"} by an hour`;

  Deno.test(`F24: a clock that is set ${jump} ends no agent, and a real wait for the network still does`, async () => {
    const clocks = { wall: Date.now(), steady: 0, looks: 0 };
    await using yard = await hostYard({ now: () => new Date(clocks.wall) });
    const followed = await yard.follow(new Date(clocks.wall));
    await Deno.writeTextFile(followed.directory.eventsFile, OFFLINE);
    const stops: string[] = [];
    const rounds = new Rounds({
      own: () => [followed],
      stop: (_, reason) => Promise.resolve(stops.push(reason)),
      offlineTimeoutMs: 400,
      stallAfterMs: 60_000,
      stallAction: "report",
      services: yard.services,
      steadyMs: () => (clocks.looks++, clocks.steady),
    });
    const someLooks = async (): Promise<void> => {
      const before = clocks.looks;
      await waitFor(() => clocks.looks > before + 10, { message: "some rounds" });
    };
    rounds.start();
    try {
      await someLooks();
      clocks.wall += jumpMs;
      await someLooks();
      assert.deepEqual(stops, []);
      assert.equal(await rounds.silenceOf(followed), null);
      clocks.steady += 500;
      await waitFor(() => stops.length > 0, { message: "the agent to be stopped" });
      assert.equal(stops[0], "offline");
    } finally {
      rounds.stop();
    }
  });

  Deno.test(`F24: SteadyTime counts on when the clock is set ${jump}`, () => {
    const clocks = { wall: 10 * HOUR, steady: 0 };
    const time = new SteadyTime({ now: () => new Date(clocks.wall), steadyMs: () => clocks.steady });
    const pass = (ms: number): void => {
      clocks.wall += ms;
      clocks.steady += ms;
    };
    // What happened before the first look has the age that the system's clock gives it.
    const first = new Date(clocks.wall - 5_000);
    assert.equal(time.since("a", first), 5_000);
    pass(1_000);
    clocks.wall += jumpMs;
    assert.equal(time.since("a", first), 6_000);
    // What happens after the jump is dated by the new clock.
    pass(2_000);
    const second = new Date(clocks.wall - 500);
    assert.equal(time.since("a", second), 500);
    // And what was dated by the old one is never older than the last look at it.
    pass(1_000);
    clocks.wall += jumpMs;
    const age = time.since("a", new Date(clocks.wall - jumpMs - 100));
    assert.ok(age >= 0 && age <= 1_000, `${age}`);
    time.keepOnly(new Set());
    assert.equal(time.since("a", new Date(clocks.wall - 7)), 7);
  });
}

Deno.test({
  name: "F24: a server that sleeps keeps its tasks, and tells their ends when it wakes",
  ignore: Deno.build.os === "windows",
  async fn(): Promise<void> {
    await using yard = await serversYard();
    await using asleep = await yard.start();
    const id = await startTask(asleep, "fake:hold(go) fake:crash(7)");
    await waitForTask(asleep, id, ({ thread_id }) => thread_id !== undefined);
    await using awake = await yard.start();
    const wait = asleep.call("codex_wait", { task_ids: [id] });
    asleep.process.kill("SIGSTOP");
    try {
      await release(awake, "go");
      await waitFor(() => Deno.readTextFile(join(yard.task(id), "exit")), { message: "the agent to end" });
      // The end is its server's to tell, which lives.
      assert.equal((await lookAt(awake, id)).status, "running");
    } finally {
      asleep.process.kill("SIGCONT");
    }
    assert.equal((await wait).structured.tasks[0].exit_code, 7);
    await waitForTask(awake, id, ({ status, exit_code }) => status === "failed" && exit_code === 7);
  },
});
