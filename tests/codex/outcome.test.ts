import assert from "node:assert/strict";
import { join } from "node:path";
import { classifyFailure, failureOf } from "../../src/codex/failure.ts";
import { decideOutcome, describeExitCode, isSharedStateFailure } from "../../src/codex/outcome.ts";
import { parseEvent } from "../../src/codex/parse_events.ts";
import { addEvent, emptyProgress } from "../../src/task/progress.ts";
import type { FailureClass, FinalStatus, Outcome, Progress, StopReason } from "../../src/task/task.ts";

const NOW = new Date(2026, 10, 20, 12, 0);
const THREAD = "01a1f744-634e-71b1-a39a-93788d7eea39";
const STARTED: Progress = { ...emptyProgress(), threadId: THREAD, turnStarted: true, events: 2, eventsOfRun: 2 };
const COMPLETED: Progress = { ...STARTED, turnCompleted: true };
const FAILED: Progress = { ...STARTED, turnFailed: "Connection failed: error sending request" };
const BOTH: Progress = { ...FAILED, turnCompleted: true };

interface Row {
  readonly name: string;
  readonly progress: Progress;
  readonly exitCode: number | null;
  readonly stderrTail?: string;
  readonly stopReason?: StopReason;
  readonly resumeThreadId?: string;
  readonly isUnbegun?: boolean;
  readonly status: FinalStatus;
  readonly isInferred?: boolean;
  readonly failure?: FailureClass;
  readonly message?: RegExp;
  readonly action?: RegExp;
}

