/** One directory per task, readable with `ls`: what was asked, what Codex wrote, how it ended. */
import { basename, dirname, join } from "node:path";
import type { Task } from "../task/task.ts";
import { reasonOf, TaskError } from "../task/errors.ts";
import { lastWritten, readTail, TailedFile } from "./tailed_file.ts";
import { addPrompt, countPrompts, promptFile, readPrompt, removePrompt } from "./prompt_inbox.ts";
import { lastRunOf, markRun } from "./run_mark.ts";
import { checkSpareFiles, removeUnopened, wayOut } from "./spare_files.ts";
import { parseTask, serializeTask } from "./stored_task.ts";
import { takeTask } from "./task_lock.ts";
import { syncDirectory, writeAside, writeNew } from "./write_aside.ts";

/** The ids of codex-mcp-swarm: eight lower-case hexadecimal digits. */
const TASK_ID = /^[0-9a-f]{8}$/;

/** Tells whether `id` can name a task at all. */
export function isTaskId(id: string): boolean {
  return TASK_ID.test(id);
}

/** The files that a run needs besides the task itself. */
export interface TaskFiles {
  readonly prompt: string;
  readonly outputSchema?: Readonly<Record<string, unknown>>;
  readonly baseInstructions?: string;
}

/** The directory of one task. Mode 0700, its files 0600. */
export class TaskDirectory {
  readonly path: string;

  constructor(tasksDirectory: string, id: string) {
    this.path = join(tasksDirectory, id);
  }

  /** The task itself, as it was last written down. */
  get recordFile(): string {
    return join(this.path, "task.json");
  }

  get eventsFile(): string {
    return join(this.path, "events.jsonl");
  }

  /** Tells which parts of the events were dropped. */
  get droppedFile(): string {
    return join(this.path, "events.dropped");
  }

  get stderrFile(): string {
    return join(this.path, "stderr.log");
  }

  /** The agent's whole final message, once the task has ended. */
  get answerFile(): string {
    return join(this.path, "answer.md");
  }

  get outputSchemaFile(): string {
    return join(this.path, "output_schema.json");
  }

  get baseInstructionsFile(): string {
    return join(this.path, "base_instructions.md");
  }

  /**
   * Makes the directory with all that was asked; on disk when it returns. Gives the right to drive the task, which is
   * taken before anybody else can read it; nobody can before `note` has settled, which is called when the directory is
   * the task's. Throws `state_not_writable` and leaves nothing behind when it can't.
   */
  async create(
    task: Task,
    files: TaskFiles,
    note: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<Disposable> {
    try {
      checkSpareFiles();
      Deno.mkdirSync(this.path, { mode: 0o700 });
      let lock: Disposable | null = null;
      try {
        lock = takeTask(this.path);
        const written = await Promise.allSettled([this.#writeFiles(files), note()]);
        for (const one of written) if (one.status === "rejected") throw one.reason;
        if (lock === null) throw new Error("another server has taken it");
        // Last: a task whose record can be read has all that it was asked for.
        await this.write(task);
        await Promise.all([this.path, dirname(this.path)].map(syncDirectory));
        return lock;
      } catch (error) {
        lock?.[Symbol.dispose]();
        await removeUnopened(this.path, MADE);
        throw error;
      }
    } catch (error) {
      const message = `Cannot write ${this.path}: ${reasonOf(error)}. ${wayOut(error)}`;
      throw new TaskError("state_not_writable", message, { cause: error });
    }
  }

  async #writeFiles({ prompt, outputSchema, baseInstructions }: TaskFiles): Promise<void> {
    await writeNew(join(this.path, promptFile(0)), prompt);
    if (outputSchema !== undefined) await writeNew(this.outputSchemaFile, JSON.stringify(outputSchema));
    if (baseInstructions !== undefined) await writeNew(this.baseInstructionsFile, baseInstructions);
  }

  /** Tells whether the directory is there; what stands against looking is told by who reads or writes it. */
  isThere(): boolean {
    try {
      Deno.lstatSync(this.path);
      return true;
    } catch {
      return false;
    }
  }

  /** Replaces the task's record; a reader sees the old or the new one, never half of one. */
  async write(task: Task): Promise<void> {
    await writeAside(this.recordFile, serializeTask(task));
  }

  /** Reads the task's record; `null` when there is none. Throws `unreadable_task` with the reason when it is not one of ours. */
  async read(): Promise<Task | null> {
    let text: string;
    try {
      text = await Deno.readTextFile(this.recordFile);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
      throw error;
    }
    try {
      return parseTask(text);
    } catch (error) {
      const reason = reasonOf(error).slice(0, MAX_REASON_LENGTH);
      throw new TaskError("unreadable_task", `Cannot read task "${basename(this.path)}": ${reason}.`, { cause: error });
    }
  }

  async writeAnswer(answer: string): Promise<void> {
    await writeAside(this.answerFile, answer);
  }

  /** The agent's final message; `null` when it gave none. */
  async readAnswer(): Promise<string | null> {
    try {
      return await Deno.readTextFile(this.answerFile);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  /** Adds a prompt for the agent that works on the task; gives its number, from 1. On disk when it returns. */
  async addPrompt(text: string): Promise<number> {
    return await addPrompt(this.path, text);
  }

  /** The highest number of a prompt that was added. */
  async countPrompts(): Promise<number> {
    return await countPrompts(this.path);
  }

  /** Reads a prompt that was added; `null` for a number that has none. */
  async readPrompt(number: number): Promise<string | null> {
    return await readPrompt(this.path, number);
  }

  /** Takes a prompt that was added back; tells whether it was there. */
  async removePrompt(number: number): Promise<boolean> {
    return await removePrompt(this.path, number);
  }

  /** Writes what a further run is given to read; gives the name of the file. */
  async writeInput(run: number, text: string): Promise<string> {
    const name = `input_${run}.txt`;
    await writeAside(join(this.path, name), text);
    return name;
  }

  /** Reads what a run was given to read. */
  async readInput(name: string): Promise<string> {
    return await Deno.readTextFile(join(this.path, basename(name)));
  }

  /** Tells the events and messages of a further run from those before it. */
  async markRun(run: number): Promise<void> {
    await markRun(run, { events: this.eventsFile, messages: this.stderrFile });
  }

  events(): TailedFile {
    return new TailedFile(this.eventsFile, { dropped: this.droppedFile });
  }

  /** The end of what the last run wrote. */
  async stderrTail(): Promise<string> {
    return lastRunOf(await readTail(this.stderrFile, MAX_STDERR_BYTES));
  }

  /** When Codex last wrote an event. */
  lastEventAt(): Date | null {
    return lastWritten(this.eventsFile);
  }

  /** When the task's record was last written: for one that runs, just before its run was started. */
  lastSavedAt(): Date | null {
    return lastWritten(this.recordFile);
  }
}

/** What stands in a directory whose record could not be written; a server that ends meanwhile stops what it starts. */
const MADE = ["task.lock", promptFile(0), "output_schema.json", "base_instructions.md", "stop"];

/** How much of the messages is read. */
const MAX_STDERR_BYTES = 16 * 1024;

/** Longest reason that is passed on, in characters. */
const MAX_REASON_LENGTH = 300;
