import type { TaskDirectory } from "../storage/task_directory.ts";
import { TaskError } from "../task/errors.ts";
import { type FinishedTask, isFinished, type Task } from "../task/task.ts";
import type { FollowedTask } from "./followed_task.ts";
import type { RunTaskServices } from "./services.ts";

/** How often the task's record is looked at while its bell is silent. */
const LOOK_EVERY_MS = 1_000;

/** `not_running`: nobody is there to be told, or not yet; `stopped`: the task was cancelled, as it may just have been. */
export type NotTold = "not_running" | "stopped";
/** `taken_back`: somebody who was to tell the same has thought better of it. */
export type TellAnswer = "told" | "taken_back" | NotTold;

/** Writes down what the agent of a task is to be told, and gives its number; why nobody can be told where that is so. */
export async function addPrompt(
  { directory, task }: Pick<FollowedTask, "directory" | "task">,
  prompt: string,
): Promise<number | NotTold> {
  // One that has not begun yet cannot be broken off.
  return isFinished(task) || task.state.status === "queued" ? notTold(task) : await directory.addPrompt(prompt);
}

/**
 * Breaks the turn of an agent off, so that the server that drives its task goes on with the prompt of that number.
 * Settles when the agent was told, which may take as long as a usage limit, or cannot be any more. When the signal comes
 * and the prompt is withdrawn, it is taken back, unless a turn may have been broken off for it.
 */
export async function untilTold(
  followed: FollowedTask,
  { number, signal, isWithdrawn }: Telling,
  { runner, bell, closing }: RunTaskServices,
): Promise<TellAnswer> {
  const { directory, task: { id } } = followed;
  const over = AbortSignal.any([signal, closing]);
  let brokenOff = 0;
  let mayHaveBroken = false;
  for (;;) {
    // Before the look, so that nothing is missed after it.
    const rung = bell.next(id, LOOK_EVERY_MS, over);
    const isThere = await directory.readPrompt(number) !== null;
    await followed.reread();
    const { task } = followed;
    const { state } = task;
    if (isTold(task, number)) return "told";
    if (isFinished(task)) return notTold(task);
    if (!isThere) return "taken_back";
    if (signal.aborted) {
      // A run that was broken off is only followed by another one if there is something to tell.
      if (isWithdrawn() && state.status !== "running" && !mayHaveBroken) await directory.removePrompt(number);
      throw signal.reason;
    }
    if (closing.aborted) {
      const message = `Cannot see the agent told: the server is ending. The prompt stays with task ${id}.`;
      throw new TaskError("start_failed", message);
    }
    if (state.status === "running" && state.run !== brokenOff) {
      const { isGone, signals } = await runner.host.interrupt({ directory: directory.path, run: state.run });
      if (isGone) brokenOff = state.run;
      // Without a signal it had ended by itself.
      mayHaveBroken ||= !isGone || signals.length > 0;
      await bell.ring(id);
    }
    await rung;
  }
}

/** A prompt that an agent is to be told. */
export interface Telling {
  readonly number: number;
  /** Nobody waits any more. */
  readonly signal: AbortSignal;
  /** Tells then whether nobody wants the agent to be told any more. */
  readonly isWithdrawn: () => boolean;
}

/** How a task has ended for a prompt of that number. */
export function endedTelling(task: FinishedTask, number: number): TellAnswer {
  return isTold(task, number) ? "told" : notTold(task);
}

function isTold({ state }: Task, number: number): boolean {
  return state.status !== "queued" && state.prompts >= number;
}

/** Why nobody of the task can be told. */
export function notTold({ state: { status } }: Task): NotTold {
  return status === "cancelled" ? "stopped" : "not_running";
}

/** The number of this prompt if a task was given it, and has it still, after the one of that number; `null` when not. */
export async function findPrompt(
  directory: TaskDirectory,
  { prompt, after }: { readonly prompt: string; readonly after: number },
): Promise<number | null> {
  const last = directory.isThere() ? await directory.countPrompts() : 0;
  for (let number = after + 1; number <= last; number++) {
    if (await directory.readPrompt(number) === prompt) return number;
  }
  return null;
}

/** Breaks off the turn of a run that has prompts to come: who brought them may have been killed before doing so. Never rejects. */
export async function heedPrompts(
  { task: { id, state }, directory }: FollowedTask,
  services: RunTaskServices,
): Promise<void> {
  try {
    if (state.status !== "running" || await directory.countPrompts() <= state.prompts) return;
    await services.runner.host.interrupt({ directory: directory.path, run: state.run });
  } catch (error) {
    services.log.warning("an agent could not be told more yet; it is when its turn has ended", { id, error });
  }
}