const table: readonly Row[] = [
  { name: "a completed turn, exit 0", progress: COMPLETED, exitCode: 0, status: "completed" },
  { name: "a completed turn, exit 1", progress: COMPLETED, exitCode: 1, status: "completed" },
  {
    name: "a completed turn, no exit code",
    progress: COMPLETED,
    exitCode: null,
    status: "completed",
    isInferred: true,
  },
  {
    name: "a turn that completed while it was cancelled",
    progress: COMPLETED,
    exitCode: 0,
    stopReason: "cancelled",
    status: "completed",
  },
  {
    name: "a completed turn that was killed for its time limit",
    progress: COMPLETED,
    exitCode: 137,
    stopReason: "timeout",
    status: "timed_out",
    failure: "timeout",
  },
  { name: "a failed turn, exit 1", progress: FAILED, exitCode: 1, status: "failed", failure: "network" },
  { name: "a failed turn, exit 0", progress: FAILED, exitCode: 0, status: "failed", failure: "network" },
  {
    name: "a failed turn, no exit code",
    progress: FAILED,
    exitCode: null,
    status: "failed",
    isInferred: true,
    failure: "network",
  },
  {
    name: "a failed turn without a message",
    progress: { ...FAILED, turnFailed: "" },
    exitCode: 1,
    status: "failed",
    failure: "unknown",
    message: /gave no reason/,
  },
  { name: "both ends, exit 0", progress: BOTH, exitCode: 0, status: "completed" },
  { name: "both ends, exit 1", progress: BOTH, exitCode: 1, status: "failed", failure: "network" },
  {
    name: "both ends, no exit code",
    progress: BOTH,
    exitCode: null,
    status: "failed",
    isInferred: true,
    failure: "network",
  },
  { name: "a cancelled run", progress: STARTED, exitCode: 1, stopReason: "cancelled", status: "cancelled" },
  {
    name: "a cancelled run nobody saw end",
    progress: STARTED,
    exitCode: null,
    stopReason: "cancelled",
    status: "cancelled",
  },
  {
    name: "a run offline for too long",
    progress: { ...STARTED, waitingForNetwork: "Reconnecting... waiting for network (x)" },
    exitCode: 1,
    stopReason: "offline",
    status: "failed",
    failure: "network",
    message: /resumable by thread id.*waiting for network \(x\)/,
  },
  {
    name: "a run that ended with its server",
    progress: STARTED,
    exitCode: 143,
    stopReason: "server_exit",
    status: "interrupted",
    failure: "killed",
  },
  {
    name: "a run whose server was gone",
    progress: STARTED,
    exitCode: 143,
    stopReason: "server_gone",
    status: "interrupted",
    failure: "killed",
    message: /^The server was gone for too long/,
    action: /^Resume the thread by its id;/,
  },
  {
    name: "a task whose server was killed while it was queued",
    progress: emptyProgress(),
    exitCode: null,
    stopReason: "server_gone",
    isUnbegun: true,
    status: "interrupted",
    failure: "killed",
    message: /^The server was killed before it had started the agent/,
    action: /^Start it again;/,
  },
  {
    name: "a reply whose server was killed while it was queued",
    progress: emptyProgress(),
    exitCode: null,
    stopReason: "server_gone",
    isUnbegun: true,
    resumeThreadId: THREAD,
    status: "interrupted",
    failure: "killed",
    action: /^Resume the thread by its id;/,
  },
  {
    name: "exit 0 without an end",
    progress: { ...STARTED, lastMessage: "done" },
    exitCode: 0,
    status: "failed",
    failure: "unknown",
    message: /exit code 0 and no end of its turn/,
  },
  { name: "exit 0 without anything", progress: emptyProgress(), exitCode: 0, status: "failed", failure: "unknown" },
  { name: "no exit code, no end", progress: STARTED, exitCode: null, status: "interrupted", failure: "killed" },
  {
    name: "SIGKILL from elsewhere",
    progress: STARTED,
    exitCode: 137,
    status: "failed",
    failure: "killed",
    message: /137 \(SIGKILL or its own exit 137\)/,
  },
  { name: "a segmentation fault", progress: STARTED, exitCode: 139, status: "failed", failure: "codex_crash" },
  {
    name: "a panic",
    progress: STARTED,
    exitCode: 101,
    stderrTail: "thread 'main' panicked at stdio.rs:1:\nfailed printing to stdout: Broken pipe",
    status: "failed",
    failure: "codex_crash",
    message: /Broken pipe/,
  },
  {
    name: "an unexplained exit in mid-turn, whatever stderr says",
    progress: STARTED,
    exitCode: 1,
    stderrTail: "Error: unexpected status 401 Unauthorized",
    status: "failed",
    failure: "unknown",
    message: /exit code 1 and no end of its turn/,
  },
  {
    name: "an exit after an error event",
    progress: { ...STARTED, lastError: "Quota exceeded. Check your plan and billing details." },
    exitCode: 1,
    status: "failed",
    failure: "usage_limit",
  },
  {
    name: "no repository",
    progress: emptyProgress(),
    exitCode: 1,
    stderrTail: "Not inside a trusted directory and --skip-git-repo-check was not specified.\n",
    status: "failed",
    failure: "invalid_request",
    message: /^Not inside a trusted directory/,
  },
  {
    name: "an unknown thread",
    progress: emptyProgress(),
    exitCode: 1,
    stderrTail: `Error: thread/resume failed: no rollout found for thread id ${THREAD} (code -32600)\n`,
    status: "failed",
    failure: "invalid_request",
    message: /^thread\/resume failed: no rollout found/,
  },
  {
    name: "a refused argument",
    progress: emptyProgress(),
    exitCode: 2,
    stderrTail: "error: something new\n",
    status: "failed",
    failure: "invalid_request",
    message: /^error: something new$/,
  },
  {
    name: "another thread than the one asked for",
    progress: { ...COMPLETED, threadId: "other" },
    exitCode: 0,
    resumeThreadId: THREAD,
    status: "failed",
    failure: "invalid_request",
    message: new RegExp(`${THREAD}.*other`),
  },
  {
    name: "the thread asked for",
    progress: COMPLETED,
    exitCode: 0,
    resumeThreadId: THREAD.toUpperCase(),
    status: "completed",
  },
];

for (const row of table) {
  Deno.test(`decideOutcome() calls ${row.name} ${row.status}`, () => {
    const outcome = decideOutcome({
      progress: row.progress,
      exitCode: row.exitCode,
      stderrTail: row.stderrTail ?? "",
      now: NOW,
      ...(row.stopReason === undefined ? {} : { stopReason: row.stopReason }),
      ...(row.resumeThreadId === undefined ? {} : { resumeThreadId: row.resumeThreadId }),
      ...(row.isUnbegun === undefined ? {} : { isUnbegun: row.isUnbegun }),
    });
    assert.deepEqual(
      {
        status: outcome.status,
        exitCode: outcome.exitCode,
        isInferred: outcome.statusInferred,
        stopReason: outcome.stopReason,
        failure: outcome.failure?.class,
      },
      {
        status: row.status,
        exitCode: row.exitCode,
        isInferred: row.isInferred ?? false,
        stopReason: row.stopReason,
        failure: row.failure,
      },
    );
    if (row.message !== undefined) assert.match(outcome.failure?.message ?? "", row.message);
    if (row.action !== undefined) assert.match(outcome.failure?.action ?? "", row.action);
  });
}

