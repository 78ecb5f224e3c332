/** Decides how a run ended: from Codex's terminal event, the exit code and the first reason to stop, never from stderr's text. */
import type { Failure, Outcome, Progress, StopReason } from "../task/task.ts";
import { classifyFailure, failureOf } from "./failure.ts";
import { stderrMessage } from "./stderr_message.ts";

/** All that is known about a run whose process is gone, or that never began. */
export interface Evidence {
  /** The task is ended before it had a run. */
  readonly isUnbegun?: boolean;
  readonly progress: Progress;
  /** As a shell gives it: 128 + N after signal N; `null` when nobody could see it. */
  readonly exitCode: number | null;
  /** The end of stderr, at least the last 8 KiB. */
  readonly stderrTail: string;
  readonly stopReason?: StopReason;
  /** Whether the system killed it for want of memory; absent where it was no kill. */
  readonly oom?: "yes" | "no" | "unknown";
  /** The thread that the run was asked to continue. */
  readonly resumeThreadId?: string;
  /** When the run ended. */
  readonly now: Date;
}

/** Signals by number; those on which Linux and macOS differ are left out. */
const SIGNALS = new Map([
  [1, "SIGHUP"],
  [2, "SIGINT"],
  [3, "SIGQUIT"],
  [4, "SIGILL"],
  [5, "SIGTRAP"],
  [6, "SIGABRT"],
  [8, "SIGFPE"],
  [9, "SIGKILL"],
  [11, "SIGSEGV"],
  [13, "SIGPIPE"],
  [14, "SIGALRM"],
  [15, "SIGTERM"],
]);
/** Signals that a program brings on itself. */
const CRASH_SIGNALS: ReadonlySet<number> = new Set([4, 5, 6, 8, 11]);
/** A Rust panic, also Codex's end when nobody reads its stdout any more. */
const PANIC_EXIT_CODE = 101;

/** Tells an exit code in words: `137 (SIGKILL or its own exit 137)`, since a shell can't tell these apart. */
export function describeExitCode(exitCode: number): string {
  if (exitCode === PANIC_EXIT_CODE) return `${exitCode} (Codex panicked)`;
  const signal = SIGNALS.get(exitCode - 128);
  return signal === undefined ? String(exitCode) : `${exitCode} (${signal} or its own exit ${exitCode})`;
}

/** Decides the outcome of a run that is over. */
export function decideOutcome(evidence: Evidence): Outcome {
  const { progress, exitCode, stopReason } = evidence;
  const base = { exitCode, statusInferred: false, ...(stopReason === undefined ? {} : { stopReason }) };
  const wrongThread = wrongThreadFailure(evidence);
  if (wrongThread !== null) return { ...base, status: "failed", failure: wrongThread };

  const hasCompleted = progress.turnCompleted && (progress.turnFailed === null || exitCode === 0);
  if (hasCompleted && exitCode === 0) return { ...base, status: "completed" };
  if (stopReason !== undefined) return { ...base, ...stopped(stopReason, evidence) };
  if (hasCompleted) return { ...base, status: "completed", statusInferred: exitCode === null };
  if (progress.turnFailed !== null) {
    const message = progress.turnFailed || progress.lastError || "Codex gave no reason.";
    const failure = classifyFailure(message, evidence.now);
    return { ...base, status: "failed", statusInferred: exitCode === null, failure };
  }
  if (exitCode === null) {
    const message = "No server could see how the run ended, and Codex wrote no end of the turn.";
    return { ...base, status: "interrupted", failure: failureOf("killed", message) };
  }
  return { ...base, status: "failed", failure: exitFailure(evidence, exitCode) };
}

/** Codex starts a new thread when it does not know the name it is to resume. */
function wrongThreadFailure({ progress, ...asked }: Evidence): Failure | null {
  const resumeThreadId = progress.earlierThreadId ?? asked.resumeThreadId;
  if (resumeThreadId === undefined || progress.threadId === null) return null;
  if (progress.threadId.toLowerCase() === resumeThreadId.toLowerCase()) return null;
  return {
    ...failureOf(
      "invalid_request",
      `Codex was asked to resume thread ${resumeThreadId} but worked in thread ${progress.threadId}.`,
    ),
    action: "Check the thread id, and look at what the other thread has done before another try.",
  };
}

