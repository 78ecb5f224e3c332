import { parseEvent } from "../codex/parse_events.ts";
import type { TailedFile } from "../storage/tailed_file.ts";
import { lastWritten } from "../storage/tailed_file.ts";
import type { StopReport } from "../process/run_host.ts";
import type { TaskDirectory } from "../storage/task_directory.ts";
import { TaskError } from "../task/errors.ts";
import { addEvent, emptyProgress } from "../task/progress.ts";
import { type FinishedTask, isFinished, type Progress, type StopReason, type Task } from "../task/task.ts";
import { pause } from "../process/pause.ts";

/** A task that this server keeps an eye on: its record, and its events, of which every byte is read once. */
export class FollowedTask {
  readonly directory: TaskDirectory;
  readonly #log: TailedFile;
  readonly #finished = Promise.withResolvers<FinishedTask>();
  readonly #stopped = new AbortController();
  #stopReason: StopReason | undefined;
  #stopping: Promise<StopReport> | null = null;
  #task: Task;
  #progress: Progress = emptyProgress();
  #reading: Promise<void> = Promise.resolve();
  #offlineSince: Date | null = null;
  #isShimLost = false;
  #isAgentGone = false;
  #isReadToEnd = false;
  #isDriven = false;
  #isHeir = false;

  constructor(task: Task, directory: TaskDirectory) {
    this.#task = task;
    this.directory = directory;
    this.#log = directory.events();
  }

  get task(): Task {
    return this.#task;
  }

  /** What has been seen so far; see {@linkcode refresh}. */
  get progress(): Progress {
    return this.#progress;
  }

  /** Bytes of its events that were read. */
  get offset(): number {
    return this.#log.offset;
  }

  /** When the agent last wrote an event or to stderr; when it was started, if it has written nothing yet. */
  outputAt(): Date | null {
    const { state } = this.#task;
    if (state.status !== "running") return null;
    const written = [this.directory.lastEventAt(), lastWritten(this.directory.stderrFile)];
    return new Date(Math.max(state.startedAt.getTime(), ...written.map((at) => at?.getTime() ?? 0)));
  }

  /** Since when Codex has been waiting for the network, as far as its events were read; `null` when it isn't. */
  get offlineSince(): Date | null {
    return this.#offlineSince;
  }

  /** The agent runs, but its shim was killed: nobody will see its exit code. */
  get isShimLost(): boolean {
    return this.#isShimLost;
  }

  noteShim({ isLost }: { readonly isLost: boolean }): void {
    this.#isShimLost = isLost;
  }

  /** Settles when the task has ended. */
  get finished(): Promise<FinishedTask> {
    return this.#finished.promise;
  }

  /** The task when it has ended; `undefined` when it has not within that time. */
  async finishedWithin(ms: number): Promise<FinishedTask | undefined> {
    const over = new AbortController();
    try {
      return await Promise.race([this.finished, pause(ms, over.signal).then(() => undefined)]);
    } finally {
      over.abort();
    }
  }

  /** Aborted when this server was given a reason to stop. */
  get stopSignal(): AbortSignal {
    return this.#stopped.signal;
  }

  /** The first reason to stop that this server was given. */
  get stopReason(): StopReason | undefined {
    return this.#stopReason;
  }

  /** Notes a reason to stop; a later one changes nothing. */
  noteStop(reason: StopReason): void {
    if (this.#stopReason !== undefined) return;
    this.#stopReason = reason;
    this.#stopped.abort(new Error(`stopped: ${reason}`));
  }

  /** This server's last attempt to end all that belongs to the task; `null` before the first one. */
  get stopping(): Promise<StopReport> | null {
    return this.#stopping;
  }

  async noteStopping(stopping: Promise<StopReport>): Promise<StopReport> {
    this.#stopping = stopping;
    const report = await stopping;
    this.#isAgentGone ||= report.isGone;
    return report;
  }

  /** Who stopped the task has seen that its last agent is gone. */
  get isAgentGone(): boolean {
    return this.#isAgentGone;
  }

  /** Takes over a new state of the task; a finished one is told to all who wait. */
  update(task: Task): void {
    if (isFinished(this.#task)) return;
    this.#task = task;
    if (isFinished(task)) this.#finished.resolve(task);
  }

  /** Tells all who wait that this server can follow the task no further; its files may still tell how it ends. */
  fail(error: unknown): void {
    // Perhaps nobody waits.
    this.finished.catch(() => undefined);
    this.#finished.reject(error);
  }

  /** This server takes the task over should its own be gone, although it is bound to that one. */
  get isHeir(): boolean {
    return this.#isHeir;
  }

  becomeHeir(): void {
    this.#isHeir = true;
  }

  /** Says whether this server drives the task from now on: then nobody else writes its record. */
  noteDriven(isDriven = true): void {
    this.#isDriven = isDriven;
  }

  /** Takes over what another server has written down. Throws `unknown_task` when somebody has removed the task. */
  async reread(): Promise<void> {
    if (this.#isDriven) return;
    const written = await this.directory.read();
    if (written === null) {
      throw new TaskError("unknown_task", `Cannot find task "${this.#task.id}": somebody has removed it.`);
    }
    this.update(written);
  }

  /** Reads what Codex has written since the last time. Costs one `stat` when that is nothing. */
  async refresh(): Promise<Progress> {
    // One reader at a time; what failed once, a full file table say, is tried again by the next.
    this.#reading = this.#reading.catch(() => undefined).then(() => this.#read());
    await this.#reading;
    return this.#progress;
  }

  /** Reads to the end of a log that nobody writes to any more, an unfinished last line included. */
  async readToEnd(): Promise<Progress> {
    await this.refresh();
    const torn = this.#log.takeTornTail();
    if (torn !== null) this.#progress = addEvent(this.#progress, parseEvent(torn));
    this.#isReadToEnd = true;
    return this.#progress;
  }

  /** All that the agent has said is known. */
  get isReadToEnd(): boolean {
    return this.#isReadToEnd;
  }

  async #read(): Promise<void> {
    const skippedBefore = this.#log.skippedLines;
    for await (const line of this.#log.read()) {
      if (line.trim() !== "") this.#progress = addEvent(this.#progress, parseEvent(line));
    }
    for (let skipped = this.#log.skippedLines - skippedBefore; skipped > 0; skipped--) {
      this.#progress = addEvent(this.#progress, { type: "unreadable" });
    }
    if (this.#progress.waitingForNetwork === null) this.#offlineSince = null;
    else this.#offlineSince ??= this.directory.lastEventAt();
  }
}
