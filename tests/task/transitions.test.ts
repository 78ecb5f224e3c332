import assert from "node:assert/strict";
import { emptyProgress } from "../../src/task/progress.ts";
import { isFinished, type Outcome, type Task, type TaskState } from "../../src/task/task.ts";
import { awaitRun, finish, startRun, unstartRun } from "../../src/task/transitions.ts";
import { SPEC } from "../helpers/example_spec.ts";

const FIRST = new Date("2026-11-01T10:00:00Z");
const LATER = new Date("2026-11-01T10:05:00Z");
const OUTCOME: Outcome = { status: "failed", exitCode: 1, statusInferred: false };

const FIRST_RUN = { run: 1, input: "prompt.txt", prompts: 0 };
const SECOND_RUN = { run: 2, input: "input_2.txt", prompts: 1 };

function task(state: TaskState): Task {
  return {
    id: "0123abcd",
    createdAt: FIRST,
    repository: "/repository/.git",
    depth: 0,
    spec: SPEC,
    state,
  };
}

Deno.test("startRun() makes a queued task run", () => {
  const started = startRun(task({ status: "queued" }), { at: LATER, ...FIRST_RUN });
  assert.deepEqual(started, task({ status: "running", startedAt: LATER, ...FIRST_RUN }));
});

Deno.test("startRun() counts a later run from the first one's start", () => {
  const started = startRun(task({ status: "running", startedAt: FIRST, ...FIRST_RUN }), { at: LATER, ...SECOND_RUN });
  assert.deepEqual(started, task({ status: "running", startedAt: FIRST, ...SECOND_RUN }));
});

Deno.test("startRun() refuses a task that has ended", () => {
  const ended = finish(task({ status: "queued" }), { at: LATER, outcome: OUTCOME, progress: emptyProgress() });
  assert.throws(
    () => startRun(ended, { at: LATER, ...FIRST_RUN }),
    new Error("task 0123abcd has ended and cannot run again"),
  );
});

Deno.test("finish() keeps when and in which run a task ran", () => {
  const progress = { ...emptyProgress(), lastMessage: "long answer", currentCommand: "sleep 1", commands: 3 };
  const running = task({ status: "running", startedAt: FIRST, ...SECOND_RUN });
  assert.equal(isFinished(running), false);
  const ended = finish(running, { at: LATER, outcome: OUTCOME, progress });
  assert.equal(isFinished(ended), true);
  assert.deepEqual(
    ended,
    task({
      status: "failed",
      startedAt: FIRST,
      endedAt: LATER,
      run: 2,
      prompts: 1,
      outcome: OUTCOME,
      progress: { ...emptyProgress(), commands: 3 },
    }),
  );
});

Deno.test("finish() ends a queued task that never ran", () => {
  const outcome: Outcome = { status: "cancelled", exitCode: null, statusInferred: false, stopReason: "cancelled" };
  const progress = emptyProgress();
  assert.deepEqual(
    finish(task({ status: "queued" }), { at: LATER, outcome, progress }).state,
    {
      status: "cancelled",
      startedAt: null,
      endedAt: LATER,
      run: 0,
      prompts: 0,
      outcome,
      hasAnswer: false,
      progress,
    },
  );
});

Deno.test("finish() never changes a task that has ended", () => {
  const ended = finish(task({ status: "queued" }), { at: FIRST, outcome: OUTCOME, progress: emptyProgress() });
  const again: Outcome = { status: "completed", exitCode: 0, statusInferred: false };
  assert.equal(finish(ended, { at: LATER, outcome: again, progress: emptyProgress() }), ended);
});

Deno.test("unstartRun() takes a start back, whatever the task did before", () => {
  for (
    const before of [
      task({ status: "queued" }),
      task({ status: "waiting", until: LATER, isDueAgain: false, startedAt: FIRST, ...FIRST_RUN }),
    ]
  ) {
    assert.deepEqual(unstartRun(startRun(before, { at: FIRST, ...SECOND_RUN }), before), before);
  }
  const ended = finish(task({ status: "queued" }), { at: LATER, outcome: OUTCOME, progress: emptyProgress() });
  assert.equal(unstartRun(ended, task({ status: "queued" })), ended);
});

Deno.test("awaitRun() keeps the runs of a task that waits, and startRun() goes on from there", () => {
  const running = task({ status: "running", startedAt: FIRST, ...FIRST_RUN });
  const waiting = awaitRun(running, { until: LATER, isDueAgain: true });
  assert.deepEqual(
    waiting,
    task({ status: "waiting", until: LATER, isDueAgain: true, startedAt: FIRST, ...FIRST_RUN }),
  );
  assert.deepEqual(
    startRun(waiting, { at: LATER, ...SECOND_RUN }),
    task({ status: "running", startedAt: FIRST, ...SECOND_RUN }),
  );
  assert.throws(
    () => awaitRun(task({ status: "queued" }), { until: null, isDueAgain: true }),
    /has not run yet/,
  );
});
