import { basename, join } from "node:path";
import { isTaskId } from "./task_directory.ts";

/** The longest that a timer can wait; it fires at once if it is given more. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What tells of changes in a directory. */
export interface Watcher extends AsyncIterable<Pick<Deno.FsEvent, "kind" | "paths">> {
  close(): void;
}

/**
 * Hears of the ends of all tasks of a state directory, whichever server they belong to: shims and servers touch a file
 * named after the task in one flat directory, so that a single watch is enough for any number of tasks.
 */
export class Bell {
  readonly #directory: string;
  readonly #watch: (directory: string) => Watcher;
  readonly #waiting = new Map<string, Set<() => void>>();
  #watcher: Watcher | undefined;
  #isClosed = false;

  constructor(directory: string, watch: (directory: string) => Watcher = watchDirectory) {
    this.#directory = directory;
    this.#watch = watch;
  }

  /** Settles at the task's next ring, after `timeoutMs`, or when the signal comes, whichever is first. */
  next(id: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    this.#listen();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        waiting.delete(end);
        if (waiting.size === 0) this.#waiting.delete(id);
        resolve();
      };
      const waiting = this.#waiting.get(id) ?? new Set();
      this.#waiting.set(id, waiting.add(end));
      const timer = setTimeout(end, Math.min(timeoutMs, MAX_TIMER_MS));
      signal.addEventListener("abort", end, { once: true });
      if (signal.aborted) end();
    });
  }

  /** Tells all servers to look at the task again. */
  async ring(id: string): Promise<void> {
    await Deno.writeTextFile(join(this.#directory, id), "", { mode: 0o600 }).catch(() => undefined);
  }

  /** Removes what the rings of tasks have left that are gone; `list` gives the ids of those that are there. */
  async tidy(list: () => Promise<readonly string[]>): Promise<void> {
    const rung: string[] = [];
    try {
      for await (const { name } of Deno.readDir(this.#directory)) if (isTaskId(name)) rung.push(name);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      throw error;
    }
    // After the look at the rings: a task is there before it is rung for.
    const there = new Set(await list());
    for (const id of rung) {
      if (!there.has(id)) await Deno.remove(join(this.#directory, id)).catch(() => undefined);
    }
  }

  /** Stops listening, for good: who still waits looks again when the time is over. */
  close(): void {
    this.#isClosed = true;
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #listen(): void {
    if (this.#watcher !== undefined || this.#isClosed) return;
    try {
      // Nobody has rung yet where the directory is not there.
      Deno.mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      this.#watcher = this.#watch(this.#directory);
    } catch {
      // Without a watch, of which a system has only so many, those who wait look again when their time is over.
      return;
    }
    void this.#pass(this.#watcher);
  }

  async #pass(watcher: Watcher): Promise<void> {
    try {
      for await (const { kind, paths } of watcher) {
        for (const path of paths) {
          for (const wake of [...this.#waiting.get(basename(path)) ?? []]) wake();
        }
        // Nothing more is heard of a directory that was removed, nor of a new one in its place.
        if (kind === "remove" && paths.includes(this.#directory)) break;
      }
    } catch {
      // As without a watch: those who wait look again when their time is over.
    }
    // Who waits next listens anew.
    if (this.#watcher !== watcher) return;
    this.#watcher = undefined;
    try {
      watcher.close();
    } catch {
      // It is closed.
    }
  }
}

function watchDirectory(directory: string): Watcher {
  return Deno.watchFs(directory, { recursive: false });
}
