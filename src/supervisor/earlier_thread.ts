/** A thread that a call continues: what is known of it, and what it keeps. */
import { readThread, type ThreadFacts } from "../codex/thread_file.ts";
import { flattenConfig } from "../codex/toml_value.ts";
import { defined } from "../task/defined.ts";
import { TaskError } from "../task/errors.ts";
import { isFinished, type Task } from "../task/task.ts";
import type { StartRequest } from "./start_request.ts";

/** A thread as our own last task on it and Codex's own record know it. */
export interface EarlierThread {
  readonly task: Task | null;
  /** That task, if it still works on the thread: what the call asks for comes after it. */
  readonly busyTaskId: string | null;
  readonly facts: ThreadFacts | null;
  /** Where it lies, so that what comes after that task can go on with it. */
  readonly codexHome: string;
}

/** Where threads are looked for. */
export interface EarlierThreadOptions {
  /** Of the run, so maybe the call's own. */
  readonly codexHome: string;
  readonly isHomeNamed: boolean;
  readonly isEphemeral: boolean;
  readonly findByThread: (threadId: string) => Promise<Task | null>;
}

/** Finds a thread. Throws `unknown_thread`, or `not_resumable` with the reason. */
export async function findThread(threadId: string, options: EarlierThreadOptions): Promise<EarlierThread> {
  const [task, facts] = await Promise.all([
    options.findByThread(threadId),
    readThread({ codexHome: options.codexHome, threadId }),
  ]);
  const busy = task === null || isFinished(task) ? null : task;
  const found = { task, busyTaskId: busy?.id ?? null };
  // Records of format 1 do not tell it.
  const ownHome = busy?.spec.codexHome || options.codexHome;
  const isElsewhere = facts === null && ownHome !== options.codexHome;
  if (facts !== null || (busy !== null && !isElsewhere)) return { ...found, facts, codexHome: options.codexHome };
  if (isElsewhere && !options.isHomeNamed) {
    return { ...found, facts: await readThread({ codexHome: ownHome, threadId }), codexHome: ownHome };
  }
  if (options.isEphemeral && task !== null) {
    throw new TaskError(
      "not_resumable",
      `Cannot continue thread ${threadId}: this server was started with --ephemeral, so Codex kept no record of it. ` +
        "Start the server without --ephemeral to be able to continue threads.",
    );
  }
  throw new TaskError(
    "unknown_thread",
    `Cannot find thread "${threadId}" under ${options.codexHome}/sessions. Thread ids are UUIDs that codex and ` +
      "codex_status return; one of an --ephemeral run cannot be continued, and one of another CODEX_HOME only with " +
      "codex(threadId, env).",
  );
}

/** What a resumed thread keeps unless the call says otherwise; Codex itself keeps neither sandbox nor model nor cwd. */
export function mergeEarlier(request: StartRequest, earlier: EarlierThread | null): StartRequest {
  if (earlier === null) return request;
  const spec = earlier.task?.spec;
  const { facts } = earlier;
  // Whether a read-only or an unbounded sandbox had the network says nothing about one that the call asks for now.
  const network = facts?.sandbox === "workspace-write" ? facts.network ?? spec?.network : spec?.network;
  const own = flattenConfig(request.config ?? {}).map((setting) => setting.slice(0, setting.indexOf("=")));
  /** The flag of what is kept would win over the call's own `config`. */
  const unless = <T>(key: string, kept: T | null | undefined): T | undefined =>
    own.some((name) => key === name || key.startsWith(`${name}.`)) ? undefined : kept ?? undefined;
  return {
    ...(spec === undefined ? {} : {
      ...defined({
        profile: spec.profile,
        baseInstructions: spec.baseInstructions,
        developerInstructions: spec.developerInstructions,
        compactPrompt: spec.compactPrompt,
        mcpServers: spec.mcpServers,
      }),
    }),
    ...defined({
      cwd: facts?.cwd ?? spec?.cwd,
      model: unless("model", facts?.model ?? spec?.model),
      reasoningEffort: unless("model_reasoning_effort", facts?.effort ?? spec?.reasoningEffort),
      network: unless("sandbox_workspace_write.network_access", network),
    }),
    addDirs: spec?.addDirs ?? facts?.addDirs ?? [],
    ...request,
    config: { ...spec?.config, ...request.config },
  };
}

/** Values of a call's variables are never written down, since they may be secrets. */
export function earlierNotes(request: StartRequest, earlier: EarlierThread | null): string[] {
  const notes: string[] = [];
  if (earlier !== null && earlier.busyTaskId !== null) {
    notes.push(`Starts when task ${earlier.busyTaskId} has ended, which still works on this thread.`);
  }
  const forgotten = (earlier?.task?.spec.envNames ?? []).filter((name) => request.env?.[name] === undefined);
  if (forgotten.length === 0) return notes;
  return [
    ...notes,
    `Variables of the thread's first call are not kept: ${
      forgotten.join(", ")
    }. Use codex(threadId, env) to pass them again.`,
  ];
}
