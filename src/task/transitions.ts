/** The only ways in which a task's state changes. A finished task never changes again. */
import { type FinishedTask, isFinished, type Outcome, type Progress, type Runs, type Task } from "./task.ts";

/** Makes the task run: its first run, or the next one. */
export function startRun(
  task: Task,
  { at, ...runs }: { readonly at: Date } & Omit<Runs, "startedAt">,
): Task {
  return { ...task, state: { status: "running", startedAt: runsOf(task)?.startedAt ?? at, ...runs } };
}

/** Takes back the start of a run of which nothing was started: `before` is the task as it was. */
export function unstartRun(task: Task, before: Task): Task {
  return isFinished(task) ? task : { ...task, state: before.state };
}

/** Makes the task wait for its next run, after one that is over. */
export function awaitRun(
  task: Task,
  next: { readonly until: Date | null; readonly isDueAgain: boolean },
): Task {
  const runs = runsOf(task);
  if (runs === null) throw new Error(`task ${task.id} has not run yet and cannot wait for a further run`);
  return { ...task, state: { status: "waiting", ...runs, ...next } };
}

/** Ends the task. The whole answer stands in its own file, so that the record stays small. */
export function finish(
  task: Task,
  { at, outcome, progress, mayHaveAnswer = progress.lastMessage !== null }: {
    readonly at: Date;
    readonly outcome: Outcome;
    readonly progress: Progress;
    /** Default: what the progress says. */
    readonly mayHaveAnswer?: boolean;
  },
): FinishedTask {
  if (isFinished(task)) return task;
  const runs = runsOf(task);
  return {
    ...task,
    state: {
      status: outcome.status,
      startedAt: runs?.startedAt ?? null,
      endedAt: at,
      run: runs?.run ?? 0,
      prompts: runs?.prompts ?? 0,
      outcome,
      ...(mayHaveAnswer ? {} : { hasAnswer: false }),
      progress: { ...progress, lastMessage: null, currentCommand: null },
    },
  };
}

/** The runs of a task so far; `null` before the first one. Throws for a task that has ended. */
function runsOf(task: Task): Runs | null {
  if (isFinished(task)) throw new Error(`task ${task.id} has ended and cannot run again`);
  const { state } = task;
  if (state.status !== "running" && state.status !== "waiting") return null;
  return { startedAt: state.startedAt, run: state.run, input: state.input, prompts: state.prompts };
}
