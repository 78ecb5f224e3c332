import assert from "node:assert/strict";
import { Rounds } from "../../src/supervisor/rounds.ts";
import { hostYard } from "../helpers/host_yard.ts";
import { waitFor } from "../helpers/wait_for.ts";

const CAP = 1_000_000;
const LINE = `${JSON.stringify({ type: "other", text: "x".repeat(970) })}\n`;

Deno.test("Rounds trims the events of a run again only when they have grown by a quarter of the cap", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow(new Date());
  const { services } = yard;
  const sizes: number[] = [];
  let rounds = 0;
  const host = { ...yard.host, trimEvents: () => Promise.resolve(void sizes.push(followed.offset)) };
  const looks = new Rounds({
    own: () => (rounds++, [followed]),
    stop: () => Promise.resolve(),
    offlineTimeoutMs: 200,
    stallAfterMs: 60_000,
    stallAction: "report",
    services: { ...services, runner: { ...services.runner, host, maxEventBytes: CAP } },
  });
  const grow = async (bytes: number): Promise<void> => {
    await Deno.writeTextFile(followed.directory.eventsFile, LINE.repeat(bytes / LINE.length), { append: true });
    const before = rounds;
    await waitFor(() => rounds > before + 3, { message: "some rounds" });
  };
  looks.start();
  try {
    await grow(0.9 * CAP);
    assert.deepEqual(sizes, []);
    await grow(0.2 * CAP);
    assert.equal(sizes.length, 1);
    await grow(0.2 * CAP);
    assert.equal(sizes.length, 1);
    await grow(0.2 * CAP);
    assert.equal(sizes.length, 2);
  } finally {
    looks.stop();
  }
});

Deno.test("Rounds stops a run that goes on although its time is over, but leaves the shim's clock some seconds", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow(new Date());
  const { timeoutMs } = followed.task.spec;
  const stopped: string[] = [];
  let rounds = 0;
  let steadyMs = 1_000_000;
  const looks = new Rounds({
    own: () => (rounds++, [followed]),
    stop: (id, reason) => Promise.resolve(void stopped.push(`${id} ${reason}`)),
    offlineTimeoutMs: 200,
    stallAfterMs: 2 * timeoutMs,
    stallAction: "report",
    services: yard.services,
    steadyMs: () => steadyMs,
  });
  const pass = async (ms: number): Promise<void> => {
    steadyMs += ms;
    const before = rounds;
    await waitFor(() => rounds > before + 2, { message: "some rounds" });
  };
  looks.start();
  try {
    await pass(0);
    await pass(timeoutMs + 5_000);
    assert.deepEqual(stopped, []);
    await pass(5_000);
    assert.equal(stopped[0], `${followed.task.id} timeout`);
  } finally {
    looks.stop();
  }
});
