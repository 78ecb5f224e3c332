/** What can be done with the work of agents in worktrees. */
import { SCRATCH_NAME } from "../git/scratch_file.ts";
import type { Log } from "../log.ts";
import { isFinished, type Task } from "../task/task.ts";
import { ageWork } from "./age_work.ts";
import { afterBrokenMoves, endMoves } from "./checkout_moves.ts";
import { type CleanupEntry, type CleanupRequest, type CleanupServices, cleanupWork } from "./cleanup_work.ts";
import { type ExpireServices, expireWork } from "./expire_work.ts";
import { type DiffRequest, diffWork, type WorkDiff } from "./diff_work.ts";
import { refuseNewerState } from "../storage/state_directory.ts";
import { isWorkId } from "../storage/work_directory.ts";
import { type MergeRequest, type MergeResult, mergeWork } from "./merge_work.ts";
import { Forecast, type Overlap } from "./forecast.ts";
import { pause } from "../process/pause.ts";
import { type RestoredWork, restoreWork } from "./restore_work.ts";
import { Worktrees } from "./worktrees.ts";

export interface WorkOptions extends CleanupServices, ExpireServices {
  readonly stateDir: string;
  readonly worktreesDir: string;
  readonly log: Log;
  /** Runs a command on the files of a commit; gives what is wrong with it. */
  readonly check: (
    command: string,
    at: { readonly commonDir: string; readonly commit: string; readonly signal: AbortSignal },
  ) => Promise<string | null>;
}

export class Work {
  readonly #options: WorkOptions;

  readonly #forecast: Forecast;
  readonly #worktrees: Worktrees;

  constructor(options: WorkOptions) {
    this.#options = options;
    this.#forecast = new Forecast(options);
    this.#worktrees = new Worktrees(options);
  }

  /** The id of the worktree that was made for a task or worked in by it; `null` where none is known. */
  async find(taskId: string): Promise<string | null> {
    const { directories } = this.#options;
    if (isWorkId(taskId) && await directories.of(taskId).read() !== null) return taskId;
    for (const id of await directories.ids()) {
      const record = await directories.of(id).read().catch(() => null);
      if (record?.tasks?.includes(taskId)) return id;
    }
    return null;
  }

  async diff(request: DiffRequest): Promise<WorkDiff> {
    return await diffWork(request, this.#options);
  }

  async merge(
    { check, ...request }: Omit<MergeRequest, "check"> & { readonly check?: string },
  ): Promise<MergeResult & { readonly notes: readonly string[] }> {
    const run = check === undefined
      ? null
      : async (commit: string, commonDir: string): Promise<string | null> =>
        await this.#options.check(check, { commonDir, commit, signal: request.signal });
    const tasks = await Promise.all(request.tasks.map((task) => this.#keptAgain(task)));
    const merge = (): Promise<MergeResult> => mergeWork({ ...request, tasks, check: run }, this.#options);
    return await afterBrokenMoves(merge, { ...this.#options, commonDir: tasks[0]?.spec.worktree?.commonDir });
  }

  /** The task as it is once its work is kept, where that could not be done at its end. */
  async #keptAgain(task: Task): Promise<Task> {
    const { worktree } = task.spec;
    if (worktree === undefined || !isFinished(task) || task.state.outcome.work?.problem === undefined) return task;
    if (await this.#options.isInUse(worktree.id) !== null) return task;
    await refuseNewerState(this.#options.stateDir);
    const { threadId, lastMessage } = task.state.progress;
    const work = await this.#worktrees.keep({ task, prompt: "", threadId, lastMessage });
    if (work === undefined || work.problem !== undefined) return task;
    return { ...task, state: { ...task.state, outcome: { ...task.state.outcome, work } } };
  }

  /** Which tasks work on the same files; when that is not known in time, what was found the last time. */
  async forecast(tasks: readonly Task[], timeMs: number): Promise<ReadonlyMap<string, readonly Overlap[]>> {
    const late = new AbortController();
    try {
      return await Promise.race([
        this.#forecast.among(tasks),
        pause(timeMs, late.signal).then(() => this.#forecast.last(tasks)),
      ]);
    } finally {
      late.abort();
    }
  }

  async restore(request: { readonly id: string; readonly number?: number }): Promise<RestoredWork> {
    await refuseNewerState(this.#options.stateDir);
    return await restoreWork(request, this.#options);
  }

  /** Removes worktrees in which nobody has worked since, and forgets what was removed long ago. */
  async age(before: Date): Promise<void> {
    const { directories, log } = this.#options;
    for (const id of await directories.ids()) {
      const directory = directories.of(id);
      await directory.sweep(SCRATCH_NAME);
      const reason = await ageWork(directory, { before, services: this.#options });
      if (reason !== null) log.info("an old worktree is kept", { id, reason });
    }
    await this.#endMoves();
    await expireWork(this.#options);
  }

  /** Makes good what servers have left that were killed while they moved checkouts of the known repositories. */
  async #endMoves(): Promise<void> {
    const { directories, log } = this.#options;
    const ids = await directories.ids();
    const records = await Promise.all(ids.map((id) => directories.of(id).read().catch(() => null)));
    for (const commonDir of new Set(records.flatMap((record) => record?.spec.commonDir ?? []))) {
      try {
        for (const note of await endMoves({ ...this.#options, commonDir })) log.warning(note, { commonDir });
      } catch (error) {
        log.debug("whether a merge was broken off cannot be told", { commonDir, error });
      }
    }
  }

  async cleanup(request: CleanupRequest): Promise<CleanupEntry[]> {
    if (!request.isRehearsal) await refuseNewerState(this.#options.stateDir);
    return await cleanupWork(request, this.#options);
  }
}
