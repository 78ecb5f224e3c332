import type { TaskDirectory } from "../storage/task_directory.ts";
import { TaskError } from "../task/errors.ts";
import { isFinished, type Task } from "../task/task.ts";
import type { FollowedTask } from "./followed_task.ts";
import type { RunTaskServices } from "./services.ts";

/** How often the task's record is looked at while its bell is silent. */
const LOOK_EVERY_MS = 1_000;

/** `not_running`: nobody is there to be told, or not yet; `stopped`: the task was cancelled, as it may just have been. */
export type TellAnswer = "told" | "not_running" | "stopped";

/**
 * Gives the agent of a task another prompt and breaks its turn off, so that the server that drives the task goes on with
 * it. Settles when the agent was told, which may take as long as a usage limit, or cannot be any more. When the signal
 * comes the prompt is taken back, unless a turn may have been broken off for it.
 */
export async function tellAgent(
  followed: FollowedTask,
  { prompt, signal }: { readonly prompt: string; readonly signal: AbortSignal },
  { runner, bell, closing }: RunTaskServices,
): Promise<TellAnswer> {
  const { directory, task: { id } } = followed;
  signal.throwIfAborted();
  // One that has not begun yet cannot be broken off.
  if (isFinished(followed.task) || followed.task.state.status === "queued") return notTold(followed.task);
  const number = await directory.addPrompt(prompt);
  const isTold = (): boolean => followed.task.state.status !== "queued" && followed.task.state.prompts >= number;
  const over = AbortSignal.any([signal, closing]);
  let brokenOff = 0;
  let mayHaveBroken = false;
  for (;;) {
    // Before the look, so that nothing is missed after it.
    const rung = bell.next(id, LOOK_EVERY_MS, over);
    await followed.reread();
    if (isTold()) return "told";
    const { state } = followed.task;
    if (isFinished(followed.task)) {
      await directory.removePrompt(number);
      return notTold(followed.task);
    }
    if (signal.aborted) {
      // A run that was broken off is only followed by another one if there is something to tell.
      if (state.status !== "running" && !mayHaveBroken) await directory.removePrompt(number);
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

/** Why nobody of the task can be told. */
export function notTold({ state: { status } }: Task): TellAnswer {
  return status === "cancelled" ? "stopped" : "not_running";
}

/** Tells whether a task was given this prompt, and has it still, after the one of that number. */
export async function wasTold(
  directory: TaskDirectory,
  { prompt, after }: { readonly prompt: string; readonly after: number },
): Promise<boolean> {
  const last = directory.isThere() ? await directory.countPrompts() : 0;
  for (let number = after + 1; number <= last; number++) {
    if (await directory.readPrompt(number) === prompt) return true;
  }
  return false;
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
