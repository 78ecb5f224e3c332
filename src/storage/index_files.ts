import { join } from "node:path";
import { digest } from "./digest.ts";
import { isTaskId } from "./task_directory.ts";
import { writeAside } from "./write_aside.ts";

/** An entry is older than its task's directory, which is made right after it. */
const YOUNG_MS = 60_000;
/** Files looked at at once. */
const LOOK_AT_ONCE = 64;

/** The small files of an index: `live/ID`, `threads/THREAD` holding an id, and the mark that all of them are there. */
export class IndexFiles {
  readonly tasksDir: string;
  readonly directory: string;

  constructor(tasksDir: string) {
    this.tasksDir = tasksDir;
    this.directory = join(tasksDir, ".index");
  }

  /** Makes the directories, but not the one of the tasks. */
  async make(): Promise<void> {
    for (const path of [this.directory, join(this.directory, "live"), join(this.directory, "threads")]) {
      try {
        await Deno.mkdir(path, { mode: 0o700 });
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      }
    }
  }

  async isComplete(): Promise<boolean> {
    return await exists(this.#completeFile);
  }

  async markComplete(): Promise<void> {
    await writeAside(this.#completeFile, "");
  }

  async markIncomplete(): Promise<void> {
    await removeFile(this.#completeFile);
  }

  addLive(id: string): void {
    Deno.writeTextFileSync(this.#liveFile(id), "", { mode: 0o600 });
  }

  async removeLive(id: string): Promise<void> {
    await removeFile(this.#liveFile(id));
  }

  async live(): Promise<string[]> {
    return (await namesIn(join(this.directory, "live"))).filter(isTaskId);
  }

  /** The same at once; `null` where the index is not complete. */
  liveNow(): string[] | null {
    try {
      Deno.statSync(this.#completeFile);
      return Array.from(Deno.readDirSync(join(this.directory, "live")), ({ name }) => name).filter(isTaskId);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
      throw error;
    }
  }

  /** Removes the live files of tasks that are gone. */
  async cleanLive(gone: readonly string[]): Promise<void> {
    for (const id of gone) {
      const mtime = await Deno.stat(this.#liveFile(id)).then((info) => info.mtime, () => null);
      if (mtime !== null && !isYoung(mtime.getTime())) await this.removeLive(id);
    }
  }

  async setThread(threadId: string, id: string): Promise<void> {
    await writeAside(await this.#threadFile(threadId), `${id}\n`);
  }

  /** The task noted for a thread; `null` when there is none, or its entry cannot be read. */
  async thread(threadId: string): Promise<string | null> {
    try {
      const id = (await Deno.readTextFile(await this.#threadFile(threadId))).trimEnd();
      return isTaskId(id) ? id : null;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
      throw error;
    }
  }

  async removeThread(threadId: string): Promise<void> {
    await removeFile(await this.#threadFile(threadId));
  }

  /** Those of the tasks that have a directory, in the order given. */
  async existing(ids: readonly string[]): Promise<string[]> {
    const found: string[] = [];
    for (let at = 0; at < ids.length; at += LOOK_AT_ONCE) {
      const some = ids.slice(at, at + LOOK_AT_ONCE);
      const there = await Promise.all(some.map((id) => exists(join(this.tasksDir, id))));
      found.push(...some.filter((_, index) => there[index]));
    }
    return found;
  }

  get #completeFile(): string {
    return join(this.directory, "complete");
  }

  #liveFile(id: string): string {
    return join(this.directory, "live", id);
  }

  async #threadFile(threadId: string): Promise<string> {
    // Codex's are UUIDs. Whatever else an event may hold must not become a path.
    const name = /^[0-9a-z-]{1,64}$/.test(threadId) ? threadId : `other-${await digest(threadId)}`;
    return join(this.directory, "threads", name);
  }
}

/** Whether the task of an entry that was made at this time may still be about to come. */
export function isYoung(at: number): boolean {
  return Math.abs(Date.now() - at) <= YOUNG_MS;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

async function removeFile(path: string): Promise<void> {
  await Deno.remove(path).catch(() => undefined);
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return [];
    throw error;
  }
}
