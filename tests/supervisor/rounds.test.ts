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
