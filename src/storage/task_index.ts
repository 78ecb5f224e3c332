import { join } from "node:path";
import type { Task } from "../task/task.ts";
import { IndexFiles, isYoung } from "./index_files.ts";
import { waitForLock } from "./kernel_lock.ts";
import { type IndexRebuild, rebuildIndex } from "./rebuild_index.ts";
import { listTaskIds } from "./list_task_ids.ts";
import { readTaskHead, TaskHeads } from "./task_heads.ts";
import { HISTORY_LINE_BYTES, repositoryDigest, TaskHistory } from "./task_history.ts";

/** How long another server's rebuild is waited for. */
const REBUILD_MS = 30_000;
/** A shorter history is not worth compacting. */
const MIN_COMPACTED_BYTES = 1_000 * HISTORY_LINE_BYTES;

/**
 * Finds tasks without reading them all. Only a help: it is made from the tasks' directories whenever it is missing, a
 * task without an entry is a task all the same, and an entry without a task is passed over. Whoever cannot note
 * something marks it incomplete; where none can be written, the directories are read instead.
 */
export class TaskIndex {
  readonly #tasksDir: string;
  readonly #isReadOnly: boolean;
  readonly #files: IndexFiles;
  readonly #history: TaskHistory;
  /** The tasks themselves, while there is no index to be had. */
  #heads: TaskHeads | null = null;
  #opening: Promise<IndexRebuild | null> | undefined;

  /** `isReadOnly`: nothing is written, as befits the directory of a newer program. */
  constructor(tasksDir: string, { isReadOnly = false } = {}) {
    this.#tasksDir = tasksDir;
    this.#isReadOnly = isReadOnly;
    this.#files = new IndexFiles(tasksDir);
    this.#history = new TaskHistory(this.#files.directory);
  }

  /** Makes the index where there is none, once for all servers, and tells what differed; `null` when it was there. */
  async open(): Promise<IndexRebuild | null> {
    this.#opening ??= this.#open().finally(() => this.#opening = undefined);
    return await this.#opening;
  }

