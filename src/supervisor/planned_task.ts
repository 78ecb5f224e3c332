import type { TaskFiles } from "../storage/task_directory.ts";
import type { TaskSpec } from "../task/spec.ts";
import type { PlannedWorktree } from "./plan_worktree.ts";
import type { Runnable } from "./start_run.ts";

/** A task that is ready to be written down and queued. */
export interface PlannedTask extends Runnable {
  readonly spec: TaskSpec;
  readonly files: TaskFiles;
  /** The agent works in one of its own. */
  readonly worktree?: PlannedWorktree;
  readonly repository: string;
  readonly depth: number;
}