const recordings: readonly (readonly [name: string, exitCode: number | null, outcome: Outcome])[] = [
  ["hello", 0, { status: "completed", exitCode: 0, statusInferred: false }],
  ["cut_recover", 0, { status: "completed", exitCode: 0, statusInferred: false }],
  [
    "conn_refused",
    null,
    {
      status: "interrupted",
      exitCode: null,
      statusInferred: false,
      failure: failureOf("killed", "No server could see how the run ended, and Codex wrote no end of the turn."),
    },
  ],
  [
    "usage_limit",
    1,
    {
      status: "failed",
      exitCode: 1,
      statusInferred: false,
      failure: {
        ...failureOf(
          "usage_limit",
          "You’ve hit your usage limit. Visit https://chatgpt.com/settings/usage to purchase more credits or try again at 6:40 PM.",
        ),
        resetsAt: new Date(2026, 10, 20, 18, 40),
      },
    },
  ],
  [
    "http401",
    1,
    {
      status: "failed",
      exitCode: 1,
      statusInferred: false,
      failure: failureOf(
        "authentication",
        "unexpected status 401 Unauthorized: mock HTTP 401, url: http://127.0.0.1:18080/v1/responses",
      ),
    },
  ],
  [
    "incomplete",
    1,
    {
      status: "failed",
      exitCode: 1,
      statusInferred: false,
      failure: classifyFailure("Incomplete response returned, reason: max_output_tokens", NOW),
    },
  ],
];

for (const [name, exitCode, expected] of recordings) {
  Deno.test(`decideOutcome() judges the recording ${name}`, () => {
    const file = join(import.meta.dirname ?? "", `../fixtures/events/0.169.0/${name}.jsonl`);
    const lines = Deno.readTextFileSync(file).split("\n").filter((line) => line !== "");
    const progress = lines.map(parseEvent).reduce(addEvent, emptyProgress());
    assert.deepEqual(decideOutcome({ progress, exitCode, stderrTail: "", now: NOW }), expected);
  });
}

const exitCodes: readonly (readonly [exitCode: number, text: string])[] = [
  [0, "0"],
  [1, "1"],
  [101, "101 (Codex panicked)"],
  [130, "130 (SIGINT or its own exit 130)"],
  [137, "137 (SIGKILL or its own exit 137)"],
  [143, "143 (SIGTERM or its own exit 143)"],
  [200, "200"],
];

for (const [exitCode, text] of exitCodes) {
  Deno.test(`describeExitCode() tells ${exitCode}`, () => assert.equal(describeExitCode(exitCode), text));
}

const LOCKED =
  "Error: failed to initialize state runtime: error returned from database: (code: 5) database is locked\n";
const ALIASES = "WARNING: proceeding, even though we could not create PATH aliases: operation would block\n";

const starts: readonly {
  readonly name: string;
  readonly exitCode: number | null;
  readonly sawEvents: boolean;
  readonly stderrTail: string;
  readonly isShared: boolean;
}[] = [
  { name: "a locked database", exitCode: 1, sawEvents: false, stderrTail: LOCKED, isShared: true },
  { name: "a held PATH alias lock", exitCode: 1, sawEvents: false, stderrTail: ALIASES, isShared: true },
  { name: "a locked database in mid-turn", exitCode: 1, sawEvents: true, stderrTail: LOCKED, isShared: false },
  { name: "a run that ended well", exitCode: 0, sawEvents: false, stderrTail: LOCKED, isShared: false },
  { name: "a run nobody saw end", exitCode: null, sawEvents: false, stderrTail: LOCKED, isShared: false },
  {
    name: "a missing repository beside the noise",
    exitCode: 1,
    sawEvents: false,
    stderrTail: `${ALIASES}Not inside a trusted directory and --skip-git-repo-check was not specified.\n`,
    isShared: false,
  },
  { name: "an unknown reason", exitCode: 1, sawEvents: false, stderrTail: "Error: no\n", isShared: false },
];

for (const { name, isShared, ...start } of starts) {
  Deno.test(`isSharedStateFailure() is ${isShared} for ${name}`, () => {
    assert.equal(isSharedStateFailure(start), isShared);
  });
}
