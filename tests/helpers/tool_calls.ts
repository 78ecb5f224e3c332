/** What a tool is handed, for tests that call its parts without a server; each value can be replaced. */
import type { CodexProbe } from "../../src/codex/probe.ts";
import type { PlannedTask } from "../../src/supervisor/planned_task.ts";
import type { Task } from "../../src/task/task.ts";
import { SharedAnswers } from "../../src/tools/shared_answers.ts";
import type { ToolCall, ToolServices } from "../../src/tools/tool.ts";
import { SPEC } from "./example_spec.ts";

const PROBE: CodexProbe = {
  path: "/codex",
  binary: "/codex",
  foundIn: "PATH",
  isNpmLauncher: false,
  isIndirect: false,
  version: "0.169.0",
  flags: ["--cd", "--json"],
  resumeFlags: [],
  hasResume: true,
};

/** A task that was just written down. */
export const TASK: Task = {
  id: "0123abcd",
  createdAt: new Date(0),
  repository: "/repository/.git",
  depth: 0,
  spec: {
    ...SPEC,
    cwd: "/repository",
    effectiveSandbox: { mode: "read-only", source: "call", network: null },
    notes: ["a note"],
  },
  state: { status: "queued" },
};

/** What {@linkcode TASK} is started with. */
export const PLANNED: PlannedTask = {
  spec: TASK.spec,
  files: { prompt: "" },
  env: {},
  repository: TASK.repository,
  depth: 0,
  probe: PROBE,
};

/** A call that nobody cancels. */
export function toolCall(replaced: Partial<ToolCall> = {}): ToolCall {
  return {
    signal: new AbortController().signal,
    ending: new AbortController().signal,
    interruption: () => "cancelled",
    answerChars: 1_000,
    waitMs: 1_000,
    callerThreadId: null,
    repository: () => Promise.resolve("/repository/.git"),
    report: () => Promise.resolve(),
    handle: null,
    ...replaced,
  };
}

/** A supervisor that starts {@linkcode TASK}, and refuses all else that is not replaced. */
export function toolServices(
  supervisor: Partial<ToolServices["supervisor"]>,
  errors: string[] = [],
  agents: Partial<ToolServices["agents"]> = {},
): ToolServices {
  const refuse = (): Promise<never> => Promise.reject(new Error("refused"));
  const note = (message: string): void => void errors.push(message);
  const start = supervisor.start ?? ((): Promise<Task> => Promise.resolve(TASK));
  return {
    supervisor: {
      start,
      startAll: (planned) => Promise.allSettled(planned.map((one) => start(one))),
      newId: () => TASK.id,
      find: refuse,
      countPrompts: refuse,
      findPrompt: refuse,
      view: refuse,
      list: refuse,
      ended: refuse,
      addPrompt: refuse,
      untilTold: refuse,
      removePrompt: refuse,
      stop: refuse,
      markRead: refuse,
      ...supervisor,
    },
    work: {
      diff: refuse,
      merge: refuse,
      find: refuse,
      forecast: () => Promise.resolve(new Map()),
      restore: refuse,
      cleanup: refuse,
    },
    requests: { nameOf: refuse, lock: refuse, read: refuse, write: refuse, remove: refuse },
    plan: () => Promise.resolve(PLANNED),
    minWaitMs: 0,
    cwd: "/repository",
    agents: { cwd: null, logDir: "/dev/null", timeoutMs: 1_000, model: null, reasoningEffort: null, ...agents },
    lists: new SharedAnswers(),
    log: { debug: note, info: note, warning: note, error: note },
  };
}
