/** Starts one run of a task that has its turn. */
import type { CodexProbe } from "../codex/probe.ts";
import { readThread } from "../codex/thread_file.ts";
import { type CodexRun, runCodex } from "../codex/run_codex.ts";
import { secretVariables } from "../task/secret_names.ts";
import type { TaskSpec } from "../task/spec.ts";
import { startRun } from "../task/transitions.ts";
import { apartEnv } from "./apart_env.ts";
import { continuedSpec } from "./continued_spec.ts";
import { saveTask } from "./end_task.ts";
import type { FollowedTask } from "./followed_task.ts";
import type { RunTaskServices } from "./services.ts";

/** What a run needs that does not stand in its task's directory. */
export interface Runnable {
  /** The variables the call gave. They are only here: on disk they would be secrets that lie about. */
  readonly env: Readonly<Record<string, string>>;
  readonly probe: CodexProbe;
}

/** The next run of a task. */
export interface NextRun {
  readonly run: number;
  /** File in the task's directory. */
  readonly input: string;
  /** How many further prompts are in it or were in an earlier one. */
  readonly prompts: number;
  /** The task's first prompt is in it, so its images are due too. */
  readonly hasFirst: boolean;
  /** Lock file of the slot, for the shim to hold. */
  readonly slot: string | null;
}

/** Writes down that the task runs, then starts its agent. Throws what the system says when that is impossible. */
export async function startNextRun(
  followed: FollowedTask,
  { env, probe }: Runnable,
  { slot, hasFirst, ...next }: NextRun,
  services: RunTaskServices,
): Promise<CodexRun> {
  const { directory } = followed;
  const threadId = (await followed.refresh()).threadId;
  if (next.run === 1 && followed.task.spec.afterTaskId !== undefined) await settleUsage(followed);
  const { spec } = followed.task;
  followed.update(startRun(followed.task, { ...next, at: services.now() }));
  await saveTask(followed, services.log);
  // After the record: until then it is the last run's end that the files tell of.
  if (next.run > 1) await directory.markRun(next.run);
  const runSpec = next.run === 1 || threadId === null ? spec : await continuedSpec(spec, { threadId, hasFirst });
  return await runCodex(services.runner, {
    task: {
      ...followed.task,
      spec: { ...runSpec, server: { ...runSpec.server, withheldEnv: withheld(spec, services) } },
    },
    run: next.run,
    directory: directory.path,
    input: next.input,
    slot,
    files: {
      ...(spec.outputSchema === undefined ? {} : { outputSchema: directory.outputSchemaFile }),
      ...(spec.baseInstructions === undefined ? {} : { baseInstructions: directory.baseInstructionsFile }),
    },
    probe,
    env: { ...services.env, ...apartEnv(followed.task, { slot, given: services.givenEnvNames }), ...env },
  });
}

/** Names that the agent's commands must not see. Another server may have planned the task, with other variables of its own. */
function withheld(
  { envNames, server }: TaskSpec,
  { env, givenEnvNames }: Pick<RunTaskServices, "env" | "givenEnvNames">,
): readonly string[] {
  if (server.hasEnvPolicy) return server.withheldEnv;
  const own = secretVariables(env, new Set([...givenEnvNames, ...envNames]));
  return [...new Set([...server.withheldEnv, ...own])].sort();
}

/** What the thread has used is known only when the task before this one has ended. */
async function settleUsage(followed: FollowedTask): Promise<void> {
  const { task } = followed;
  const { codexHome, resumeThreadId }: TaskSpec = task.spec;
  if (resumeThreadId === undefined) return;
  const facts = await readThread({ codexHome, threadId: resumeThreadId }).catch(() => null);
  if (facts !== null) followed.update({ ...task, spec: { ...task.spec, usageBefore: facts.usage } });
}
