/** What the index is made from: of each task's record the few fields that it needs, whichever format it has. */
import { join } from "node:path";
import * as z from "zod";
import { FINAL_STATUSES } from "../task/task.ts";
import { listTaskIds } from "./list_task_ids.ts";

/** Records read at once: enough to keep a disk busy, far from the limit of open files. */
const READ_AT_ONCE = 32;
/** Of an event file, its first line stands within this. */
const FIRST_LINE_BYTES = 4 * 1024;

/** A task as its index knows it. */
export interface TaskHead {
  readonly id: string;
  readonly repository: string;
  readonly createdAt: Date;
  readonly isFinished: boolean;
  readonly threadId: string | null;
}

const finalStatuses: readonly string[] = FINAL_STATUSES;

const record = z.looseObject({
  createdAt: z.coerce.date(),
  repository: z.string(),
  spec: z.looseObject({ resumeThreadId: z.string().optional() }),
  state: z.looseObject({
    status: z.string(),
    progress: z.looseObject({ threadId: z.string().nullable() }).optional(),
  }),
});

const threadStarted = z.looseObject({ type: z.literal("thread.started"), thread_id: z.string() });

/** Reads a task's head; `null` when it has no record yet or no more, "unreadable" when that is none of ours. */
export async function readTaskHead(tasksDir: string, id: string): Promise<TaskHead | null | "unreadable"> {
  const directory = join(tasksDir, id);
  let text: string;
  try {
    text = await Deno.readTextFile(join(directory, "task.json"));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.IsADirectory) return "unreadable";
    // Of a fault of the moment, such as too many open files, nothing must be concluded.
    throw error;
  }
  const parsed = record.safeParse(parseJson(text));
  if (!parsed.success) return "unreadable";
  const { createdAt, repository, spec, state } = parsed.data;
  const isFinished = finalStatuses.includes(state.status);
  const threadId = state.progress?.threadId ?? (isFinished ? null : await startedThread(directory)) ??
    spec.resumeThreadId ?? null;
  return { id, repository, createdAt, isFinished, threadId };
}

/** The thread that the events of a running task begin with. */
async function startedThread(directory: string): Promise<string | null> {
  try {
    using file = await Deno.open(join(directory, "events.jsonl"), { read: true });
    const bytes = new Uint8Array(FIRST_LINE_BYTES);
    const length = await file.read(bytes) ?? 0;
    const [line = ""] = new TextDecoder().decode(bytes.subarray(0, length)).split("\n", 1);
    const event = threadStarted.safeParse(parseJson(line));
    return event.success ? event.data.thread_id : null;
  } catch {
    // Without its thread the task is still one.
    return null;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The heads of all tasks of a directory. What has ended is read once. */
export class TaskHeads {
  readonly #tasksDir: string;
  readonly #heads = new Map<string, TaskHead>();
  #unreadable: string[] = [];

  constructor(tasksDir: string) {
    this.#tasksDir = tasksDir;
  }

  get(id: string): TaskHead | undefined {
    return this.#heads.get(id);
  }

  /** Oldest first. */
  all(): TaskHead[] {
    return [...this.#heads.values()].sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  }

  /** The ids of those whose record is none of ours. */
  get unreadable(): readonly string[] {
    return this.#unreadable;
  }

  /** Reads what is new or may have changed. */
  async refresh(): Promise<void> {
    const ids = await listTaskIds(this.#tasksDir);
    const there = new Set(ids);
    for (const id of this.#heads.keys()) if (!there.has(id)) this.#heads.delete(id);
    this.#unreadable = [];
    const left = ids.filter((id) => this.#heads.get(id)?.isFinished !== true);
    const read = async (): Promise<void> => {
      for (let id = left.pop(); id !== undefined; id = left.pop()) {
        const head = await readTaskHead(this.#tasksDir, id);
        if (head === "unreadable") this.#unreadable.push(id);
        else if (head !== null) this.#heads.set(id, head);
      }
    };
    await Promise.all(Array.from({ length: READ_AT_ONCE }, read));
    this.#unreadable.sort();
  }
}
