/** Folds Codex's events into what a task shows while it runs. Pure, and bounded however long the run. */
import type { CodexEvent, CodexItem, FileChange } from "./event.ts";
import type { Progress } from "./task.ts";

/** Characters kept of a reasoning summary (its end) and of a command (its start). */
export const MAX_TEXT_LENGTH = 2_000;
/** Warnings kept, the newest ones, and characters of each. */
export const MAX_WARNINGS = 10;
export const MAX_WARNING_LENGTH = 500;
/** Changed paths kept by name, the first ones; the rest is in {@linkcode Progress.filesChangedBeyond}. */
export const MAX_FILES_CHANGED = 1_000;
/** Longest path kept by name, in characters: no system has longer ones. */
export const MAX_PATH_LENGTH = 4_096;
/** Plan steps kept, and characters of each. */
export const MAX_PLAN_STEPS = 100;
export const MAX_STEP_LENGTH = 500;

/** Makes the progress of a task of which nothing has been seen. */
export function emptyProgress(): Progress {
  return {
    threadId: null,
    earlierThreadId: null,
    turnStarted: false,
    lastMessage: null,
    lastReasoning: null,
    currentCommand: null,
    lastCommand: null,
    plan: [],
    filesChanged: [],
    filesChangedBeyond: 0,
    commands: 0,
    mcpToolCalls: 0,
    webSearches: 0,
    subAgents: 0,
    usage: null,
    warnings: [],
    waitingForNetwork: null,
    lastError: null,
    turnCompleted: false,
    turnFailed: null,
    events: 0,
    eventsOfRun: 0,
    hasModelAnswered: false,
    unreadableEvents: 0,
    unknownEvents: 0,
    droppedBytes: 0,
  };
}

/** Adds one event. Constant cost, except for file changes. */
export function addEvent(progress: Progress, event: CodexEvent): Progress {
  const counted: Progress = { ...progress, events: progress.events + 1, eventsOfRun: progress.eventsOfRun + 1 };
  switch (event.type) {
    case "run_started":
      return nextRun(progress);
    case "thread_started":
      return { ...counted, threadId: event.threadId };
    case "turn_started":
      return { ...counted, turnStarted: true, waitingForNetwork: null };
    case "item":
      // A warning proves no connection: "Falling back from WebSockets" comes in the middle of an outage.
      return addItem(
        event.item.kind === "warning" ? counted : { ...counted, waitingForNetwork: null, hasModelAnswered: true },
        event.phase,
        event.item,
      );
    case "notice":
      return isReconnecting(event.message)
        ? { ...counted, waitingForNetwork: start(event.message) }
        : { ...counted, lastError: start(event.message) };
    case "turn_completed":
      return { ...closed(counted), turnCompleted: true, hasModelAnswered: true, usage: event.usage ?? counted.usage };
    case "turn_failed":
      return { ...closed(counted), turnFailed: event.message };
    case "unknown":
      return { ...counted, unknownEvents: counted.unknownEvents + 1 };
    case "unreadable":
      return { ...counted, unreadableEvents: counted.unreadableEvents + 1 };
  }
}

/** What the last run has seen of its turn says nothing about the next one. */
function nextRun(progress: Progress): Progress {
  return {
    ...closed(progress),
    earlierThreadId: progress.threadId ?? progress.earlierThreadId,
    turnStarted: false,
    turnCompleted: false,
    turnFailed: null,
    lastError: null,
    eventsOfRun: 0,
    hasModelAnswered: false,
  };
}

/** Tells whether a notice says that Codex tries to reach its model again. */
function isReconnecting(notice: string): boolean {
  return /^Reconnecting(\.\.\.|…)/.test(notice);
}

type Phase = Extract<CodexEvent, { type: "item" }>["phase"];

function addItem(progress: Progress, phase: Phase, item: CodexItem): Progress {
  const isCompleted = phase === "completed";
  switch (item.kind) {
    case "agent_message":
      return { ...progress, lastMessage: item.text };
    case "reasoning":
      return { ...progress, lastReasoning: end(item.text) };
    case "command": {
      const command = start(item.command);
      if (!isCompleted) return { ...progress, currentCommand: command };
      return {
        ...progress,
        // Of several commands at once only the last started one is shown; the end of another does not hide it.
        currentCommand: progress.currentCommand === command ? null : progress.currentCommand,
        lastCommand: { command, exitCode: item.exitCode },
        commands: progress.commands + 1,
      };
    }
    case "file_change":
      return isCompleted && item.status === "completed" ? addChanges(progress, item.changes) : progress;
    case "mcp_tool_call":
      return isCompleted ? { ...progress, mcpToolCalls: progress.mcpToolCalls + 1 } : progress;
    case "sub_agent":
      return isCompleted && item.tool === "spawn_agent"
        ? { ...progress, subAgents: progress.subAgents + Math.max(1, item.threadIds.length) }
        : progress;
    case "web_search":
      return isCompleted ? { ...progress, webSearches: progress.webSearches + 1 } : progress;
    case "plan":
      return {
        ...progress,
        plan: item.steps.slice(0, MAX_PLAN_STEPS).map((step) => ({ ...step, text: start(step.text, MAX_STEP_LENGTH) })),
      };
    case "warning":
      return {
        ...progress,
        warnings: [...progress.warnings, start(item.message, MAX_WARNING_LENGTH)].slice(-MAX_WARNINGS),
      };
    case "other":
      return { ...progress, unknownEvents: progress.unknownEvents + 1 };
  }
}

/** What a turn's end makes untrue. */
function closed(progress: Progress): Progress {
  return { ...progress, currentCommand: null, waitingForNetwork: null };
}

function addChanges(progress: Progress, changes: readonly FileChange[]): Progress {
  const kinds = new Map(progress.filesChanged.map((change) => [change.path, change.kind]));
  let beyond = progress.filesChangedBeyond;
  for (const { path, kind } of changes) {
    const before = kinds.get(path);
    if (before !== undefined) kinds.set(path, before === "add" && kind === "update" ? "add" : kind);
    else if (kinds.size < MAX_FILES_CHANGED && path.length <= MAX_PATH_LENGTH) kinds.set(path, kind);
    else beyond++;
  }
  const filesChanged = [...kinds].map(([path, kind]) => ({ path, kind }));
  return { ...progress, filesChanged, filesChangedBeyond: beyond };
}

function start(text: string, maxLength = MAX_TEXT_LENGTH): string {
  return text.length <= maxLength ? text : text.slice(0, maxLength).toWellFormed();
}

function end(text: string): string {
  return text.length <= MAX_TEXT_LENGTH ? text : text.slice(-MAX_TEXT_LENGTH);
}
