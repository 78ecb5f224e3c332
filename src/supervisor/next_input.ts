import type { TaskDirectory } from "../storage/task_directory.ts";
import type { FollowedTask } from "./followed_task.ts";
import type { NextRun } from "./start_run.ts";

/** What an agent is told whose usage limit has lifted. */
const CONTINUE = "The usage limit that stopped you has lifted. Go on where you left off.";

/**
 * Puts together what the next run is given: all prompts that have come meanwhile, and before them what the last run was
 * given if that is due again. `null` when it was due for a prompt only, and that was taken back.
 */
export async function nextInput({ task, directory, progress }: FollowedTask): Promise<Omit<NextRun, "slot"> | null> {
  const { state } = task;
  if (state.status !== "waiting") return { run: 1, input: "prompt.txt", prompts: 0 };
  const { isDueAgain } = state;
  const run = state.run + 1;
  // Not fewer than before, although the last of them may have been taken back in the moment that it was told.
  const prompts = Math.max(state.prompts, await directory.countPrompts());
  if (isDueAgain && prompts === state.prompts) return { run, input: state.input, prompts };
  const parts: string[] = isDueAgain ? [await directory.readInput(state.input)] : [];
  for (let number = state.prompts + 1; number <= prompts; number++) {
    const prompt = await directory.readPrompt(number);
    if (prompt !== null) parts.push(prompt);
  }
  if (parts.length === 0 && state.until === null) return null;
  // Without a thread the agent knows of nothing that it could go on with.
  if (parts.length === 0) parts.push(progress.threadId === null ? await directory.readInput("prompt.txt") : CONTINUE);
  return { run, input: await directory.writeInput(run, parts.join("\n\n")), prompts };
}

/** How many further prompts the task was given so far; none where somebody has removed it. */
export async function promptsGiven(directory: TaskDirectory): Promise<number> {
  try {
    return await directory.countPrompts();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}
