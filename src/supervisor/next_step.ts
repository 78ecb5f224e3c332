/** What follows a run that is over. Pure. */
import { isSharedStateFailure } from "../codex/outcome.ts";
import type { Outcome, Runs } from "../task/task.ts";

/** A start that dies of shared state is tried again after these pauses. */
const START_RETRY_MS = [200, 800, 3_200];

/** All that decides about what comes next. */
export interface RunEvidence {
  readonly runs: Runs;
  /** Nothing was started: the run was called off before its agent could begin. */
  readonly isUnstarted: boolean;
  /** Further prompts that were given to the task so far. */
  readonly promptsGiven: number;
  /** What the run was given to read is not known to be in the thread. */
  readonly isInputDue: boolean;
  /** Starts in a row that died of shared state, this one aside. */
  readonly lostStarts: number;
  readonly eventsOfRun: number;
  readonly stderrTail: string;
  readonly outcome: Outcome;
  readonly onUsageLimit: "wait" | "fail";
}

export type NextStep =
  | { readonly kind: "end" }
  /** Another run that is given what this one was given, and what has come since. */
  | { readonly kind: "again"; readonly pauseMs: number; readonly isLostStart: boolean }
  /** Another run that is given what has come since, and before it what this one was given if that is due again. */
  | { readonly kind: "tell"; readonly isDueAgain: boolean }
  | { readonly kind: "wait"; readonly resetsAt: Date };

/** Decides what follows a run of a task that nobody has stopped. */
export function nextStep(evidence: RunEvidence): NextStep {
  const { outcome, runs } = evidence;
  if (evidence.isUnstarted) return { kind: "again", pauseMs: 0, isLostStart: false };
  if (evidence.promptsGiven > runs.prompts) return { kind: "tell", isDueAgain: evidence.isInputDue };
  const pauseMs = START_RETRY_MS[evidence.lostStarts];
  const start = { exitCode: outcome.exitCode, sawEvents: evidence.eventsOfRun > 0, stderrTail: evidence.stderrTail };
  if (pauseMs !== undefined && isSharedStateFailure(start)) return { kind: "again", pauseMs, isLostStart: true };
  const { failure } = outcome;
  if (evidence.onUsageLimit === "wait" && failure?.class === "usage_limit" && failure.resetsAt !== undefined) {
    return { kind: "wait", resetsAt: failure.resetsAt };
  }
  return { kind: "end" };
}
