/** Looks through the files of runs in which nothing else moves, beside the rounds: in a large tree that takes its time. */
import { hasNewerFile } from "../process/newer_file.ts";
import { FewAtOnce } from "../process/few_at_once.ts";

/** Walks at once; more would hold up each other, and the agents. */
const AT_ONCE = 2;

/** What {@linkcode FileWalks} is given. */
export interface FileWalksOptions {
  /** The system's clock, by which files are dated. */
  readonly now: () => Date;
  readonly env: Readonly<Record<string, string>>;
  /** From one walk of a task to its next. */
  readonly everyMs: number;
}

/** A task in which nothing else has moved since. */
export interface StillTask {
  readonly id: string;
  readonly cwd: string;
  readonly stillSince: Date;
}

interface Walk {
  readonly stillSince: Date;
  readonly startedAt: Date;
  /** As far as is known: while it goes on, what the one before it has found. */
  haveFilesChanged: boolean | null;
  state: "walking" | "over" | "told";
}

/** The latest walk of each task. All instants but those of `now` are of a clock that nobody sets. */
export class FileWalks {
  readonly #options: FileWalksOptions;
  readonly #walks = new Map<string, Walk>();
  readonly #few = new FewAtOnce(AT_ONCE);

  constructor(options: FileWalksOptions) {
    this.#options = options;
  }

  /** Starts to look for files that have changed since, but for tasks whose last walk goes on or was not long ago. */
  start(tasks: readonly StillTask[], at: Date): void {
    const due = Map.groupBy(tasks.filter(({ id }) => this.#isDue(id, at)), ({ cwd }) => cwd);
    for (const [cwd, together] of due) {
      const walks = together.map(({ id, stillSince }) => {
        const haveFilesChanged = this.found(id, stillSince);
        const walk: Walk = { stillSince, startedAt: at, haveFilesChanged, state: "walking" };
        this.#walks.set(id, walk);
        return walk;
      });
      const startedAt = this.#options.now();
      void this.#few.run(() => this.#walk(cwd, walks, startedAt));
    }
  }

  /** Tells whether files have changed since nothing else has moved; `null` while that is not known. */
  found(id: string, stillSince: Date): boolean | null {
    const walk = this.#walks.get(id);
    if (walk?.state === "over") walk.state = "told";
    return walk?.stillSince.getTime() === stillSince.getTime() ? walk.haveFilesChanged : null;
  }

  /** Tells whether a walk has ended of which {@linkcode found} has told nothing yet. */
  hasNews(id: string): boolean {
    return this.#walks.get(id)?.state === "over";
  }

  /** Forgets all but these. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#walks.keys()) if (!ids.has(id)) this.#walks.delete(id);
  }

  #isDue(id: string, at: Date): boolean {
    const last = this.#walks.get(id);
    if (last === undefined) return true;
    return last.state !== "walking" && at.getTime() - last.startedAt.getTime() >= this.#options.everyMs;
  }

  /** Where nothing has changed since the first of several instants, nothing has since the later ones. */
  async #walk(cwd: string, walks: readonly Walk[], startedAt: Date): Promise<void> {
    const { env } = this.#options;
    const changedSince = ({ stillSince, startedAt: at }: Walk): Promise<boolean | null> =>
      hasNewerFile(cwd, new Date(startedAt.getTime() - (at.getTime() - stillSince.getTime())), env);
    const byAge = walks.toSorted((a, b) => a.stillSince.getTime() - b.stillSince.getTime());
    let found: boolean | null = null;
    for (const [index, walk] of byAge.entries()) {
      const isSettled = index > 0 &&
        (found !== true || byAge[index - 1]?.stillSince.getTime() === walk.stillSince.getTime());
      if (!isSettled) found = await changedSince(walk);
      walk.haveFilesChanged = found;
      walk.state = "over";
    }
  }
}
