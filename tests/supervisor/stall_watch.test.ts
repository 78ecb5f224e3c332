import assert from "node:assert/strict";
import { addSample, type Sample, silenceWords, type Stillness } from "../../src/supervisor/stall_watch.ts";
import { emptyProgress } from "../../src/task/progress.ts";

const OUTPUT = new Date(0);

/** Adds samples, each so many seconds after the last output, and gives since when the run is still, in seconds. */
function stillSince(
  samples: readonly { readonly at: number; readonly cpuMs: number; readonly haveFilesChanged?: boolean | null }[],
): number {
  let stillness: Stillness | null = null;
  for (const { at, cpuMs, haveFilesChanged = null } of samples) {
    const sample: Sample = { at: new Date(at * 1_000), cpuMs, haveFilesChanged };
    stillness = addSample(stillness, sample, OUTPUT);
  }
  return (stillness?.stillSince.getTime() ?? NaN) / 1_000;
}

const CASES = [
  { what: "one look tells of output alone", samples: [{ at: 60, cpuMs: 5_000 }], expected: 0 },
  {
    what: "a process that only wakes now and then",
    samples: [{ at: 60, cpuMs: 100 }, { at: 65, cpuMs: 140 }],
    expected: 0,
  },
  { what: "one that works", samples: [{ at: 60, cpuMs: 100 }, { at: 65, cpuMs: 200 }], expected: 65 },
  {
    what: "one that has worked and works no more",
    samples: [{ at: 60, cpuMs: 100 }, { at: 65, cpuMs: 900 }, { at: 70, cpuMs: 900 }, { at: 75, cpuMs: 900 }],
    expected: 65,
  },
  {
    what: "files that change",
    samples: [{ at: 60, cpuMs: 100 }, { at: 65, cpuMs: 100, haveFilesChanged: true }],
    expected: 65,
  },
  {
    what: "files that do not change, or cannot be looked at",
    samples: [
      { at: 60, cpuMs: 100 },
      { at: 65, cpuMs: 100, haveFilesChanged: false },
      { at: 70, cpuMs: 100, haveFilesChanged: null },
    ],
    expected: 0,
  },
];

for (const { what, samples, expected } of CASES) {
  Deno.test(`addSample() finds a run still since ${expected} s: ${what}`, () => {
    assert.equal(stillSince(samples), expected);
  });
}

Deno.test("addSample() begins anew with each output", () => {
  const first = addSample(null, { at: new Date(60_000), cpuMs: 0, haveFilesChanged: null }, OUTPUT);
  const output = new Date(61_000);
  const next = addSample(first, { at: new Date(130_000), cpuMs: 9_000, haveFilesChanged: null }, output);
  assert.deepEqual(next.stillSince, output);
});

Deno.test("silenceWords() tells a command from the network and from what nobody can know", () => {
  const idle = emptyProgress();
  assert.equal(silenceWords(idle), "waiting for the model or hung, cannot tell");
  assert.equal(silenceWords({ ...idle, currentCommand: "make" }), "running a command");
  assert.equal(
    silenceWords({ ...idle, currentCommand: "make", waitingForNetwork: "Reconnecting..." }),
    "waiting for network",
  );
});
