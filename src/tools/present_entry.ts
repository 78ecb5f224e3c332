import { failureCategory } from "../codex/failure_category.ts";
import { isFinished, type Task } from "../task/task.ts";
import { elapsedSeconds, isExitCodeLost, recordedStatus } from "./task_facts.ts";

/** A task in codex-mcp-swarm's list of tasks. */
export function taskEntry(task: Task, now: Date): Record<string, unknown> {
  const entry = {
    task_id: task.id,
    status: recordedStatus(task, now),
    elapsed_seconds: elapsedSeconds(task, now),
    ...(task.spec.label === undefined ? {} : { label: task.spec.label }),
    ...worktreeEntry(task),
  };
  if (!isFinished(task)) return { ...entry, ...threadEntry(task.spec.resumeThreadId ?? null) };
  const { outcome, progress } = task.state;
  const { failure } = outcome;
  return {
    ...entry,
    ...threadEntry(progress.threadId ?? task.spec.resumeThreadId ?? null),
    exit_code: outcome.exitCode,
    exit_code_lost: isExitCodeLost(task.state),
    status_inferred: outcome.statusInferred,
    ...(failure === undefined ? {} : {
      model: task.spec.model ?? null,
      failure_cause: failure.message,
      failure_category: failureCategory(failure),
      retryable: failure.retryable,
      failure_action: failure.action,
    }),
  };
}

function worktreeEntry({ spec: { worktree } }: Task): Record<string, string> {
  return worktree === undefined ? {} : { worktree_path: worktree.path, worktree_branch: worktree.branch };
}

function threadEntry(threadId: string | null): { readonly thread_id?: string } {
  return threadId === null ? {} : { thread_id: threadId };
}
