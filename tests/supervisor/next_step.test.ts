import assert from "node:assert/strict";
import { failureOf } from "../../src/codex/failure.ts";
import { type NextStep, nextStep, type RunEvidence } from "../../src/supervisor/next_step.ts";
import type { Outcome } from "../../src/task/task.ts";

const RESET = new Date("2026-11-20T12:00:00Z");
const COMPLETED: Outcome = { status: "completed", exitCode: 0, statusInferred: false };
const FAILED: Outcome = { status: "failed", exitCode: 1, statusInferred: false, failure: failureOf("unknown", "why") };
const LIMITED: Outcome = { ...FAILED, failure: { ...failureOf("usage_limit", "limit"), resetsAt: RESET } };
const LOCKED = "Error: failed to open state database: database is locked";

const EVIDENCE: RunEvidence = {
  runs: { startedAt: new Date(0), run: 1, input: "prompt.txt", prompts: 0 },
  isUnstarted: false,
  promptsGiven: 0,
  isInputDue: false,
  lostStarts: 0,
  eventsOfRun: 5,
  stderrTail: "",
  outcome: COMPLETED,
  onUsageLimit: "wait",
};

const TELL: NextStep = { kind: "tell", isDueAgain: false };
const END: NextStep = { kind: "end" };
const CASES: readonly { readonly what: string; readonly evidence: Partial<RunEvidence>; readonly step: NextStep }[] = [
  { what: "a completed run", evidence: {}, step: END },
  { what: "a failed run", evidence: { outcome: FAILED }, step: END },
  { what: "a usage limit", evidence: { outcome: LIMITED }, step: { kind: "wait", resetsAt: RESET } },
  {
    what: "a usage limit under --on-usage-limit fail",
    evidence: { outcome: LIMITED, onUsageLimit: "fail" },
    step: END,
  },
  {
    what: "a usage limit of which nobody knows when it lifts",
    evidence: { outcome: { ...FAILED, failure: failureOf("usage_limit", "credits") } },
    step: END,
  },
  { what: "a prompt that has come meanwhile", evidence: { promptsGiven: 1 }, step: TELL },
  { what: "a prompt and a usage limit", evidence: { promptsGiven: 1, outcome: LIMITED }, step: TELL },
  {
    what: "a prompt that has come before the run's own was heard",
    evidence: { promptsGiven: 1, isInputDue: true },
    step: { kind: "tell", isDueAgain: true },
  },
  {
    what: "a prompt that was given already",
    evidence: { promptsGiven: 1, runs: { ...EVIDENCE.runs, prompts: 1 } },
    step: END,
  },
  {
    what: "a run that was never started",
    evidence: { isUnstarted: true, outcome: { ...FAILED, exitCode: null } },
    step: { kind: "again", pauseMs: 0, isLostStart: false },
  },
  {
    what: "a start that died of shared state",
    evidence: { outcome: FAILED, eventsOfRun: 0, stderrTail: LOCKED },
    step: { kind: "again", pauseMs: 200, isLostStart: true },
  },
  {
    what: "a third one in a row",
    evidence: { outcome: FAILED, eventsOfRun: 0, stderrTail: LOCKED, lostStarts: 2 },
    step: { kind: "again", pauseMs: 3_200, isLostStart: true },
  },
  {
    what: "a fourth one in a row",
    evidence: { outcome: FAILED, eventsOfRun: 0, stderrTail: LOCKED, lostStarts: 3 },
    step: END,
  },
  {
    what: "the same words from a run that had begun to work",
    evidence: { outcome: FAILED, eventsOfRun: 1, stderrTail: LOCKED },
    step: END,
  },
];

for (const { what, evidence, step } of CASES) {
  Deno.test(`nextStep() after ${what}: ${step.kind}`, () => {
    assert.deepEqual(nextStep({ ...EVIDENCE, ...evidence }), step);
  });
}
