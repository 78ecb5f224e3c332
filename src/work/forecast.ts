/** Tells early which agents work on the same files, and whose work will not go together. */
import { readBranch } from "../git/branch_facts.ts";
import { Conflicts } from "../git/conflicts.ts";
import { diffFiles } from "../git/diff.ts";
import type { Git } from "../git/git.ts";
import { NEUTRAL } from "../git/identity.ts";
import { isIntegrated } from "../git/integrated.ts";
import { identify } from "../git/worktree.ts";
import { writeCommit } from "../git/write_commit.ts";
import type { Log } from "../log.ts";
import type { WorkDirectories } from "../storage/work_directory.ts";
import type { WorktreeSpec } from "../task/spec.ts";
import { isFinished, type Task } from "../task/task.ts";
import { currentTree } from "./current_tree.ts";
import { FewAtOnce } from "../process/few_at_once.ts";
import type { RepositoryContent } from "./repository_content.ts";

/** For how long what a running agent has done is taken for what it was. */
const FRESH_MS = 10_000;
/** Worktrees looked through, or held against each other, at once. */
const AT_ONCE = 2;
/** Tasks held against each other at most: the pairs are as the square of it. */
const MAX_TASKS = 32;
/** Tasks of which is known what was found last. */
const MAX_KNOWN = 1_000;

/** Another task that has changed some of the same files. */
export interface Overlap {
  readonly taskId: string;
  readonly files: readonly string[];
  /** Those that cannot be merged. */
  readonly conflicts: readonly string[];
}

interface State {
  readonly id: string;
  readonly spec: WorktreeSpec;
  /** A commit with all of it. */
  readonly oid: string;
  readonly files: ReadonlySet<string>;
}

/** What was seen of a task, and what it hangs on once nobody works there. */
interface Look {
  readonly stands: boolean;
  readonly tip: string | null;
  readonly into: string | null;
  readonly state: State | null;
}

interface Known {
  readonly atMs: number;
  readonly isFinal: boolean;
  readonly look: Promise<Look | null>;
  isPending: boolean;
}

export interface ForecastOptions {
  readonly git: Git;
  readonly content: RepositoryContent;
  readonly directories: WorkDirectories;
  readonly log: Log;
  readonly now: () => Date;
}

export class Forecast {
  readonly #options: ForecastOptions;
  readonly #conflicts: Conflicts;
  readonly #few = new FewAtOnce(AT_ONCE);
  readonly #known = new Map<string, Known>();
  readonly #told = new Map<string, readonly Overlap[]>();

  constructor(options: ForecastOptions) {
    this.#options = options;
    this.#conflicts = new Conflicts(options.git);
  }

  /** Overlaps by task id, for those tasks that work in worktrees and whose work is not merged. Never throws. */
  async among(tasks: readonly Task[]): Promise<ReadonlyMap<string, readonly Overlap[]>> {
    const own = tasks.filter(({ spec }) => spec.worktree !== undefined).slice(0, MAX_TASKS);
    const looks = await Promise.all(own.map((task) => this.#lookAt(task)));
    const states = looks.map((look) => look?.state ?? null).filter((state) => state !== null);
    const pairs = states.flatMap((one, at) => states.slice(at + 1).map((other) => [one, other] as const));
    const held = await Promise.all(pairs.map(([one, other]) => this.#hold(one, other)));
    const overlaps = new Map<string, Overlap[]>();
    const note = (id: string, overlap: Overlap): void => void overlaps.set(id, [...overlaps.get(id) ?? [], overlap]);
    for (const [index, [one, other]] of pairs.entries()) {
      const both = held[index] ?? null;
      if (both === null) continue;
      note(one.id, { taskId: other.id, ...both });
      note(other.id, { taskId: one.id, ...both });
    }
    for (const { id } of own) remember(this.#told, id, overlaps.get(id) ?? []);
    return overlaps;
  }

  /** What was found the last time. */
  last(tasks: readonly Task[]): ReadonlyMap<string, readonly Overlap[]> {
    const ids = new Set(tasks.map(({ id }) => id));
    return new Map([...ids].map((id) => [id, this.#told.get(id)?.filter(({ taskId }) => ids.has(taskId)) ?? []]));
  }

  /** Two tasks against each other; `null` when they have nothing in common. */
  async #hold(one: State, other: State): Promise<Omit<Overlap, "taskId"> | null> {
    const files = [...one.files].filter((file) => other.files.has(file));
    if (one.spec.commonDir !== other.spec.commonDir || one.spec.id === other.spec.id || files.length === 0) return null;
    try {
      const text = (await this.#options.content.of(one.spec.commonDir))("text");
      const [pair] = await this.#few.run(() => this.#conflicts.among([one, other], text));
      return { files, conflicts: pair?.conflicts ?? [] };
    } catch (error) {
      this.#options.log.debug("two tasks could not be held against each other", { ids: [one.id, other.id], error });
      return null;
    }
  }

  #lookAt(task: Task): Promise<Look | null> {
    const known = this.#known.get(task.id);
    const isFinal = isFinished(task);
    const atMs = this.#options.now().getTime();
    // One that takes long is not begun again and again.
    if (known?.isPending === true) return known.look;
    // One that has ended since is looked at again: it may have been merged at any time.
    if (known?.isFinal === isFinal && Math.abs(atMs - known.atMs) < FRESH_MS) return known.look;
    const look = this.#few.run(async () => this.#look(task, known?.isFinal === true ? await known.look : null))
      .catch((error) => {
        this.#options.log.debug("what a task has changed could not be looked at", { id: task.id, error });
        return null;
      }).finally(() => next.isPending = false);
    const next: Known = { atMs, isFinal, look, isPending: true };
    remember(this.#known, task.id, next);
    return look;
  }

  async #look({ id, spec: { worktree } }: Task, before: Look | null): Promise<Look | null> {
    if (worktree === undefined) return null;
    const { git, content, directories } = this.#options;
    const { commonDir, path, base, baseBranch, branch } = worktree;
    const text = (await content.of(commonDir))("text");
    const tip = await readBranch(git, commonDir, `refs/heads/${branch}`);
    const into = baseBranch === undefined ? null : await readBranch(git, commonDir, baseBranch);
    const stands = await identify(path, commonDir) !== null;
    if (before?.stands === stands && before.tip === tip && before.into === into) return before;
    const seen = { stands, tip, into };
    let oid = tip;
    if (stands) {
      const { tree } = await currentTree(git, { directory: directories.of(worktree.id), path, text, commit: base });
      // Without a date of its own, so that the same is the same again.
      const stand = { content: text, tree, parents: [base], message: "stand-in", identity: NEUTRAL, at: new Date(0) };
      oid = await writeCommit(git, stand);
    }
    if (oid === null) return { ...seen, state: null };
    if (into !== null && await isIntegrated(git, { content: text, oid, into })) return { ...seen, state: null };
    const files = await diffFiles(git, { content: text, from: base, to: oid });
    const names = files.flatMap(({ path, from }) => from === undefined ? [path] : [from, path]);
    return { ...seen, state: { id, spec: worktree, oid, files: new Set(names) } };
  }
}

function remember<Value>(known: Map<string, Value>, id: string, value: Value): void {
  known.delete(id);
  const [oldest] = known.keys();
  if (known.size >= MAX_KNOWN && oldest !== undefined) known.delete(oldest);
  known.set(id, value);
}
