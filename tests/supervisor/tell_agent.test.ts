import assert from "node:assert/strict";
import type { RunHost, Signal } from "../../src/process/run_host.ts";
import { tellAgent } from "../../src/supervisor/tell_agent.ts";
import { emptyProgress } from "../../src/task/progress.ts";
import { awaitRun, finish } from "../../src/task/transitions.ts";
import { hostYard } from "../helpers/host_yard.ts";

const ends: readonly { readonly signals: readonly Signal[]; readonly isGone: boolean; readonly left: string | null }[] =
  [
    { signals: [], isGone: true, left: null },
    { signals: ["INT"], isGone: true, left: "more" },
    { signals: [], isGone: false, left: "more" },
  ];

for (const { signals, isGone, left } of ends) {
  const what = left === null ? "takes a prompt back whose call is cancelled" : "leaves a prompt";
  const why = left === null ? "had ended by itself" : signals.length > 0 ? "was broken off for it" : "may have been";
  Deno.test(`tellAgent() ${what} when the turn ${why}`, async () => {
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
    await assert.rejects(tellAgent(followed, { prompt: "more", signal: cancelling.signal }, services), /cancelled/);
    assert.equal(await directory.readPrompt(1), left);
  });
}

Deno.test("tellAgent() takes a prompt back whose task ends before it is told", async () => {
  await using yard = await hostYard();
  const followed = await yard.follow(new Date());
  const { directory } = followed;
  const outcome = { status: "completed", exitCode: 0, statusInferred: false } as const;
  const interrupt: RunHost["interrupt"] = async () => {
    await directory.write(finish(followed.task, { at: new Date(), outcome, progress: emptyProgress() }));
    return { signals: [], isGone: true, swept: 0 };
  };
  const { runner } = yard.services;
  const services = { ...yard.services, runner: { ...runner, host: { ...yard.host, interrupt } } };
  const { signal } = new AbortController();
  assert.equal(await tellAgent(followed, { prompt: "more", signal }, services), "not_running");
  assert.equal(await directory.readPrompt(1), null);
});
