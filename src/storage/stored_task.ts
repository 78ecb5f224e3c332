/**
 * The shape of `task.json`. Versions of it are read for ever; a newer one than ours is refused, not guessed at. Every
 * object is a loose one: what a later program adds to this version stays when this one writes the record again.
 */
import * as z from "zod";
import { LIFETIMES, SANDBOX_MODES, SANDBOX_SOURCES, STARTERS } from "../task/spec.ts";
import { FAILURE_CLASSES, FINAL_STATUSES, STOP_REASONS, type Task } from "../task/task.ts";
import { worktreeShape } from "./stored_worktree.ts";

/**
 * The version that this program writes. 1: one run after another only to start again; 2: tasks that wait for a usage
 * limit, and several runs with a mark between them; 3: worktrees.
 */
export const TASK_FORMAT = 3;

const sandboxMode = z.enum(SANDBOX_MODES);
const date = z.coerce.date();

const usage = z.looseObject({
  inputTokens: z.number(),
  cachedInputTokens: z.number(),
  outputTokens: z.number(),
  reasoningOutputTokens: z.number(),
});

const spec = z.looseObject({
  cwd: z.string(),
  worktree: worktreeShape.exactOptional(),
  mergeFirst: z.string().exactOptional(),
  resumeThreadId: z.string().exactOptional(),
  model: z.string().exactOptional(),
  profile: z.string().exactOptional(),
  sandbox: sandboxMode.exactOptional(),
  addDirs: z.array(z.string()),
  writableRoots: z.array(z.string()).exactOptional(),
  network: z.boolean().exactOptional(),
  config: z.record(z.string(), z.unknown()),
  reasoningEffort: z.string().exactOptional(),
  images: z.array(z.string()),
  outputSchema: z.record(z.string(), z.unknown()).exactOptional(),
  baseInstructions: z.string().exactOptional(),
  developerInstructions: z.string().exactOptional(),
  compactPrompt: z.string().exactOptional(),
  mcpServers: z.array(z.string()).exactOptional(),
  envNames: z.array(z.string()),
  timeoutMs: z.number(),
  label: z.string().exactOptional(),
  afterTaskId: z.string().exactOptional(),
  startsAfter: z.looseObject({ tasks: z.array(z.string()), count: z.number() }).exactOptional(),
  startedBy: z.enum(STARTERS).exactOptional(),
  agentLog: z.string().exactOptional(),
  codexHome: z.string().default(""),
  account: z.string().default(""),
  lifetime: z.enum(LIFETIMES),
  effectiveSandbox: z.looseObject({
    mode: sandboxMode,
    source: z.enum(SANDBOX_SOURCES),
    network: z.boolean().nullable(),
  }),
  // The first records had none.
  server: z.looseObject({
    config: z.array(z.string()),
    skipGitRepoCheck: z.boolean(),
    ephemeral: z.boolean(),
    envNames: z.array(z.string()).default([]),
    withheldEnv: z.array(z.string()),
    hasEnvPolicy: z.boolean().default(true),
    disabledMcpServers: z.array(z.string()),
    cwd: z.string().default(""),
  }).default({
    config: [],
    skipGitRepoCheck: false,
    ephemeral: false,
    envNames: [],
    withheldEnv: [],
    hasEnvPolicy: true,
    disabledMcpServers: [],
    cwd: "",
  }),
  notes: z.array(z.string()),
  usageBefore: usage.nullable(),
});

const progress = z.looseObject({
  threadId: z.string().nullable(),
  earlierThreadId: z.string().nullable().default(null),
  turnStarted: z.boolean(),
  lastMessage: z.string().nullable(),
  lastReasoning: z.string().nullable(),
  currentCommand: z.string().nullable(),
  lastCommand: z.looseObject({ command: z.string(), exitCode: z.number().nullable() }).nullable(),
  plan: z.array(z.looseObject({ text: z.string(), completed: z.boolean() })),
  filesChanged: z.array(z.looseObject({ path: z.string(), kind: z.enum(["add", "update", "delete"]) })),
  filesChangedBeyond: z.number(),
  commands: z.number(),
  mcpToolCalls: z.number(),
  webSearches: z.number(),
  subAgents: z.number(),
  usage: usage.nullable(),
  warnings: z.array(z.string()),
  lastError: z.string().nullable(),
  waitingForNetwork: z.string().nullable(),
  turnCompleted: z.boolean(),
  turnFailed: z.string().nullable(),
  events: z.number(),
  eventsOfRun: z.number().default(0),
  hasModelAnswered: z.boolean().default(false),
  unreadableEvents: z.number(),
  unknownEvents: z.number(),
  droppedBytes: z.number().default(0),
});

const outcome = z.looseObject({
  status: z.enum(FINAL_STATUSES),
  exitCode: z.number().nullable(),
  statusInferred: z.boolean(),
  stopReason: z.enum(STOP_REASONS).exactOptional(),
  leftBehind: z.number().exactOptional(),
  work: z.looseObject({
    snapshot: z.string().nullable(),
    commit: z.string().nullable(),
    uncommitted: z.enum(["elsewhere", "under way", "conflicts"]).exactOptional(),
    files: z.number(),
    leftOut: z.array(z.string()),
    notKept: z.array(z.string()),
    problem: z.string().exactOptional(),
  }).exactOptional(),
  failure: z.looseObject({
    class: z.enum(FAILURE_CLASSES),
    message: z.string(),
    retryable: z.boolean(),
    action: z.string(),
    resetsAt: date.exactOptional(),
  }).exactOptional(),
  outputSchemaVerdict: z.looseObject({
    valid: z.boolean(),
    errors: z.array(z.string()),
    unchecked: z.array(z.string()).exactOptional(),
  }).exactOptional(),
});

const runs = {
  startedAt: date,
  run: z.number(),
  input: z.string().default("prompt.txt"),
  prompts: z.number().default(0),
};

const state = z.discriminatedUnion("status", [
  z.looseObject({ status: z.literal("queued") }),
  z.looseObject({ status: z.literal("running"), ...runs }),
  z.looseObject({
    status: z.literal("waiting"),
    ...runs,
    until: date.nullable(),
    isDueAgain: z.boolean().default(false),
  }),
  z.looseObject({
    status: z.enum(FINAL_STATUSES),
    startedAt: date.nullable(),
    endedAt: date,
    run: z.number(),
    prompts: z.number().default(0),
    outcome,
    hasAnswer: z.literal(false).exactOptional(),
    progress,
  }),
]);

const storedTask = z.looseObject({
  format: z.number().min(1).max(TASK_FORMAT),
  id: z.string(),
  createdAt: date,
  repository: z.string(),
  depth: z.number(),
  spec,
  state,
});

/** A task as text. */
export function serializeTask(task: Task): string {
  return `${JSON.stringify({ format: TASK_FORMAT, ...task }, null, 2)}\n`;
}

/** Reads a task from text. Throws with the reason when it is none, or is of a newer format. */
export function parseTask(text: string): Task {
  const json: unknown = JSON.parse(text);
  const head = z.looseObject({ format: z.number() }).safeParse(json);
  if (head.success && head.data.format > TASK_FORMAT) {
    throw new Error(`format ${head.data.format} is newer than this program's ${TASK_FORMAT}: update codex-swarm`);
  }
  const { format: _format, ...task } = storedTask.parse(json);
  return task;
}
