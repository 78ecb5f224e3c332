/** The only ways in which a task's state changes. A finished task never changes again. */
import { type FinishedTask, isFinished, type Outcome, type Progress, type Task } from "./task.ts";

/** Makes the task run: its first run, or the next one after a start that failed or a wait. */
export function startRun(task: Task, options: { readonly at: Date; readonly run: number }): Task {
  if (isFinished(task)) throw new Error(`task ${task.id} has ended and cannot run again`);
  const startedAt = task.state.status === "running" ? task.state.startedAt : options.at;
  return { ...task, state: { status: "running", startedAt, run: options.run } };
}

/** Ends the task. The whole answer stands in its own file, so that the record stays small. */
export function finish(
  task: Task,
  ending: { readonly at: Date; readonly outcome: Outcome; readonly progress: Progress },
): FinishedTask {
  if (isFinished(task)) return task;
  return {
    ...task,
    state: {
      status: ending.outcome.status,
      startedAt: task.state.status === "running" ? task.state.startedAt : null,
      endedAt: ending.at,
      run: task.state.status === "running" ? task.state.run : 0,
      outcome: ending.outcome,
      progress: { ...ending.progress, lastMessage: null, currentCommand: null },
    },
  };
}
