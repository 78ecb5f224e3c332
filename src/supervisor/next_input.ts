import { isInThread } from "../codex/thread_input.ts";
import { readRunStart } from "../process/run_files.ts";
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
  if (state.status !== "waiting") return { run: 1, input: "prompt.txt", prompts: 0, hasFirst: true };
  const { isDueAgain } = state;
  const run = state.run + 1;
  // Not fewer than before, although the last of them may have been taken back in the moment that it was told.
  const prompts = Math.max(state.prompts, await directory.countPrompts());
  const parts: string[] = isDueAgain ? [await directory.readInput(state.input)] : [];
  const hasFirst = parts[0]?.startsWith(await directory.readInput("prompt.txt")) ?? false;
  if (isDueAgain && prompts === state.prompts) return { run, input: state.input, prompts, hasFirst };
  for (let number = state.prompts + 1; number <= prompts; number++) {
    const prompt = await directory.readPrompt(number);
    if (prompt !== null) parts.push(prompt);
  }
  if (parts.length === 0 && state.until === null) return null;
  // Without a thread the agent knows of nothing that it could go on with.
  if (parts.length === 0) parts.push(progress.threadId === null ? await directory.readInput("prompt.txt") : CONTINUE);
  return { run, input: await directory.writeInput(run, parts.join("\n\n")), prompts, hasFirst };
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

/** Tells whether the last run's thread is known to hold what the run was given: it may have been broken off before. */
export async function isInputTaken({ task: { spec, state }, directory, progress }: FollowedTask): Promise<boolean> {
  if (progress.hasModelAnswered) return true;
  const { eventsOfRun, threadId } = progress;
  if (eventsOfRun === 0 || threadId === null || (state.status !== "running" && state.status !== "waiting")) {
    return false;
  }
  try {
    const start = await readRunStart(directory.path);
    if (start?.run !== state.run) return false;
    const text = await directory.readInput(state.input);
    return await isInThread(text, { codexHome: spec.codexHome, threadId, since: start.at });
  } catch {
    // Told twice it is heard at least.
    return false;
  }
}
