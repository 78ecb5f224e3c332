/** Looks through the files of runs in which nothing else moves, beside the rounds: in a large tree that takes its time. */
import { hasNewerFile } from "../process/newer_file.ts";
import { FewAtOnce } from "./few_at_once.ts";

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

  /** Starts to look for files that have changed since, unless the task's last walk goes on or was not long ago. */
  start(id: string, { cwd, stillSince, at }: {
    readonly cwd: string;
    readonly stillSince: Date;
    readonly at: Date;
  }): void {
    const { now, env, everyMs } = this.#options;
    const last = this.#walks.get(id);
    if (last?.state === "walking") return;
    if (last !== undefined && at.getTime() - last.startedAt.getTime() < everyMs) return;
    const haveFilesChanged = this.found(id, stillSince);
    const walk: Walk = { stillSince, startedAt: at, haveFilesChanged, state: "walking" };
    this.#walks.set(id, walk);
    const since = new Date(now().getTime() - (at.getTime() - stillSince.getTime()));
    void this.#few.run(async () => {
      walk.haveFilesChanged = await hasNewerFile(cwd, since, env);
      walk.state = "over";
    });
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
}