  /** Notes a task that was written down; on disk when this returns. */
  async noteStarted({ id, repository, createdAt }: Pick<Task, "id" | "repository" | "createdAt">): Promise<void> {
    await this.#note(async () => {
      this.#files.addLive(id);
      await this.#history.append({ id, repository: await repositoryDigest(repository), at: createdAt.getTime() });
    });
  }

  /** Notes the task that works on a thread, in the place of an earlier one. */
  async noteThread(threadId: string, id: string): Promise<void> {
    await this.#note(async () => await this.#files.setThread(threadId, id));
  }

  /** Notes that a task has ended; also for one that `liveIds` gave although it had. */
  async noteEnded(id: string): Promise<void> {
    if (!this.#isReadOnly) await this.#files.removeLive(id);
  }

  /** The tasks that have not ended, in no order; after a crash some of them have. */
  async liveIds(): Promise<string[]> {
    const heads = await this.#withoutIndex();
    if (heads !== null) return heads.all().filter(({ isFinished }) => !isFinished).map(({ id }) => id);
    const noted = await this.#files.live();
    const ids = await this.#files.existing(noted);
    if (ids.length < noted.length && !this.#isReadOnly) {
      const there = new Set(ids);
      await this.#files.cleanLive(noted.filter((id) => !there.has(id)));
    }
    return ids;
  }

  /** The newest tasks first, ended or not; those of one repository, or whose ids begin so, only if that is given. */
  async newestIds(
    { repository, prefix = "", limit }: {
      readonly repository?: string;
      readonly prefix?: string;
      readonly limit: number;
    },
  ): Promise<string[]> {
    const heads = await this.#withoutIndex();
    if (heads !== null) {
      const matching = heads.all().filter((head) =>
        (repository === undefined || head.repository === repository) && head.id.startsWith(prefix)
      );
      return matching.reverse().slice(0, limit).map(({ id }) => id);
    }
    const seen = new Set<string>();
    const found: string[] = [];
    const wanted = repository === undefined ? undefined : await repositoryDigest(repository);
    for await (const block of this.#history.newestFirst(wanted)) {
      const ids = [...new Set(block)].filter((id) => !seen.has(id) && id.startsWith(prefix));
      for (const id of ids) seen.add(id);
      while (ids.length > 0 && found.length < limit) {
        found.push(...await this.#files.existing(ids.splice(0, limit - found.length)));
      }
      if (found.length >= limit) break;
    }
    await this.#heedDamage();
    return found;
  }

  /** The tasks that were started before a date, the oldest first as far as clocks were right; gone ones are among them. */
  async *oldestBefore(date: Date): AsyncGenerator<string, void> {
    const heads = await this.#withoutIndex();
    if (heads !== null) {
      for (const { id, createdAt } of heads.all()) if (createdAt < date) yield id;
      return;
    }
    for await (const { id, at } of this.#history.oldestFirst()) if (at < date.getTime()) yield id;
    await this.#heedDamage();
  }

  /** The task that last worked on a thread, or `null`. */
  async taskOfThread(threadId: string): Promise<string | null> {
    const heads = await this.#withoutIndex();
    if (heads !== null) return heads.all().findLast((head) => head.threadId === threadId)?.id ?? null;
    const noted = await this.#files.thread(threadId);
    if (noted === null) return null;
    const [id = null] = await this.#files.existing([noted]);
    return id;
  }

  /** Takes a task out of the index. Before its directory goes: its thread is found in its record. */
  async forget(id: string): Promise<void> {
    if (this.#isReadOnly) return;
    await this.#files.removeLive(id);
    const head = await readTaskHead(this.#tasksDir, id).catch(() => null);
    if (head !== null && head !== "unreadable" && head.threadId !== null) {
      if (await this.#files.thread(head.threadId).catch(() => null) === id) {
        await this.#files.removeThread(head.threadId);
      }
    }
    await this.#note(() => this.#countGone());
  }

  async #open(): Promise<IndexRebuild | null> {
    if (await this.#files.isComplete()) {
      this.#heads = null;
      return null;
    }
    const heads = this.#heads ?? new TaskHeads(this.#tasksDir);
    try {
      if (!this.#isReadOnly) return await this.#rebuild(heads);
    } catch {
      // Full, or not ours to write: the tasks themselves answer until there is room.
    }
    await heads.refresh();
    this.#heads = heads;
    return null;
  }

  async #rebuild(heads: TaskHeads): Promise<IndexRebuild | null> {
    await this.#files.make();
    using lock = await waitForLock(join(this.#files.directory, "rebuild.lock"), { waitMs: REBUILD_MS });
    if (lock === null) throw new Error("another server holds the index");
    let rebuild: IndexRebuild | null = null;
    if (!await this.#files.isComplete()) {
      await heads.refresh();
      rebuild = await rebuildIndex(heads, { files: this.#files, history: this.#history });
    }
    this.#heads = null;
    return rebuild;
  }

  /** What answers in the place of an index that cannot be made. */
  async #withoutIndex(): Promise<TaskHeads | null> {
    await this.open();
    return this.#heads;
  }

  async #note(note: () => Promise<void>): Promise<void> {
    if (this.#isReadOnly) return;
    try {
      try {
        await note();
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        await this.#files.make();
        await note();
      }
    } catch {
      await this.#files.markIncomplete();
    }
  }

  /** What was lost with a line is found again when the index is made anew, the next time that it is needed. */
  async #heedDamage(): Promise<void> {
    if (this.#history.isDamaged && !this.#isReadOnly) await this.#files.markIncomplete();
  }

  /** One byte for each entry whose task is gone tells when compacting the history is worth its while. */
  async #countGone(): Promise<void> {
    const counter = join(this.#files.directory, "gone");
    await Deno.writeTextFile(counter, ".", { append: true, mode: 0o600 });
    const size = await this.#history.size();
    if (size < MIN_COMPACTED_BYTES || 2 * (await Deno.stat(counter)).size * HISTORY_LINE_BYTES <= size) return;
    await this.#history.replace(async (entries) => {
      const there = new Set(await listTaskIds(this.#tasksDir));
      const each = new Map(entries.map((entry) => [entry.id, entry])).values();
      return [...each].filter(({ id, at }) => there.has(id) || isYoung(at));
    });
    await Deno.writeTextFile(counter, "", { mode: 0o600 });
  }
}
