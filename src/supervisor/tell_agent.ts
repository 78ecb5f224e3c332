import { TaskError } from "../task/errors.ts";
import { isFinished } from "../task/task.ts";
import type { FollowedTask } from "./followed_task.ts";
import type { RunTaskServices } from "./services.ts";

/** How often the task's record is looked at while its bell is silent. */
const LOOK_EVERY_MS = 1_000;

/**
 * Gives the agent of a task another prompt and breaks its turn off, so that the server that drives the task goes on with
 * it. Tells whether the agent was told; if not, the task has ended and the prompt with it is taken back.
 */
export async function tellAgent(
  followed: FollowedTask,
  prompt: string,
  { runner, bell, closing }: RunTaskServices,
): Promise<boolean> {
  const { directory, task: { id } } = followed;
  // One that has not begun yet cannot be broken off.
  if (isFinished(followed.task) || followed.task.state.status === "queued") return false;
  const number = await directory.addPrompt(prompt);
  const isTold = (): boolean => followed.task.state.status !== "queued" && followed.task.state.prompts >= number;
  for (;;) {
    // Before the look, so that nothing is missed after it.
    const rung = bell.next(id, LOOK_EVERY_MS, closing);
    await followed.reread();
    if (isTold()) return true;
    const { state } = followed.task;
    if (isFinished(followed.task)) {
      await directory.removePrompt(number);
      return false;
    }
    if (closing.aborted) {
      const message = `Cannot see the agent told: the server is ending. The prompt stays with task ${id}.`;
      throw new TaskError("start_failed", message);
    }
    if (state.status === "running") await runner.host.interrupt({ directory: directory.path, run: state.run });
    await bell.ring(id);
    await rung;
  }
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
