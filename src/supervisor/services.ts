/** What the parts of the supervisor share. */
import type { CodexProbe } from "../codex/probe.ts";
import type { CodexRunner } from "../codex/run_codex.ts";
import type { Log } from "../log.ts";
import type { Bell } from "../storage/bell.ts";
import type { TaskIndex } from "../storage/task_index.ts";
import type { Task } from "../task/task.ts";
import type { ColdStart } from "./cold_start.ts";
import type { Slots } from "./slots.ts";
import type { UsageLimits } from "./usage_limits.ts";
import type { Worktrees } from "../work/worktrees.ts";

/** What ending a task needs. */
export interface EndTaskServices {
  readonly bell: Bell;
  readonly index: TaskIndex;
  readonly log: Log;
  readonly now: () => Date;
  /** Aborted when the server ends: nothing is started from then on. */
  readonly closing: AbortSignal;
}

/** What running tasks needs. */
export interface RunTaskServices extends EndTaskServices {
  readonly runner: CodexRunner;
  /** The environment of every agent, the call's own variables aside, and which of its names were given with `--env`. */
  readonly env: Readonly<Record<string, string>>;
  readonly givenEnvNames: ReadonlySet<string>;
  /** CODEX_HOME of agents whose call names no other. */
  readonly codexHome: string;
  readonly coldStart: ColdStart;
  readonly slots: Slots;
  readonly worktrees: Worktrees;
  readonly usageLimits: UsageLimits;
  readonly onUsageLimit: "wait" | "fail";
  /** Finds the installed Codex, for tasks that other servers have planned. */
  readonly probe: () => Promise<CodexProbe>;
  /** Gives a task when it has ended, or rejects with the signal's reason; `null` at once for one that is not known. */
  readonly ended: (taskId: string, signal: AbortSignal) => Promise<Task | null>;
}