function stopped(reason: StopReason, evidence: Evidence): Pick<Outcome, "status" | "failure"> {
  const { progress } = evidence;
  switch (reason) {
    case "cancelled":
      return { status: "cancelled" };
    case "timeout":
      return { status: "timed_out", failure: failureOf("timeout", "The run was stopped at its time limit.") };
    case "offline": {
      const seen = progress.waitingForNetwork === null ? "" : ` Codex said last: ${progress.waitingForNetwork}`;
      const message = `The model could not be reached for too long; the thread is resumable by thread id.${seen}`;
      return { status: "failed", failure: failureOf("network", message) };
    }
    case "stalled":
      return {
        status: "failed",
        failure: failureOf("timeout", "The run was stopped because nothing moved in it (--stall-action stop)."),
      };
    case "server_exit":
      return withServer("The server ended, and the task was bound to it.", evidence);
    case "server_gone": {
      const message = evidence.isUnbegun === true
        ? "The server was killed before it had started the agent, and the task was bound to it."
        : "The server was gone for too long, and the task was bound to it.";
      return withServer(message, evidence);
    }
  }
}

function withServer(
  message: string,
  { progress, resumeThreadId }: Evidence,
): Pick<Outcome, "status" | "failure"> {
  const threadId = progress.threadId ?? progress.earlierThreadId ?? resumeThreadId;
  const wayOut = threadId !== undefined ? "Resume the thread by its id" : "Start it again";
  const action = `${wayOut}; codex_async starts tasks that outlive the server.`;
  return { status: "interrupted", failure: { ...failureOf("killed", message), action } };
}

/** The process ended by itself, and Codex wrote no end of the turn. */
function exitFailure({ progress, stderrTail, oom, now }: Evidence, exitCode: number): Failure {
  const said = progress.lastError ?? stderrMessage(stderrTail);
  const ended = `Codex ended with exit code ${describeExitCode(exitCode)} and no end of its turn.`;
  const message = said === "" ? ended : `${ended} It said: ${said}`;
  if (exitCode === PANIC_EXIT_CODE || CRASH_SIGNALS.has(exitCode - 128)) return failureOf("codex_crash", message);
  if (exitCode > 128) return failureOf("killed", oom === undefined ? message : `${message} ${oomWords(oom)}`);
  if (progress.lastError !== null) return classifyFailure(progress.lastError, now);
  if (progress.eventsOfRun > 0 || said === "" || exitCode === 0) return failureOf("unknown", message);
  // With an empty stdout Codex never came to work: what it says on stderr is all there is.
  const failure = classifyFailure(said, now);
  return failure.class === "unknown" && exitCode === 2 ? failureOf("invalid_request", said) : failure;
}

function oomWords(oom: "yes" | "no" | "unknown"): string {
  switch (oom) {
    case "yes":
      return "The system ran out of memory meanwhile and killed processes (oom: yes).";
    case "no":
      return "The system did not run out of memory (oom: no).";
    case "unknown":
      return "Whether the system ran out of memory is not known (oom: unknown).";
  }
}

/** What a start looks like that died because other starts held Codex's databases or locks. */
const SHARED_STATE = [
  /database (table )?is locked/i,
  /SQLITE_BUSY/,
  /could not create PATH aliases: .*(would block|temporarily unavailable)/i,
  /(would block|temporarily unavailable) \(os error (11|35)\)/i,
  /failed to (open|initialize|migrate) .*(state|sqlite|database)/i,
];

/** Tells whether a start died of state that it shares with other starts, so that another try helps. */
export function isSharedStateFailure(
  start: { readonly exitCode: number | null; readonly sawEvents: boolean; readonly stderrTail: string },
): boolean {
  if (start.exitCode === null || start.exitCode === 0 || start.sawEvents) return false;
  // A reason of another kind wins over the noise around it.
  const reason = classifyFailure(stderrMessage(start.stderrTail), new Date(0));
  return reason.class === "unknown" && SHARED_STATE.some((pattern) => pattern.test(start.stderrTail));
}
