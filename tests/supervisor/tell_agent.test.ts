import assert from "node:assert/strict";
import type { RunHost, Signal } from "../../src/process/run_host.ts";
import { addPrompt, untilTold } from "../../src/supervisor/tell_agent.ts";
import { emptyProgress } from "../../src/task/progress.ts";
import { awaitRun, finish } from "../../src/task/transitions.ts";
import { hostYard } from "../helpers/host_yard.ts";

const ends: readonly {
  readonly signals: readonly Signal[];
  readonly isGone: boolean;
  readonly isWithdrawn: boolean;
  readonly left: string | null;
}[] = [
  { signals: [], isGone: true, isWithdrawn: true, left: null },
  { signals: [], isGone: true, isWithdrawn: false, left: "more" },
  { signals: ["INT"], isGone: true, isWithdrawn: true, left: "more" },
  { signals: [], isGone: false, isWithdrawn: true, left: "more" },
];

for (const { signals, isGone, isWithdrawn, left } of ends) {
  const what = isWithdrawn
    ? left === null ? "takes a prompt back whose call is cancelled" : "leaves a prompt"
    : "leaves a prompt whose client has left";
  const isBroken = signals.length > 0;
  const why = isBroken ? "was broken off for it" : isGone ? "had ended by itself" : "may have been";
  Deno.test(`untilTold() ${what} when the turn ${why}`, async () => {
    await using yard = await hostYard();
    const followed = await yard.follow(new Date());
    const { directory } = followed;
    const cancelling = new AbortController();
    const interrupt: RunHost["interrupt"] = async () => {
      // The server that drives the task goes on to tell it.
      await directory.write(awaitRun(followed.task, { until: null, isDueAgain: false }));
      cancelling.abort(new Error("cancelled"));
      return { signals, isGone, swept: 0 };
    };
    const { runner } = yard.services;
    const services = { ...yard.services, runner: { ...runner, host: { ...yard.host, interrupt } } };
    const number = await addPrompt(followed, "more");
    assert.equal(number, 1);
    const telling = { number, signal: cancelling.signal, isWithdrawn: () => isWithdrawn };
    await assert.rejects(untilTold(followed, telling, services), /cancelled/);
    assert.equal(await directory.readPrompt(1), left);
  });
}

Deno.test("untilTold() tells that a task ends before its agent is told, and that a prompt is taken back", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow(new Date());
  const { directory } = followed;
  const number = await addPrompt(followed, "more");
  assert.equal(number, 1);
  const outcome = { status: "completed", exitCode: 0, statusInferred: false } as const;
  const { runner } = yard.services;
  const withInterrupt = (interrupt: RunHost["interrupt"]): typeof yard.services => ({
    ...yard.services,
    runner: { ...runner, host: { ...yard.host, interrupt } },
  });
  const gone = { signals: [], isGone: true, swept: 0 };
  const telling = { number, signal: new AbortController().signal, isWithdrawn: () => false };
  const taking = withInterrupt(async () => {
    await directory.removePrompt(number);
    return gone;
  });
  assert.equal(await untilTold(followed, telling, taking), "taken_back");
  const again = await addPrompt(followed, "more");
  assert.equal(again, 2);
  const ending = withInterrupt(async () => {
    await directory.write(finish(followed.task, { at: new Date(), outcome, progress: emptyProgress() }));
    return gone;
  });
  assert.equal(await untilTold(followed, { ...telling, number: again }, ending), "not_running");
  assert.equal(await addPrompt(followed, "more"), "not_running");
});
